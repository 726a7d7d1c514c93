// Command agent is what a test cluster starts its processes with. It is not
// for people: "agent exec" becomes a daemon that can be found again, and
// "agent init" is process 1 of a node.
package main

import (
	"fmt"
	"os"

	"gameday.dev/gameday/test/cluster/internal/nodeinit"
	"gameday.dev/gameday/test/cluster/internal/process"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "agent: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "init":
		return nodeinit.Run(args[1])
	case len(args) > 4 && args[0] == "exec" && args[3] == "--":
		return process.Exec(args[1], args[2], args[4:])
	}
	return fmt.Errorf("usage: agent init CONFIG, or agent exec PIDFILE CGROUP -- COMMAND...; it is started by the cluster command")
}
