package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gameday.dev/gameday/test/cluster/internal/cgroup"
	"gameday.dev/gameday/test/cluster/internal/process"
)

// Down takes the cluster of that name down. It works from what is on the
// machine, not from what somebody remembers: it leaves no process, mount,
// network namespace, link, route or cgroup, even when the cluster was never
// fully up. A cluster that is not there is no error.
func Down(ctx context.Context, name string, progress io.Writer) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("cluster %q: %w", name, ErrNotFound)
	}
	unlock, err := lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	home, err := stateHome()
	if err != nil {
		return err
	}
	dir := filepath.Join(home, name)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && len(claimedSlots(slotDir, dir)) == 0 {
		fmt.Fprintf(progress, "cluster %s is not there\n", name)
		return nil
	}
	begin := time.Now()
	if err := remove(ctx, name); err != nil {
		return fmt.Errorf("taking cluster %s down: %w", name, err)
	}
	fmt.Fprintf(progress, "cluster %s is down (%.1fs)\n", name, time.Since(begin).Seconds())
	return nil
}

// remove does the work of Down; the caller holds the lock. Each step is safe
// to repeat, so that a removal that was itself killed is simply done again.
func remove(ctx context.Context, name string) error {
	home, err := stateHome()
	if err != nil {
		return err
	}
	dir := filepath.Join(home, name)
	slots := claimedSlots(slotDir, dir)
	for _, slot := range slots {
		if err := cgroup.Destroy(clusterGroup(slot, name), 20*time.Second); err != nil {
			return err
		}
		cgroup.RemoveEmpty(groupRoot)
	}
	// Without root there are no cgroups, but pid files.
	if err := killRecorded(ctx, filepath.Join(dir, "run")); err != nil {
		return err
	}
	for _, slot := range slots {
		if err := deleteNetwork(ctx, slot); err != nil {
			return err
		}
	}
	// What is mounted below the directory must not be deleted through the mount.
	if err := unmountBelow(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return releaseSlots(slotDir, dir)
}

// killRecorded kills every process with a pid file in the directory. The
// directory is moved away first: a daemon that is just being started then
// fails to record itself, and so does not start.
func killRecorded(ctx context.Context, dir string) error {
	gone := dir + ".gone"
	if err := os.Rename(dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	files, err := filepath.Glob(filepath.Join(gone, "*.pid"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := process.Stop(ctx, file, 0); err != nil {
			return err
		}
	}
	return nil
}
