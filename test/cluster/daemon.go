package cluster

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"gameday.dev/gameday/test/cluster/internal/nodeinit"
	"gameday.dev/gameday/test/cluster/internal/process"
)

// A Daemon is one process of the cluster, on the machine or in a node. Its
// methods are what tests break the cluster with.
type Daemon struct {
	Name string

	start   func(context.Context) error
	signal  func(context.Context, syscall.Signal) error
	running func(context.Context) bool
	ready   func(context.Context) error // nil: nothing to wait for
	log     string
}

// Log is the file with its output.
func (d *Daemon) Log() string { return d.log }

// Running says whether its process is there; a frozen one is.
func (d *Daemon) Running(ctx context.Context) bool { return d.running(ctx) }

// Start starts it and waits until it serves.
func (d *Daemon) Start(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return fmt.Errorf("starting %s: %w", d.Name, err)
	}
	return d.WaitReady(ctx)
}

// WaitReady waits until it serves. It ends at once when the process does.
func (d *Daemon) WaitReady(ctx context.Context) error {
	if d.ready == nil {
		return nil
	}
	begin, seen := time.Now(), false
	err := until(ctx, time.Minute, 50*time.Millisecond, d.Name+" to serve", func(ctx context.Context) error {
		err := d.ready(ctx)
		running := d.running(ctx)
		if err != nil && !running && (seen || time.Since(begin) > 15*time.Second) {
			return final(fmt.Errorf("it has ended"))
		}
		seen = seen || running
		return err
	})
	if err != nil {
		return fmt.Errorf("%w\nlast lines of %s:\n%s", err, d.log, tail(d.log, 10))
	}
	return nil
}

// Kill ends it at once, as a crash does, and waits until it is gone.
func (d *Daemon) Kill(ctx context.Context) error {
	if err := d.signal(ctx, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing %s: %w", d.Name, err)
	}
	return d.waitGone(ctx, 10*time.Second)
}

// Stop ends it in its own way, but not longer than two seconds: an API server
// with open watches would take a minute.
func (d *Daemon) Stop(ctx context.Context) error {
	if err := d.signal(ctx, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping %s: %w", d.Name, err)
	}
	if d.waitGone(ctx, 2*time.Second) == nil {
		return nil
	}
	return d.Kill(ctx)
}

// Restart stops it if it runs and starts it.
func (d *Daemon) Restart(ctx context.Context) error {
	if d.Running(ctx) {
		if err := d.Stop(ctx); err != nil {
			return err
		}
	}
	return d.Start(ctx)
}

// Freeze stops it from running without ending it: what asks it something
// gets no answer. Thaw undoes it.
func (d *Daemon) Freeze(ctx context.Context) error {
	if err := d.signal(ctx, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("freezing %s: %w", d.Name, err)
	}
	return nil
}

// Thaw lets a frozen daemon run on.
func (d *Daemon) Thaw(ctx context.Context) error {
	if err := d.signal(ctx, syscall.SIGCONT); err != nil {
		return fmt.Errorf("thawing %s: %w", d.Name, err)
	}
	return nil
}

func (d *Daemon) waitGone(ctx context.Context, patience time.Duration) error {
	return until(ctx, patience, 10*time.Millisecond, d.Name+" to end", func(ctx context.Context) error {
		if d.running(ctx) {
			return fmt.Errorf("it still runs")
		}
		return nil
	})
}

// Daemons are the names of the daemons on the machine: those of the control
// plane, and what the cluster's options add to them.
func (c *Cluster) Daemons() []string {
	var names []string
	for i := range c.Etcd {
		names = append(names, etcdMember(i))
	}
	names = append(names, kubeAPIServer, kubeControllerManager, kubeScheduler)
	if c.Flavour == Kwok {
		names = append(names, kwok)
	}
	if c.Monitoring {
		names = append(names, webhook, alertmanager, prometheus)
	}
	if c.Velero {
		names = append(names, provisioner, versitygw)
	}
	return names
}

// Daemon is a daemon on the machine, by a name of Daemons.
func (c *Cluster) Daemon(name string) (*Daemon, error) {
	if !slices.Contains(c.Daemons(), name) {
		return nil, fmt.Errorf("cluster %s has no daemon %q: it has %v", c.Name, name, c.Daemons())
	}
	pidFile := c.path("run", name+".pid")
	log := c.path("logs", name+".log")
	return &Daemon{
		Name: name,
		log:  log,
		start: func(context.Context) error {
			command, err := c.command(name)
			if err != nil {
				return err
			}
			return process.Start(process.Spec{
				Agent: c.Programs[agent], PIDFile: pidFile, Log: log, Group: c.machineGroup(), Command: command, Env: c.daemonEnv(name),
			})
		},
		signal:  func(_ context.Context, s syscall.Signal) error { return process.Signal(pidFile, s) },
		running: func(context.Context) bool { _, err := process.Read(pidFile); return err == nil },
		ready:   c.readiness(name),
	}, nil
}

// machineGroup is the cgroup of the daemons on the machine, empty without cgroups.
func (c *Cluster) machineGroup() string {
	if !c.Grouped {
		return ""
	}
	return c.group("machine")
}

// command is how a daemon on the machine is run.
func (c *Cluster) command(name string) ([]string, error) {
	for i := range c.Etcd {
		if name == etcdMember(i) {
			return c.etcdCommand(i), nil
		}
	}
	switch name {
	case kubeAPIServer:
		return c.apiServerCommand(), nil
	case kubeControllerManager:
		return c.controllerManagerCommand(), nil
	case kubeScheduler:
		return c.schedulerCommand(), nil
	case kwok:
		return c.kwokCommand(), nil
	case prometheus:
		return c.prometheusCommand(), nil
	case alertmanager:
		return c.alertmanagerCommand(), nil
	case webhook:
		return c.webhookCommand(), nil
	case provisioner:
		return c.provisionerCommand(), nil
	case versitygw:
		return c.versitygwCommand(), nil
	}
	return nil, fmt.Errorf("daemon %q has no command", name)
}

// daemonEnv is what a daemon on the machine finds in its environment besides ours.
func (c *Cluster) daemonEnv(name string) []string {
	if name == versitygw {
		return c.versitygwEnv()
	}
	return nil
}

// Daemon is a daemon in the node: kubelet, containerd or kube-proxy.
func (n *Node) Daemon(name string) (*Daemon, error) {
	command, err := n.command(name)
	if err != nil {
		return nil, err
	}
	client := nodeinit.Client{Socket: n.path("init.sock")}
	log := n.cluster.path("logs", n.Name+"-"+name+".log")
	d := &Daemon{
		Name: name + " of node " + n.Name,
		log:  log,
		start: func(ctx context.Context) error {
			return client.StartDaemon(ctx, nodeinit.Start{Name: name, Command: command, Log: log, Env: n.env()})
		},
		signal: func(ctx context.Context, s syscall.Signal) error { return client.SignalDaemon(ctx, name, int(s)) },
		running: func(ctx context.Context) bool {
			daemons, err := client.Daemons(ctx)
			return err == nil && daemons[name].Running
		},
	}
	if name == containerd {
		d.ready = func(context.Context) error { return dial("unix", n.containerdSocket()) }
	}
	return d, nil
}

// start starts a daemon on the machine and waits until it serves.
func (c *Cluster) start(ctx context.Context, name string) error {
	d, err := c.Daemon(name)
	if err != nil {
		return err
	}
	return d.Start(ctx)
}

func tail(file string, lines int) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(text), lines)
}
