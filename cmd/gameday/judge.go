package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/scenarios/run"
	"gameday.dev/gameday/verify/report"
)

func newJudgeCmd(p process) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "judge RUN",
		Short: "Judge a run again from its record, without a cluster",
		Long: `Judge reads the journal of a run directory and nothing else: no cluster, no
clock. The exit code is the verdict, as with run.`,
		Example: "  gameday judge gameday-runs/pod-kill-20261102-101500-3f2a",
		Args:    needRun,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := out.valid(); err != nil {
				return err
			}
			result, err := judged(args[0])
			if err != nil {
				return err
			}
			if err := out.report(p, result, args[0]); err != nil {
				return err
			}
			if result.ExitCode != exitPass {
				return &exit{code: result.ExitCode}
			}
			return nil
		},
	}
	out.addFlags(cmd)
	return cmd
}

// judged reads and judges the record of a run directory.
func judged(dir string) (report.Report, error) {
	record, err := journal.Read(dir)
	if err != nil {
		return report.Report{}, inputError(fmt.Errorf("%w\nhint: name a directory that gameday run has made", err))
	}
	result, err := run.Judge(record)
	if err != nil {
		return report.Report{}, inputError(err)
	}
	return result, nil
}

func needRun(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return inputError(fmt.Errorf("%s needs one run directory\nhint: see %s --help", cmd.CommandPath(), cmd.CommandPath()))
	}
	return nil
}
