package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/cmd/gameday/internal/progress"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/scenarios/run"
	"gameday.dev/gameday/verify/report"
)

func newRunCmd(p process) *cobra.Command {
	var (
		files   input
		where   target
		out     output
		yes     bool
		runsDir string
	)
	cmd := &cobra.Command{
		Use:   "run FILE...",
		Short: "Run scenarios; the exit code is the verdict",
		Long: `Run takes the lock, checks that everything holds, injects the faults step by
step, holds, undoes all of them and judges the record. Progress goes to
standard error, the result to standard output, the record to a run directory.

The first interrupt undoes and ends; a second one gives up undoing and prints
the command that finishes it.`,
		Example: `  # Ask before touching the cluster of the current context
  gameday run drain.yaml

  # In a script, against a named cluster, with another namespace
  gameday run drain.yaml --context staging --set namespace=checkout --yes

  # The result as JSON
  gameday run drain.yaml --yes -o json | jq .verdict`,
		Args: needFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.valid(); err != nil {
				return err
			}
			loaded, err := files.loadToRun(p, args)
			if err != nil {
				return err
			}
			cluster, options, err := where.connect(p, args[0], nil)
			if err != nil {
				return err
			}
			if err := p.confirm(yes, cluster, "about to run "+names(loaded)); err != nil {
				return err
			}
			return runAll(cmd.Context(), p, loaded, cluster, options, runsDir, out)
		},
	}
	files.addFlags(cmd)
	where.addFlags(cmd)
	where.addEndpointFlags(cmd)
	out.addFlags(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().StringVar(&runsDir, "runs-dir", "gameday-runs", "where run directories are made")
	return cmd
}

// runAll plays the scenarios one after the other and stops when one leaves
// something behind or is interrupted.
func runAll(ctx context.Context, p process, loaded []scenarios.Scenario, cluster *kube.Cluster, shared run.Options, runsDir string, out output) error {
	code := exitPass
	for i, scenario := range loaded {
		options := shared
		options.Scenario = scenario
		options.ID = newRunID(time.Now())
		options.Seed = seedOf(scenario)
		options.Dir = filepath.Join(runsDir, scenario.Metadata.Name+"-"+options.ID)
		one, interrupted := runOne(ctx, p, options, recoverCommand(options.ID, cluster), out)
		code = worse(code, one)
		if interrupted && i < len(loaded)-1 { // perhaps too late for this one, not for the next
			code = worse(code, exitInterrupted)
		}
		if interrupted || one == exitLeft {
			break
		}
	}
	if code == exitPass {
		return nil
	}
	return &exit{code: code}
}

// runOne plays one scenario and prints its result. What cannot be printed or
// kept is said, and changes no verdict.
func runOne(ctx context.Context, p process, options run.Options, recoverWith string, out output) (code int, interrupted bool) {
	view := progress.New(p.stderr, progress.Options{
		Terminal: p.stderrTerminal && !p.dumb(),
		Width:    p.terminalWidth,
		Color:    p.color(p.stderrTerminal),
	})
	ctx, abandon, release := p.interruptible(ctx, view, recoverWith)
	defer release()
	options.Abandon = abandon
	events := make(chan journal.Event, 1024)
	options.Events = events
	go view.Run(events)
	record, err := run.Run(ctx, options)
	view.Stop()
	interrupted = ctx.Err() != nil
	if err != nil {
		say(p.stderr, err)
		return exitRefused, interrupted
	}
	result, err := run.Judge(record)
	if err != nil {
		say(p.stderr, err)
		return exitInconclusive, interrupted
	}
	if err := report.WriteFiles(options.Dir, result); err != nil {
		say(p.stderr, err)
	}
	if err := out.report(p, result, options.Dir); err != nil {
		say(p.stderr, fmt.Errorf("printing the result: %w", err))
	}
	return result.ExitCode, interrupted
}

// recoverCommand is what finishes an undo that was given up, on the same
// cluster from wherever this process runs. what is a run, or --all.
func recoverCommand(what string, cluster *kube.Cluster) string {
	command := strings.TrimSpace("gameday recover " + what)
	for _, flag := range []struct{ name, value, otherwise string }{
		{"context", cluster.Name, kube.InCluster},
		{"kubeconfig", cluster.Kubeconfig, ""},
	} {
		if flag.value != flag.otherwise {
			command += " --" + flag.name + " " + flag.value
		}
	}
	return command
}

// newRunID is unique, sorts by time, and fits a label value.
func newRunID(now time.Time) string {
	var random [2]byte
	_, _ = rand.Read(random[:]) // crypto/rand.Read never fails
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(random[:])
}

// seedOf is the scenario's own seed, or a random one that the record keeps.
func seedOf(scenario scenarios.Scenario) int64 {
	if scenario.Spec.Seed != nil {
		return *scenario.Spec.Seed
	}
	var random [4]byte
	_, _ = rand.Read(random[:])
	return int64(binary.BigEndian.Uint32(random[:]))
}

func names(loaded []scenarios.Scenario) string {
	text := ""
	for i, scenario := range loaded {
		if i > 0 {
			text += ", "
		}
		text += scenario.Metadata.Name
	}
	return text
}

func needFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return inputError(fmt.Errorf("%s needs a scenario file, or - for standard input\nhint: see gameday %s --help", cmd.CommandPath(), cmd.Name()))
	}
	return nil
}
