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
			ctx, abandon, release := p.interruptible(cmd.Context(), p.stderr, strings.Join(append([]string{"gameday recover"}, args...), " "))
			defer release()
			options := run.RecoverOptions{
				Client: shared.Client, Namespace: shared.Namespace, ID: id, Dir: dir,
				Holder:   "recover-" + newRunID(time.Now()),
				Progress: func(line string) { fmt.Fprintln(p.stderr, line) },
				Abandon:  abandon,
			}
			left, err := run.Unfinished(ctx, options)
			if err != nil {
				return refusedError(err)
			}
			if len(left) == 0 {
				_, err := fmt.Fprintln(p.stdout, "nothing to do: no unfinished run on "+cluster.Name)
				return err
			}
			if len(left) > 1 && !all {
				return inputError(fmt.Errorf("%d runs are unfinished: %s\nhint: name one, or use --all", len(left), strings.Join(left, ", ")))
			}
			if err := p.confirm(yes, cluster, "about to undo "+strings.Join(left, ", ")); err != nil {
				return err
			}
			recovered, err := run.Recover(ctx, options)
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
		return &exit{code: exitLeft, err: errors.Join(errors.New("cleanup is incomplete"), err)}
	case err != nil && len(recovered) > 0:
		return &exit{code: exitLeft, err: err}
	case err != nil:
		return refusedError(err)
	case errors.Is(page.err, context.Canceled):
		return &exit{code: exitInterrupted}
	}
	return page.err
}
