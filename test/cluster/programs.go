package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gameday.dev/gameday/test/cluster/internal/gobuild"
)

// Programs of this project that a cluster uses, by their main package.
const (
	agent              = "agent"
	pause              = "pause"
	provisioner        = "provisioner"
	gameday            = "gameday"
	shopProgram        = "shop"
	webhook            = "webhook"
	projectPath        = "gameday.dev/gameday"
	agentPackage       = projectPath + "/test/cluster/cmd/agent"
	pausePackage       = projectPath + "/test/cluster/cmd/pause"
	provisionerPackage = projectPath + "/test/cluster/cmd/provisioner"
	gamedayPackage     = projectPath + "/cmd/gameday"
	shopPackage        = projectPath + "/test/shop/cmd/shop"
	webhookPackage     = projectPath + "/test/shop/cmd/webhook"
)

// cacheDir holds what is built once: programs and images.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a place for built programs: %w: set XDG_CACHE_HOME", err)
	}
	return filepath.Join(base, "gameday", "cluster"), nil
}

func builder(progress io.Writer) (*gobuild.Builder, error) {
	dir, err := cacheDir()
	return &gobuild.Builder{Dir: dir, Progress: progress}, err
}

// wanted names the programs of other projects that a cluster with these options needs.
func (o Options) wanted() []string {
	names := []string{etcd, kubeAPIServer, kubeControllerManager, kubeScheduler}
	switch o.Flavour {
	case Local:
		names = append(names, kubelet, kubeProxy, containerd, containerdShim, ctr, coredns)
	case Kwok:
		names = append(names, kwok)
	}
	if o.Monitoring {
		names = append(names, prometheus, alertmanager)
	}
	if o.Velero {
		names = append(names, velero, veleroHelper, veleroRestoreHelper, veleroAWS, versitygw)
	}
	return names
}

// find says which component a program belongs to.
func (o Options) find(name string) (gobuild.Program, error) {
	kubernetes, err := kubernetesComponent(o.Kubernetes)
	if err != nil {
		return gobuild.Program{}, err
	}
	velero, err := veleroComponent(o.VeleroVersion)
	if err != nil {
		return gobuild.Program{}, err
	}
	for _, component := range append([]gobuild.Component{kubernetes, velero}, components...) {
		if _, ok := component.Packages[name]; ok {
			return gobuild.Program{Component: component, Name: name}, nil
		}
	}
	return gobuild.Program{}, fmt.Errorf("program %q is in no component of versions.go", name)
}

// Build builds the named programs, all that a cluster with these options needs when none
// is named, and returns their paths. What is built already is not built again.
func Build(ctx context.Context, o Options, names ...string) (map[string]string, error) {
	o = o.withDefaults()
	if len(names) == 0 {
		names = o.wanted()
	}
	b, err := builder(o.Progress)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	var programs []gobuild.Program
	for _, name := range names {
		program, err := o.find(name)
		if err != nil {
			return nil, err
		}
		programs = append(programs, program)
		paths[name] = b.Path(program)
	}
	return paths, b.Build(ctx, programs)
}

// buildOwn builds the project's own programs into the cluster's directory:
// they change with the project, and a running cluster must keep its own.
func (c *Cluster) buildOwn(ctx context.Context) error {
	b, err := builder(c.Progress)
	if err != nil {
		return err
	}
	packages := map[string]string{agent: agentPackage}
	if c.Flavour == Local {
		packages[pause] = pausePackage
		packages[shopProgram] = shopPackage
	}
	if c.Monitoring {
		packages[webhook] = webhookPackage
	}
	if c.Velero {
		packages[provisioner] = provisionerPackage
	}
	var arguments []string
	for name, pkg := range packages {
		arguments = append(arguments, pkg)
		c.Programs[name] = c.path("bin", name)
	}
	if err := b.Local(ctx, c.path("bin"), arguments...); err != nil {
		return fmt.Errorf("%w\nhint: run it from inside a checkout of %s", err, projectPath)
	}
	return nil
}

// Program is the path of a program of the cluster's versions, such as etcdctl
// or kubectl, built now if it was not yet.
func (c *Cluster) Program(ctx context.Context, name string) (string, error) {
	if path, ok := c.Programs[name]; ok {
		return path, nil
	}
	paths, err := Build(ctx, c.Options, name)
	return paths[name], err
}
