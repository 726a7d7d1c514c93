package cluster

import (
	"os"
	"os/exec"
	"syscall"

	"gameday.dev/gameday/test/cluster/internal/process"
)

// startInit starts process 1 of the node in namespaces of its own and returns
// its process id on the machine. It joins the node's cgroup by itself, before
// it does anything that would have to be undone.
func (n *Node) startInit() (int, error) {
	log, err := os.OpenFile(n.initLog(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd := exec.Command(n.cluster.Programs[agent], "init", n.path("init.json"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = n.env()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true,
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() { _ = cmd.Wait() }() // reap it should it die before us
	return cmd.Process.Pid, process.Record(n.pidFile(), cmd.Process.Pid)
}
