package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/verify/report"
)

func newReportCmd(p process) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Print the report of a run",
		Long: `Report judges the record again and prints it. Unlike judge, it exits 0 whenever
there was something to report.`,
		Example: `  gameday report gameday-runs/pod-kill-20261102-101500-3f2a
  gameday report gameday-runs/pod-kill-20261102-101500-3f2a --format junit > junit.xml`,
		Args: needRun,
		RunE: func(_ *cobra.Command, args []string) error {
			write, err := reportWriter(p, format, args[0])
			if err != nil {
				return err
			}
			result, err := judged(args[0])
			if err != nil {
				return err
			}
			return write(p.stdout, result)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json, yaml or junit")
	return cmd
}

func reportWriter(p process, format, dir string) (func(io.Writer, report.Report) error, error) {
	writers := map[string]func(io.Writer, report.Report) error{
		"json":  report.JSON,
		"yaml":  report.YAML,
		"junit": report.JUnit,
		"text": func(w io.Writer, result report.Report) error {
			return report.Text(w, result, p.textOptions(dir))
		},
	}
	write, ok := writers[format]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(writers)), ", ")
		return nil, inputError(fmt.Errorf("unknown report format %q\nhint: use one of %s", format, known))
	}
	return write, nil
}
