package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gameday.dev/gameday/backup/etcd/live"
	backupobjects "gameday.dev/gameday/backup/etcd/objects"
	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/backup/etcd/walk"
	"gameday.dev/gameday/experiments"
)

// walkCommand is how the bench calls itself to walk in a process of its own,
// whose memory is that of the walk alone.
const walkCommand = "walk-etcd"

// errand is what that process is asked to do.
type errand struct {
	At       experiments.Etcd
	Snapshot string
	Dir      string
	Helper   []string
}

// walked is what it found.
type walked struct {
	Keys    int64
	Seconds float64
	// CPU is what the process itself has spent on it, in seconds: on a busy
	// machine the better half of the truth.
	CPU float64
	// Before and Peak are its memory in bytes: when the walk began, and at its most.
	Before, Peak int64
}

// measureEtcdMatch walks a restored member and the store side by side, decodes
// every value and compares every key. The members are other processes.
func measureEtcdMatch(ctx context.Context, b *bench, times int) ([]figure, error) {
	store, err := b.etcdStore(ctx)
	if err != nil {
		return nil, err
	}
	var speeds, memory []float64
	var notes []string
	for i := range times {
		found, err := b.walkOnce(ctx, store)
		if err != nil {
			return nil, err
		}
		note := fmt.Sprintf("%d keys in %.1fs, of it %.1fs CPU of the walk itself, peak RSS %.0f MB (%.0f MB before)", found.Keys, found.Seconds, found.CPU, float64(found.Peak)/1e6, float64(found.Before)/1e6)
		progress("match %d of %d: %s", i+1, times, note)
		speeds, memory, notes = append(speeds, float64(found.Keys)/found.Seconds), append(memory, float64(found.Peak)/1e6), append(notes, note)
	}
	speed := median("decode and match", "keys/s", 0, speeds, append([]string{store.describe()}, notes...)...)
	least := 100_000.0
	speed.Target, speed.AtLeast, speed.Missed = &least, true, speed.Value < least
	return []figure{speed, median("decode and match, peak RSS of the process that walks", "MB", 300, memory)}, nil
}

func (b *bench) walkOnce(ctx context.Context, store *etcdStore) (walked, error) {
	program, err := os.Executable()
	if err != nil {
		return walked{}, err
	}
	dir := filepath.Join(b.dir, "walked")
	defer os.RemoveAll(dir)
	task, err := json.Marshal(errand{At: store.at, Snapshot: store.snapshot, Dir: dir, Helper: b.helper()})
	if err != nil {
		return walked{}, err
	}
	command := exec.CommandContext(ctx, program, walkCommand, string(task))
	command.Stderr = os.Stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	output, err := command.Output()
	if err != nil {
		return walked{}, fmt.Errorf("walking: %w", err)
	}
	var found walked
	return found, json.Unmarshal(output, &found)
}

// runErrand is the process that walks.
func runErrand(ctx context.Context, text string) error {
	var task errand
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	member, err := scratch.Start(ctx, task.Helper, task.Snapshot, task.Dir, func() {})
	if err != nil {
		return err
	}
	defer member.Stop()
	restored, err := member.Client()
	if err != nil {
		return err
	}
	defer restored.Close()
	connection, err := live.Connect(task.At)
	if err != nil {
		return err
	}
	defer connection.Close()
	decoder, err := backupobjects.NewDecoder(task.At.Prefix, "")
	if err != nil {
		return err
	}
	now, err := restored.Get(ctx, "any")
	if err != nil {
		return err
	}
	found := walked{Before: highWater(os.Getpid())}
	began, spent := time.Now(), processorTime()
	result, err := walk.Walk(ctx, walk.Options{
		Restored: restored, Live: connection.Client, Decoder: decoder, Prefix: task.At.Prefix, Revision: now.Header.Revision,
	})
	if err != nil {
		return err
	}
	found.Keys, found.Seconds, found.CPU, found.Peak = result.Keys, time.Since(began).Seconds(), processorTime()-spent, highWater(os.Getpid())
	switch {
	case result.Match.Equal != result.Keys || result.Keys < storedObjects || result.Undecodable.Count+result.Unknown.Count > 0:
		return fmt.Errorf("the walk has found something else than it was given: %+v", result)
	case found.Peak == 0:
		return errors.New("the memory of a process is only known on Linux")
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// processorTime is what this process has spent so far, in seconds; 0 where
// there is no /proc. The kernel counts it in hundredths of a second.
func processorTime() float64 {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}
