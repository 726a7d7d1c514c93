package contents

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/json"

	"gameday.dev/gameday/verify/objects"
)

// The parts of a path in a backup (Velero's docs, "Output file format"):
//
//	resources/deployments.apps/namespaces/shop/web.json
//	resources/persistentvolumes/cluster/pv-1.json
//	resources/deployments.apps/v1-preferredversion/namespaces/shop/web.json
//
// The last one says in which version the first was read. A restore reads the
// first ones, and so does this.
const (
	resourcesDir  = "resources"
	namespacesDir = "namespaces"
	clusterDir    = "cluster"
)

// namespaceResource are the namespaces themselves.
const namespaceResource = "namespaces"

// What is read of a backup is bounded, for somebody may have made it to use up a
// machine. etcd takes 1.5 MB for an object unless it is told otherwise, and its JSON is
// seldom three times as long; a namespace of a million objects is a very large one.
const (
	largestObject = 8 << 20
	mostObjects   = 5_000_000
)

// A Damage is a tarball that cannot be what Velero wrote. Any other error of Read
// says nothing of the backup.
type Damage struct{ err error }

func (d *Damage) Error() string { return "the backup is damaged: " + d.err.Error() }
func (d *Damage) Unwrap() error { return d.err }

// Damaged makes one.
func Damaged(format string, args ...any) error { return &Damage{fmt.Errorf(format, args...)} }

// Source is a tarball that is being fetched. Its error tells a transfer that broke
// from a file that ends too early: nil while all that was sent has come.
type Source interface {
	io.Reader
	Err() error
}

// Read reads a decompressed tarball and keeps the objects of one namespace, the
// namespace itself, and what belongs to the cluster, in directory. progress is told
// how many objects were read.
func Read(ctx context.Context, tarball Source, directory, namespace string, progress func(int64)) (*Contents, error) {
	spool, err := newSpool(directory)
	if err != nil {
		return nil, err
	}
	c := &Contents{spool: spool, namespace: namespace, index: map[string]*items{}}
	if err := c.read(ctx, tarball, progress); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Contents) read(ctx context.Context, tarball Source, progress func(int64)) error {
	through := &ending{Reader: tarball}
	archive := tar.NewReader(through)
	for count := int64(0); ; count++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return blame(tarball, fmt.Errorf("after %d files: %w", count, err))
		}
		where, ok := locate(header.Name)
		if !ok || header.Typeflag != tar.TypeReg {
			continue
		}
		if of := where.of(); of != "" && of != c.namespace {
			continue
		}
		if header.Size > largestObject {
			return fmt.Errorf("%s has %d bytes: objects of more than %d MiB are not compared", header.Name, header.Size, largestObject>>20)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return blame(tarball, fmt.Errorf("%s: %w", header.Name, err))
		}
		if err := c.add(where, header.Name, text); err != nil {
			return err
		}
		progress(count)
	}
	// The checksum of the compressed file is behind the end of the archive.
	if _, err := io.Copy(io.Discard, through); err != nil {
		return blame(tarball, err)
	}
	if through.zeros < endOfArchive {
		return blame(tarball, errors.New("the archive ends without its end"))
	}
	return c.sort()
}

// endOfArchive is how many zeros end a tar archive (POSIX, ustar interchange
// format). Package tar takes one that was cut off between two files for whole.
const endOfArchive = 1024

// ending counts the zeros at the end of what was read so far.
type ending struct {
	io.Reader
	zeros int
}

func (e *ending) Read(into []byte) (int, error) {
	n, err := e.Reader.Read(into)
	rest := bytes.TrimRight(into[:n], "\x00")
	if len(rest) > 0 {
		e.zeros = 0
	}
	e.zeros += n - len(rest)
	return n, err
}

// blame tells a tarball that is damaged from a connection that broke.
func blame(tarball Source, err error) error {
	if broke := tarball.Err(); broke != nil {
		return fmt.Errorf("fetching the backup: %w", broke)
	}
	return &Damage{err}
}

// location is what a path in a tarball says.
type location struct{ resource, group, namespace, name string }

// of is the namespace that an object belongs to: the one it is in, or is itself;
// empty for what is the cluster's.
func (l location) of() string {
	if l.namespace == "" && l.group == "" && l.resource == namespaceResource {
		return l.name
	}
	return l.namespace
}

// locate reads a path; ok is false for what is no object.
func locate(name string) (at location, ok bool) {
	parts := strings.Split(path.Clean(name), "/")
	if len(parts) < 4 || parts[0] != resourcesDir {
		return at, false
	}
	at.resource, at.group, _ = strings.Cut(parts[1], ".")
	file, isJSON := strings.CutSuffix(parts[len(parts)-1], ".json")
	switch {
	case !isJSON || file == "" || at.resource == "":
		return at, false
	case parts[2] == namespacesDir && len(parts) == 5 && parts[3] != "":
		at.namespace, at.name = parts[3], file
	case parts[2] == clusterDir && len(parts) == 4:
		at.name = file
	default:
		return at, false
	}
	return at, true
}

// add keeps one object.
func (c *Contents) add(at location, file string, text []byte) error {
	// Only what says whose it is: the rest is read when it is compared.
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Damaged("%s is no JSON object: %w", file, err)
	}
	group, version, grouped := strings.Cut(head.APIVersion, "/")
	if !grouped {
		group, version = "", head.APIVersion
	}
	switch {
	case head.Kind == "" || version == "":
		return Damaged("%s holds no Kubernetes object", file)
	case head.Metadata.Name != at.name || head.Metadata.Namespace != at.namespace || group != at.group:
		return Damaged("%s holds %s %s/%s of %s", file, head.Kind, head.Metadata.Namespace, head.Metadata.Name, head.APIVersion)
	}
	resource := objects.Resource{Group: group, Version: version, Name: at.resource, Kind: head.Kind, Namespaced: at.namespace != ""}
	known, ok := c.index[resource.String()]
	if !ok {
		known = &items{resource: resource}
		c.index[resource.String()] = known
	}
	if known.resource.Kind != head.Kind {
		return Damaged("%s is a %s, and others of %s are a %s", file, head.Kind, resource, known.resource.Kind)
	}
	if c.total++; c.total > mostObjects {
		return fmt.Errorf("the backup has more than %d objects of one namespace", mostObjects)
	}
	offset, err := c.spool.store(text)
	if err != nil {
		return err
	}
	known.places = append(known.places, place{namespace: at.namespace, name: at.name, offset: offset, size: len(text)})
	return nil
}

// sort brings the objects into the order of objects.Set, and finds any that the
// tarball holds twice: which one is restored would be chance.
func (c *Contents) sort() error {
	for _, items := range c.index {
		slices.SortFunc(items.places, place.compare)
		for i := 1; i < len(items.places); i++ {
			if p := items.places[i]; p.compare(items.places[i-1]) == 0 {
				return Damaged("%s %s/%s is in it twice", items.resource, p.namespace, p.name)
			}
		}
	}
	return nil
}
