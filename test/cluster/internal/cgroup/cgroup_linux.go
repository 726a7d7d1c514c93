// Package cgroup keeps the processes of a cluster together, so that all of
// them can be found again without knowing a single process id or name.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const mountPoint = "/sys/fs/cgroup"

// hierarchies are the roots of the trees a group has to exist in: one with
// cgroup v2, one for each controller with v1 and, in the mixture that systemd
// calls hybrid, a v2 one without controllers in which runc makes groups too.
func hierarchies() ([]string, error) {
	if IsV2() {
		return []string{mountPoint}, nil
	}
	entries, err := os.ReadDir(mountPoint)
	if err != nil {
		return nil, fmt.Errorf("looking for cgroups: %w", err)
	}
	var roots []string
	for _, entry := range entries {
		if !entry.IsDir() { // symbolic links are second names of joint controllers
			continue
		}
		root := filepath.Join(mountPoint, entry.Name())
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err == nil {
			roots = append(roots, root)
		}
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("no cgroups are mounted at %s", mountPoint)
	}
	return roots, nil
}

// IsV2 says whether this machine has cgroup v2 alone.
func IsV2() bool {
	var s unix.Statfs_t
	return unix.Statfs(mountPoint, &s) == nil && s.Type == unix.CGROUP2_SUPER_MAGIC
}

// Create makes the group, an absolute path such as /gameday/a/n1, in every
// hierarchy, with every controller a kubelet needs.
func Create(group string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		dir := root
		for _, part := range strings.Split(strings.Trim(group, "/"), "/") {
			if IsV2() {
				if err := delegate(dir); err != nil {
					return err
				}
			}
			dir = filepath.Join(dir, part)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("making cgroup: %w", err)
			}
			if err := inheritCPUs(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// delegate lets the children of a v2 group have its controllers.
func delegate(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(text)) {
		file := filepath.Join(dir, "cgroup.subtree_control")
		err := os.WriteFile(file, []byte("+"+controller), 0o644)
		// What the kubelet refuses to run without; of the others a missing one does no harm.
		needed := slices.Contains([]string{"cpu", "cpuset", "memory", "pids"}, controller)
		if err != nil && needed {
			return fmt.Errorf("giving controller %s to the children of %s: %w "+
				"(a group with processes of its own cannot: move them to a child group first)", controller, dir, err)
		}
	}
	return nil
}

// inheritCPUs fills a new group of the v1 cpuset controller, which starts
// empty and then lets no process in.
func inheritCPUs(dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		own, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || IsV2() || strings.TrimSpace(string(own)) != "" {
			continue
		}
		parent, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), parent, 0o644); err != nil {
			return fmt.Errorf("filling cpuset: %w", err)
		}
	}
	return nil
}

// Join moves the calling process into the group, which must exist: that a
// group is gone means its cluster was taken down meanwhile.
func Join(group string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		file, err := os.OpenFile(filepath.Join(root, group, "cgroup.procs"), os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("joining cgroup: %w", err)
		}
		_, err = file.WriteString("0") // the writer, whatever its id in its pid namespace
		file.Close()
		if err != nil {
			return fmt.Errorf("joining cgroup %s: %w", file.Name(), err)
		}
	}
	return nil
}

// Processes are the ids of all processes in the group and the groups below it.
func Processes(group string) ([]int, error) {
	roots, err := hierarchies()
	if err != nil {
		return nil, err
	}
	found := map[int]bool{}
	for _, root := range roots {
		err := walk(filepath.Join(root, group), func(dir string) error {
			text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			for _, field := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
					found[pid] = true
				}
			}
			return ignoreGone(err)
		})
		if err != nil {
			return nil, err
		}
	}
	var pids []int
	for pid := range found {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids, nil
}

// Directories are the directories of the group and the groups below it, deepest first.
func Directories(group string) ([]string, error) {
	roots, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, root := range roots {
		err := walk(filepath.Join(root, group), func(dir string) error {
			dirs = append(dirs, dir)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(dirs)
	return dirs, nil
}

// Destroy kills every process of the group and removes it. Processes that
// join while it works are killed as well; later ones find no group to join.
func Destroy(group string, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		if err := thaw(group); err != nil {
			return err
		}
		pids, err := Processes(group)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL) // it may be gone by now
		}
		dirs, err := Directories(group)
		if err != nil {
			return err
		}
		if len(dirs) == 0 {
			return nil
		}
		var busy error
		for _, dir := range dirs {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				busy = err
			}
		}
		if busy == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("removing cgroup: %w; processes left: %v", busy, pids)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// RemoveEmpty removes the group if nothing is in it.
func RemoveEmpty(group string) {
	roots, _ := hierarchies()
	for _, root := range roots {
		_ = os.Remove(filepath.Join(root, group))
	}
}

// thaw lets frozen processes run, because a frozen one does not die.
func thaw(group string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		err := walk(filepath.Join(root, group), func(dir string) error {
			for file, value := range map[string]string{"freezer.state": "THAWED", "cgroup.freeze": "0"} {
				if f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0); err == nil {
					_, _ = f.WriteString(value)
					f.Close()
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// walk calls f for each directory from root down; one that is gone is no error.
func walk(root string, f func(dir string) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return ignoreGone(err)
		}
		if !entry.IsDir() {
			return nil
		}
		return f(path)
	})
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
