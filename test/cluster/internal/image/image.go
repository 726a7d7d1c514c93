// Package image makes container images from static programs, without a
// container engine and without a registry.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sort"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A Spec says what is in an image.
type Spec struct {
	Reference  string            // such as gameday.dev/shop:v1; never "latest", which is always pulled
	Entrypoint []string          // paths inside the image
	Files      map[string]string // path inside the image to file on this machine
}

// Archive writes the image as a tar file into dir and returns its path. The
// name is a digest of the content, so that an image is made once.
func Archive(s Spec, dir string) (string, error) {
	tag, err := name.NewTag(s.Reference, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("naming an image: %w", err)
	}
	layer, err := layer(s.Files)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %q ", tag, s.Entrypoint)
	sum.Write(layer)
	file := filepath.Join(dir, path.Base(tag.RepositoryStr())+"-"+hex.EncodeToString(sum.Sum(nil))[:12]+".tar")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	// Not compressed: the archive is read on this machine and by nobody else.
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer, types.DockerUncompressedLayer))
	if err != nil {
		return "", err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return "", err
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		Architecture: runtime.GOARCH,
		OS:           "linux",
		RootFS:       config.RootFS,
		Config:       v1.Config{Entrypoint: s.Entrypoint, Env: []string{"PATH=/bin:/", "HOME=/tmp"}},
	})
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	half, err := os.CreateTemp(dir, "image-")
	if err != nil {
		return "", err
	}
	half.Close()
	defer os.Remove(half.Name())
	if err := tarball.WriteToFile(half.Name(), tag, img); err != nil {
		return "", fmt.Errorf("writing image %s: %w", s.Reference, err)
	}
	return file, os.Rename(half.Name(), file)
}

// layer is a tar of the files. Nothing in it depends on when it was made.
func layer(files map[string]string) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	// Programs expect /tmp, also those that have no other directory.
	if err := w.WriteHeader(&tar.Header{Name: "tmp/", Mode: 0o1777, Typeflag: tar.TypeDir}); err != nil {
		return nil, err
	}
	var paths []string
	for p := range files {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		content, err := os.ReadFile(files[p])
		if err != nil {
			return nil, err
		}
		header := &tar.Header{Name: p, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
