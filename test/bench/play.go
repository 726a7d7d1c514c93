package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify/report"
)

// played is a run of gameday that passed.
type played struct {
	record *journal.Record
	report report.Report
	// peak is the most memory the process ever had resident, in bytes.
	peak int64
}

// play runs a scenario as a person would. When the hold of its step begins,
// meanwhile is called, if there is one. Only a run that passes is worth a figure.
func (b *bench) play(ctx context.Context, kubeconfig, scenario string, meanwhile func(context.Context) error, flags ...string) (played, error) {
	b.scenarios++
	home := filepath.Join(b.dir, fmt.Sprintf("run-%d", b.scenarios))
	file, runs := filepath.Join(home, "scenario.yaml"), filepath.Join(home, "runs")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return played{}, err
	}
	if err := os.WriteFile(file, []byte(scenario), 0o644); err != nil {
		return played{}, err
	}
	var output bytes.Buffer
	command := exec.CommandContext(ctx, b.program, append([]string{"run", file, "--kubeconfig", kubeconfig, "--yes", "--runs-dir", runs}, flags...)...)
	command.Env = append(os.Environ(), "GAMEDAY_ENVIRONMENT=")
	command.Stdout, command.Stderr = &output, &output
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // so that it undoes
	command.WaitDelay = time.Minute
	if err := command.Start(); err != nil {
		return played{}, fmt.Errorf("starting gameday: %w", err)
	}
	ended := make(chan struct{})
	peak := watchMemory(command.Process.Pid, ended)
	accompanied := make(chan error, 1)
	go func() { accompanied <- accompany(ctx, runs, ended, meanwhile) }()
	err := command.Wait()
	close(ended)
	if err = errors.Join(err, <-accompanied); err != nil {
		return played{}, fmt.Errorf("running gameday: %w\n%s", err, output.String())
	}
	p := played{peak: <-peak}
	directories, err := filepath.Glob(filepath.Join(runs, "*"))
	if err != nil || len(directories) != 1 {
		return played{}, fmt.Errorf("gameday left %d run directories: %w", len(directories), err)
	}
	if p.record, err = journal.Read(directories[0]); err != nil {
		return played{}, err
	}
	data, err := os.ReadFile(filepath.Join(directories[0], report.JSONFile))
	if err != nil {
		return played{}, err
	}
	return p, json.Unmarshal(data, &p.report)
}

// accompany calls meanwhile as soon as the record says that the step holds.
func accompany(ctx context.Context, runs string, ended <-chan struct{}, meanwhile func(context.Context) error) error {
	if meanwhile == nil {
		return nil
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return errors.New("it ended before its step held")
		case <-ticker.C:
		}
		files, _ := filepath.Glob(filepath.Join(runs, "*", journal.FileName))
		if len(files) == 0 {
			continue
		}
		data, err := os.ReadFile(files[0])
		if err == nil && bytes.Contains(data, []byte(`"`+journal.StepHolding+`"`)) {
			return meanwhile(ctx)
		}
	}
}

// moment is when the record first has an event of that kind.
func (p played) moment(kind string) time.Time {
	event, _ := p.record.First(kind)
	return event.Time
}

// watchMemory reads the high-water mark of a process until it has ended. The
// kernel's own figure at its end (ru_maxrss) would include the parent's size.
func watchMemory(pid int, ended <-chan struct{}) <-chan int64 {
	peak := make(chan int64, 1)
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		var most int64
		for {
			most = max(most, highWater(pid))
			select {
			case <-ended:
				peak <- most
				return
			case <-ticker.C:
			}
		}
	}()
	return peak
}

// highWater is 0 where it can't be told: the process has ended, or this is no Linux.
func highWater(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kilobytes int64
	if _, err := fmt.Fscan(bytes.NewReader(rest), &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}
