package nodeinit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gameday.dev/gameday/test/cluster/internal/cgroup"
)

// Run is process 1. It returns only with an error.
func Run(configFile string) error {
	text, err := os.ReadFile(configFile)
	if err != nil {
		return err
	}
	var config Config
	if err := json.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("reading %s: %w", configFile, err)
	}
	// First of all: from here on the node can be found, and if its cluster
	// has been taken down meanwhile there is no group to join.
	if err := cgroup.Join(config.Group); err != nil {
		return err
	}
	// The namespace ends with process 1, so that nothing but SIGKILL may end it.
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	if err := setUp(config); err != nil {
		return err
	}
	_ = os.Remove(config.Socket) // of the node's former life
	listener, err := net.Listen("unix", config.Socket)
	if err != nil {
		return err
	}
	p := &processes{daemons: map[string]*Daemon{}}
	go p.reap()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go p.serve(conn)
	}
}

func setUp(config Config) error {
	if err := unix.Sethostname([]byte(config.Hostname)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	// Private first: nothing that is mounted here may show outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	for _, m := range config.Mounts {
		for _, dir := range []string{m.Source, m.Target} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(m.Source, m.Target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s at %s: %w", m.Source, m.Target, err)
		}
	}
	// Shared among the node's own namespaces: volumes mounted by the kubelet must show in containers.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("sharing mounts: %w", err)
	}
	// A node routes between its pods and the others.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("turning on forwarding: %w", err)
	}
	return nil
}

// processes are the daemons that process 1 has started.
type processes struct {
	mu      sync.Mutex // held over a start and over a reap, so that no exit is seen before its start
	daemons map[string]*Daemon
}

func (p *processes) serve(conn net.Conn) {
	defer conn.Close()
	var request Request
	var response Response
	err := json.NewDecoder(conn).Decode(&request)
	if err == nil {
		response.Daemons, err = p.do(request)
	}
	if err != nil {
		response.Error = err.Error()
	}
	_ = json.NewEncoder(conn).Encode(response) // nobody to tell
}

func (p *processes) do(request Request) (map[string]Daemon, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case request.Start != nil:
		return nil, p.start(*request.Start)
	case request.Signal != nil:
		d, ok := p.daemons[request.Signal.Name]
		if !ok || !d.Running {
			return nil, fmt.Errorf("%s is not running", request.Signal.Name)
		}
		return nil, unix.Kill(d.PID, unix.Signal(request.Signal.Number))
	case request.Status:
		all := map[string]Daemon{}
		for name, d := range p.daemons {
			all[name] = *d
		}
		return all, nil
	}
	return nil, errors.New("the request asks for nothing")
}

func (p *processes) start(s Start) error {
	if d, ok := p.daemons[s.Name]; ok && d.Running {
		return fmt.Errorf("%s is running already", s.Name)
	}
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	// Not os/exec: its Wait and the reaper would take each other's children.
	process, err := os.StartProcess(s.Command[0], s.Command, &os.ProcAttr{
		Dir:   "/",
		Env:   append(os.Environ(), s.Env...),
		Files: []*os.File{null, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", s.Name, err)
	}
	p.daemons[s.Name] = &Daemon{PID: process.Pid, Running: true}
	return process.Release()
}

// reap collects every process that dies, orphans of pods included, as only
// process 1 can.
func (p *processes) reap() {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	ticker := time.NewTicker(time.Second) // signals coalesce
	for {
		select {
		case <-died:
		case <-ticker.C:
		}
		p.collect()
	}
}

func (p *processes) collect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		for _, d := range p.daemons {
			if d.Running && d.PID == pid {
				d.Running = false
				d.Exit = describe(status)
			}
		}
	}
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + unix.SignalName(status.Signal())
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}
