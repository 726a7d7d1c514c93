package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// execute is the whole program: it returns the exit code.
func execute(p process) int {
	root := newRootCmd(p)
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	if err := root.ExecuteContext(context.Background()); err != nil {
		say(p.stderr, err)
		return codeOf(err)
	}
	return exitPass
}

func newRootCmd(p process) *cobra.Command {
	root := &cobra.Command{
		Use:   "gameday",
		Short: "Prove that a Kubernetes cluster survives failure and that its backups restore",
		Long: strings.TrimSpace(`
gameday runs a scenario of faults against a cluster while checks watch, undoes
every fault, and says from the record what held: pass, fail or cannot tell.`),
		Example: `  # What would happen, without touching anything
  gameday plan drain.yaml --context kind-test

  # Do it, and keep the record
  gameday run drain.yaml --context kind-test

  # The verdict again, without a cluster
  gameday judge gameday-runs/shop-survives-a-node-drain-20261102-101500-3f2a`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return inputError(errors.New("unknown command " + args[0] + "\nhint: see gameday --help"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		newRunCmd(p), newPlanCmd(p), newValidateCmd(p), newJudgeCmd(p), newReportCmd(p),
		newRecoverCmd(p), newSchemaCmd(p), newVersionCmd(p), newExitCodesTopic(), newHelperCmd(p), newFilesHelperCmd(p),
	)
	return root
}

// newExitCodesTopic is help without a command: `gameday help exit-codes`.
func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "The exit codes and what they mean",
		Long: strings.TrimSpace(`
  0    every check passed, everything undone
  1    a check failed
  2    the input is wrong: a bad file, flag or argument; nothing was touched
  3    inconclusive: something could not be told
  4    cleanup is incomplete: outranks all others; says what is left
  5    refused before anything was touched: limits, window, lock, permission, baseline
  130  interrupted, and undone

With several scenarios the exit code is the worst of theirs: 4, 130, 5, 2, 1, 3, 0.`),
	}
}
