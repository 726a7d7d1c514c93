package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"gameday.dev/gameday/test/cluster/internal/cgroup"
	"gameday.dev/gameday/test/shop"
)

// Up brings a cluster up and returns when all of it is ready. A healthy
// cluster of that name is returned as it is; what is left of a broken one is
// cleaned away first. When it fails, or ctx ends, nothing of it is left.
func Up(ctx context.Context, o Options) (*Cluster, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, o.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()

	running, err := reuse(ctx, o)
	if running != nil || err != nil {
		return running, err
	}
	if err := checkMachine(ctx, o); err != nil {
		return nil, err
	}
	programs, err := Build(ctx, o)
	if err != nil {
		return nil, err
	}
	c, err := newCluster(o)
	if err != nil {
		return nil, err
	}
	c.Programs = programs
	if err := c.bringUp(ctx); err != nil {
		err = fmt.Errorf("bringing cluster %s up: %w", o.Name, err)
		if os.Getenv("GAMEDAY_KEEP_BROKEN_CLUSTER") != "" {
			return nil, fmt.Errorf("%w\nhint: it was left as it is; its logs are in %s", err, c.LogDir())
		}
		// The caller's context may have ended; that is no reason to leave a mess.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, remove(clean, o.Name))
	}
	return c, nil
}

// reuse is the running cluster with that name if it is healthy and what was
// asked for. It removes one that is not healthy.
func reuse(ctx context.Context, o Options) (*Cluster, error) {
	c, err := Open(o.Name)
	if errors.Is(err, ErrNotFound) {
		return nil, remove(ctx, o.Name) // a trace may be there all the same
	}
	if err == nil {
		err = c.Healthy(ctx)
	}
	if err != nil {
		fmt.Fprintf(o.Progress, "cluster %s is broken: %v; cleaning it away first\n", o.Name, err)
		return nil, remove(ctx, o.Name)
	}
	if there := c.Options; !same(there, o) {
		return nil, fmt.Errorf("cluster %s is up, but is another one: %s; wanted: %s: take it down first or choose another name",
			o.Name, there, o)
	}
	fmt.Fprintf(o.Progress, "cluster %s is up and healthy already\n", o.Name)
	c.Progress = o.Progress
	if !c.Velero {
		return c, nil
	}
	// Gameday's sources may have changed since the cluster came up.
	joined := make(chan struct{})
	close(joined)
	if err := c.bringGameday(ctx, joined); err != nil {
		return nil, err
	}
	return c, nil
}

func same(a, b Options) bool {
	a.Progress, b.Progress = nil, nil
	return a == b
}

// String describes a cluster in words.
func (o Options) String() string {
	s := fmt.Sprintf("%s, Kubernetes %s, %d nodes, %d etcd members", o.Flavour, o.Kubernetes, o.Nodes, o.Etcd)
	if o.Encryption {
		s += ", encryption at rest"
	}
	if o.Monitoring {
		s += ", monitoring"
	}
	if o.Shop {
		s += ", shop"
	}
	if o.Velero {
		s += ", Velero " + o.VeleroVersion
	}
	return s
}

func (c *Cluster) bringUp(ctx context.Context) error {
	begin := time.Now()
	done := func(what string) {
		fmt.Fprintf(c.Progress, "%s (%.1fs)\n", what, time.Since(begin).Seconds())
	}
	fmt.Fprintf(c.Progress, "cluster %s: %s\n", c.Name, c.Options)
	if err := c.claim(ctx); err != nil {
		return err
	}
	if err := c.buildOwn(ctx); err != nil {
		return err
	}
	if err := c.issueCredentials(); err != nil {
		return err
	}
	if c.Velero {
		c.S3Keys = newS3Keys()
	}
	if err := c.writeEncryptionConfig(); err != nil {
		return err
	}
	if err := c.writeEnvironment(); err != nil {
		return err
	}
	if c.Flavour == Local {
		if err := c.makeImages(); err != nil {
			return err
		}
	}
	// The programs' paths are known now: from here on other processes can drive its daemons.
	if err := c.save(); err != nil {
		return err
	}
	done("prepared")

	group, ctx := errgroup.WithContext(ctx)
	joined := make(chan struct{}) // closed when all nodes have been started
	group.Go(func() error {
		if err := c.startAll(ctx, done); err != nil {
			return err
		}
		close(joined)
		return c.waitReady(ctx, done)
	})
	if c.Velero {
		group.Go(func() error { return c.bringGameday(ctx, joined) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	c.Phase = phaseRunning
	return c.save()
}

// startAll starts everything that the cluster consists of.
func (c *Cluster) startAll(ctx context.Context, done func(string)) error {
	ready := make(chan struct{}) // closed when the API server serves
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := c.startControlPlane(ctx, ready); err != nil {
			return err
		}
		done("control plane ready")
		return c.populate(ctx)
	})
	if c.Flavour == Local {
		group.Go(func() error { return c.startNodes(ctx, ready) })
	}
	if c.Velero {
		group.Go(func() error { return c.startObjectStore(ctx) })
	}
	return group.Wait()
}

// claim takes all that the machine has only once, and records it.
func (c *Cluster) claim(ctx context.Context) error {
	// In this order: a slot whose state directory is missing counts as abandoned.
	if err := claimDirectories(c); err != nil {
		return err
	}
	slot, err := claimSlot(slotDir, c.dir, func(s Slot) error {
		return errors.Join(portsFree(s), networkFree(s))
	})
	if err != nil {
		return err
	}
	c.Slot = slot
	if err := c.save(); err != nil {
		return err
	}
	if err := c.createGroups(); err != nil {
		return err
	}
	if c.Flavour == Local {
		return c.createBridge(ctx)
	}
	return nil
}

func claimDirectories(c *Cluster) error {
	for _, dir := range []string{"run", "logs", "bin", "pki"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			return err
		}
	}
	return os.Chmod(c.dir, 0o700) // keys are in it
}

// createGroups makes the cgroup of the daemons on the machine; nodes make their own. The
// kwok flavour does without where there can be none.
func (c *Cluster) createGroups() error {
	if c.Flavour == Kwok && (runtime.GOOS != "linux" || os.Geteuid() != 0) {
		return nil
	}
	err := cgroup.Create(c.group("machine"))
	if err != nil && c.Flavour == Kwok {
		return nil
	}
	c.Grouped = err == nil
	return errors.Join(err, c.save())
}

func (c *Cluster) startControlPlane(ctx context.Context, ready chan<- struct{}) error {
	var members []string
	for i := range c.Etcd {
		members = append(members, etcdMember(i))
	}
	if err := c.startTogether(ctx, members...); err != nil {
		return err
	}
	if err := c.start(ctx, kubeAPIServer); err != nil {
		return err
	}
	close(ready)
	return c.startTogether(ctx, kubeControllerManager, kubeScheduler)
}

// startTogether starts daemons that may need each other to be ready.
func (c *Cluster) startTogether(ctx context.Context, names ...string) error {
	var daemons []*Daemon
	for _, name := range names {
		d, err := c.Daemon(name)
		if err != nil {
			return err
		}
		if err := d.start(ctx); err != nil {
			return fmt.Errorf("starting %s: %w", name, err)
		}
		daemons = append(daemons, d)
	}
	for _, d := range daemons {
		if err := d.WaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startNodes boots all nodes. They get their images while the control plane
// starts, and join it when its API server serves.
func (c *Cluster) startNodes(ctx context.Context, ready <-chan struct{}) error {
	nodes, err := c.AllNodes()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		group.Go(func() error {
			if err := n.powerOn(ctx); err != nil {
				return err
			}
			for _, archive := range c.Images {
				if err := n.LoadImage(ctx, archive); err != nil {
					return err
				}
			}
			select {
			case <-ready:
				return n.join(ctx)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}
	return group.Wait()
}

// populate puts into the API what a fresh cluster has in it.
func (c *Cluster) populate(ctx context.Context) error {
	if c.Flavour == Kwok {
		if err := os.WriteFile(c.path("kwok.yaml"), nil, 0o644); err != nil {
			return err
		}
		if err := c.start(ctx, kwok); err != nil {
			return err
		}
		client, err := c.Client()
		if err != nil {
			return err
		}
		if err := createPretendedNodes(ctx, client, c.Nodes); err != nil {
			return err
		}
	} else {
		manifest, err := render("manifests/coredns.yaml", map[string]any{"Image": corednsImage, "Address": c.Slot.dnsService()})
		if err != nil {
			return err
		}
		if err := c.Apply(ctx, manifest); err != nil {
			return err
		}
	}
	if c.Velero {
		if err := errors.Join(c.startVolumes(ctx), c.installVelero(ctx)); err != nil {
			return err
		}
	}
	if c.Monitoring {
		return c.startMonitoring(ctx)
	}
	return nil
}

func (c *Cluster) waitReady(ctx context.Context, done func(string)) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	if err := waitNodes(ctx, client, c.Nodes, 2*time.Minute); err != nil {
		return err
	}
	done(fmt.Sprintf("%d nodes Ready", c.Nodes))
	if c.Flavour == Local {
		if err := waitWorkloads(ctx, client, "kube-system", 4*time.Minute); err != nil {
			return err
		}
		done("DNS ready")
	}
	if c.Shop {
		// Not before: the first node to be Ready would get all of it.
		manifests := shop.Manifests()
		if c.Velero {
			manifests = shop.ManifestsWithVolumes("")
		}
		if err := c.Apply(ctx, manifests); err != nil {
			return err
		}
		if err := waitWorkloads(ctx, client, shop.Namespace, 4*time.Minute); err != nil {
			return err
		}
		done("shop ready")
	}
	if c.Velero {
		if err := c.waitVelero(ctx, client); err != nil {
			return err
		}
		done("Velero ready")
	}
	return nil
}
