package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/scenarios/run"
)

func newRecoverCmd(p process) *cobra.Command {
	var (
		where    target
		yes, all bool
	)
	cmd := &cobra.Command{
		Use:   "recover [RUN]",
		Short: "Undo what an interrupted run has left",
		Long: `Recover reads the record that each run keeps in the cluster and undoes what is
left, the last fault first. It works from any machine, needs no run directory,
and may be called any number of times. RUN is a run's id or its directory;
without RUN, the one unfinished run is meant, or all of them with --all.`,
		Example: `  # What a killed run has left, wherever it ran
  gameday recover --context staging

  # One run, and its journal brought to an end
  gameday recover gameday-runs/node-drain-20261102-101500-3f2a --context staging`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return inputError(errors.New("--all and a run exclude each other"))
			}
			id, dir, err := whichRun(args)
			if err != nil {
				return err
			}
			cluster, shared, err := where.connect(p, "", nil)
			if err != nil {
				return err
			}
			options := run.RecoverOptions{
				Client: shared.Client, Dynamic: shared.Dynamic, ID: id, Dir: dir, Machine: shared.Machine,
				Holder:   "recover-" + newRunID(time.Now()),
				Progress: func(line string) { fmt.Fprintln(p.stderr, line) },
			}
			left, err := run.Unfinished(cmd.Context(), options)
			if err != nil {
				return refusedError(err)
			}
			if len(left) == 0 {
				return sayNothingToDo(cmd.Context(), p, options, cluster)
			}
			if len(left) > 1 && !all {
				return inputError(fmt.Errorf("%d runs are unfinished: %s\nhint: name one, or use --all", len(left), strings.Join(left, ", ")))
			}
			if err := p.confirm(yes, cluster, "about to undo "+strings.Join(left, ", ")); err != nil {
				return err
			}
			what := strings.Join(args, "")
			if all {
				what = "--all"
			}
			ctx, abandon, release := p.interruptible(cmd.Context(), p.stderr, recoverCommand(what, cluster))
			defer release()
			options.Abandon = abandon
			recovered, err := run.Recover(ctx, options)
			if err != nil && errors.Is(context.Cause(ctx), run.ErrInterrupted) {
				return &exit{code: exitInterrupted, err: err}
			}
			return sayRecovered(p, recovered, err)
		},
	}
	where.addFlags(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&all, "all", false, "recover every unfinished run")
	return cmd
}

// whichRun tells a run directory from a run's id.
func whichRun(args []string) (id, dir string, err error) {
	if len(args) == 0 {
		return "", "", nil
	}
	info, statErr := os.Stat(args[0])
	if statErr != nil || !info.IsDir() {
		if strings.ContainsRune(args[0], os.PathSeparator) {
			return "", "", inputError(fmt.Errorf("no run directory %s\nhint: a run's id works without its directory", args[0]))
		}
		return args[0], "", nil
	}
	record, err := journal.Read(args[0])
	if err != nil {
		return "", "", inputError(err)
	}
	opening, err := record.Info()
	if err != nil {
		return "", "", inputError(err)
	}
	return opening.ID, args[0], nil
}

func sayRecovered(p process, recovered []run.Recovered, err error) error {
	page := &page{w: p.stdout}
	left := false
	for _, one := range recovered {
		page.line("%s (%s)", one.ID, one.Scenario)
		page.lines("  undone  ", one.Undone)
		page.lines("  LEFT    ", one.Left)
		left = left || len(one.Left) > 0
	}
	switch {
	case left:
		return &exit{code: exitLeft, err: errors.New("cleanup is incomplete")}
	case err != nil:
		return refusedError(err)
	case page.err != nil:
		say(p.stderr, fmt.Errorf("printing what was undone: %w", page.err))
	}
	return nil
}

// sayNothingToDo also names the runs that were not asked for: a mistyped id
// must not look like a clean cluster.
func sayNothingToDo(ctx context.Context, p process, options run.RecoverOptions, cluster *kube.Cluster) error {
	line := "nothing to do: no unfinished run on " + cluster.Name
	if options.ID != "" {
		asked := options.ID
		options.ID, options.Dir = "", ""
		others, err := run.Unfinished(ctx, options)
		if err != nil {
			return refusedError(err)
		}
		if len(others) > 0 {
			line = fmt.Sprintf("nothing to do for run %s on %s; unfinished are: %s", asked, cluster.Name, strings.Join(others, ", "))
		}
	}
	_, err := fmt.Fprintln(p.stdout, line)
	return err
}
