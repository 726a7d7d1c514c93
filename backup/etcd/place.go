package etcd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gameday.dev/gameday/experiments"
)

// place is where a step keeps its files: a directory of a machine, as the
// process that made them saw it.
type place struct {
	Host string `json:"host"`
	// Passing says that the machine's files go away with it: a pod's.
	Passing bool `json:"passing,omitempty"`
	// Directory tells a directory from another of the same name, on a machine of
	// the same name or behind a mount of the process's own.
	Directory string `json:"directory,omitempty"`
	// Boot is the start of the machine, after which all of that may be new.
	Boot string `json:"boot,omitempty"`
}

func placeOf(directory string, env experiments.Env) place {
	return place{Host: env.Machine.Host, Passing: env.Machine.Passing, Directory: identity(directory), Boot: boot()}
}

// gone says whether what is not to be found at path is gone, or only somewhere else.
func (p place) gone(what, path string, env experiments.Env) (string, error) {
	what += " " + path
	forGood := "if that is gone for good: kubectl -n gameday delete configmap gameday-" + env.RunID
	switch {
	case p.Host != env.Machine.Host && p.Passing:
		return what + " went with pod " + p.Host, nil
	case p.Host != env.Machine.Host:
		return "", experiments.Lasting(fmt.Errorf("removing %s: it is on machine %s, this is %s: call gameday recover there; %s", what, p.Host, env.Machine.Host, forGood))
	case p.Directory != "" && p.Boot == boot() && p.Directory != identity(filepath.Dir(path)):
		return "", experiments.Lasting(fmt.Errorf("removing %s: the run saw another directory under that name, as in a container or with PrivateTmp: call gameday recover from there; %s", what, forGood))
	default:
		return "", nil
	}
}

// identity is the device and inode of a directory, empty when it is not there.
func identity(directory string) string {
	info, err := os.Stat(directory)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// boot is the kernel's id of this start of the machine, empty where there is none.
func boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
