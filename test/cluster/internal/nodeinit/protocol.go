// Package nodeinit is process 1 of a node: it makes the node's private mounts,
// starts its daemons as its own children and reaps what dies.
//
// A node is a process in its own network, mount, process, host name and IPC
// namespaces, as a container of kind is, without the container. Daemons are
// started and signalled through a socket, never from outside the process
// namespace: a helper left outside would keep a killed node from going away.
// Killing process 1 kills everything in the node at once: a power loss.
package nodeinit

// Config is what process 1 is told at its start.
type Config struct {
	Hostname string  `json:"hostname"`
	Group    string  `json:"group"` // cgroup to join before anything else
	Socket   string  `json:"socket"`
	Mounts   []Mount `json:"mounts"`
}

// A Mount puts a directory of the node at the path that the daemons expect.
type Mount struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// A Request asks process 1 for one thing; exactly one field is set.
type Request struct {
	Start  *Start  `json:"start,omitempty"`
	Signal *Signal `json:"signal,omitempty"`
	Status bool    `json:"status,omitempty"`
}

// Start starts a daemon.
type Start struct {
	Name    string   `json:"name"`
	Command []string `json:"command"`
	Env     []string `json:"env,omitempty"`
	Log     string   `json:"log"`
}

// Signal sends a signal to a daemon.
type Signal struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

// A Response answers a Request.
type Response struct {
	Error   string            `json:"error,omitempty"`
	Daemons map[string]Daemon `json:"daemons,omitempty"`
}

// A Daemon is what process 1 knows of one that it started.
type Daemon struct {
	PID     int    `json:"pid"` // inside the node
	Running bool   `json:"running"`
	Exit    string `json:"exit,omitempty"` // how it ended
}
