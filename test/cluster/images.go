package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"gameday.dev/gameday/test/cluster/internal/image"
	"gameday.dev/gameday/test/cluster/internal/process"
	"gameday.dev/gameday/test/shop"
)

// Images that every cluster has. None is ever pulled.
const (
	pauseImage   = "docker.io/gameday/pause:v1"
	corednsImage = "docker.io/gameday/coredns:" + corednsVersion
)

// GamedayImage is gameday itself, which a cluster with Velero has.
const GamedayImage = "docker.io/gameday/gameday:v1"

// Image says what is in a container image: a reference with a tag other than
// latest, an entry point, and files by their path inside the image.
type Image = image.Spec

// MakeImage writes an image as an archive into the cache and returns its path.
// Programs in it must be static.
func MakeImage(i Image) (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	return image.Archive(i, filepath.Join(dir, "images"))
}

// ShopImage builds the sample application, makes its image and returns the
// path of the archive: for clusters whose nodes have to be given it.
func ShopImage(ctx context.Context, progress io.Writer) (string, error) {
	dir, err := os.MkdirTemp("", "gameday-shop-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	b, err := builder(progress)
	if err != nil {
		return "", err
	}
	b.Env = []string{"GOOS=linux"} // as the nodes are, whatever this machine is
	if err := b.Local(ctx, dir, shopPackage); err != nil {
		return "", err
	}
	return MakeImage(shopImage(filepath.Join(dir, shopProgram)))
}

func shopImage(program string) Image {
	return Image{Reference: shop.Image, Entrypoint: []string{shop.Binary}, Files: map[string]string{shop.Binary[1:]: program}}
}

// makeImages makes the images that every node gets.
func (c *Cluster) makeImages() error {
	c.Images = nil
	images := []Image{
		{Reference: pauseImage, Entrypoint: []string{"/pause"}, Files: map[string]string{"pause": c.Programs[pause]}},
		{Reference: corednsImage, Entrypoint: []string{"/coredns"}, Files: map[string]string{"coredns": c.Programs[coredns]}},
		shopImage(c.Programs[shopProgram]),
	}
	if c.Velero {
		images = append(images, c.veleroImageSpec())
	}
	for _, i := range images {
		archive, err := MakeImage(i)
		if err != nil {
			return err
		}
		c.Images = append(c.Images, archive)
	}
	return nil
}

// bringGameday builds gameday and gives every node its image, as soon as the
// nodes are there. Nothing else waits for it: with changed sources it takes a while.
func (c *Cluster) bringGameday(ctx context.Context, nodes <-chan struct{}) error {
	b, err := builder(c.Progress)
	if err != nil {
		return err
	}
	if err := b.Local(ctx, c.path("bin"), gamedayPackage); err != nil {
		return err
	}
	// Not into the cache: the next one is of other sources.
	archive, err := image.Archive(Image{
		Reference: GamedayImage, Entrypoint: []string{"/" + gameday}, Files: map[string]string{gameday: c.path("bin", gameday)},
	}, c.path("images"))
	if err != nil {
		return err
	}
	defer os.Remove(archive)
	select {
	case <-nodes:
		return c.LoadImage(ctx, archive)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// LoadImage imports an image archive into every node.
func (c *Cluster) LoadImage(ctx context.Context, archive string) error {
	nodes, err := c.AllNodes()
	if err != nil {
		return err
	}
	var group errgroup.Group
	for _, n := range nodes {
		group.Go(func() error { return n.LoadImage(ctx, archive) })
	}
	return group.Wait()
}

// LoadImage imports an image archive into the node.
func (n *Node) LoadImage(ctx context.Context, archive string) error {
	program, err := n.cluster.Program(ctx, ctr)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "--address", n.containerdSocket(), "--namespace", "k8s.io",
		"images", "import", "--local", archive)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := process.RunHelper(cmd); err != nil {
		return fmt.Errorf("importing %s into node %s: %w: %s", filepath.Base(archive), n.Name, err, lastLines(out.String(), 3))
	}
	return nil
}
