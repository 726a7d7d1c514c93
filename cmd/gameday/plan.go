package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/scenarios/run"
)

func newPlanCmd(p process) *cobra.Command {
	var (
		files input
		where target
		out   output
	)
	cmd := &cobra.Command{
		Use:   "plan FILE...",
		Short: "Say exactly what a run would do, without touching anything",
		Long: `Plan chooses the targets as a run with the same seed would, asks with dry-run
evictions what each PodDisruptionBudget allows, and lists missing permissions,
exceeded limits and alerts that cannot fire in time. Its HTTP transport refuses
every request that could change the cluster.

Exit code 5 means that a run would be refused now.`,
		Example: `  gameday plan drain.yaml --context staging
  gameday plan drain.yaml --set namespace=checkout -o json`,
		Args: needFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.valid(); err != nil {
				return err
			}
			loaded, err := files.loadToRun(p, args)
			if err != nil {
				return err
			}
			_, options, err := where.connect(p, args[0], kube.ReadOnly)
			if err != nil {
				return err
			}
			code := exitPass
			for _, scenario := range loaded {
				options.Scenario = scenario
				options.ID = newRunID(time.Now())
				options.Seed = seedOf(scenario)
				preview := run.Preflight(cmd.Context(), options)
				if err := out.value(p, preview, func(w io.Writer) error { return printPreview(w, preview) }); err != nil {
					return err
				}
				if preview.Refusal() != nil {
					code = exitRefused
				}
			}
			if code != exitPass {
				return &exit{code: code}
			}
			return nil
		},
	}
	files.addFlags(cmd)
	where.addFlags(cmd)
	where.addEndpointFlags(cmd)
	out.addFlags(cmd)
	return cmd
}

// printPreview prints a preview for people.
func printPreview(w io.Writer, preview run.Preview) error {
	page := &page{w: w}
	page.line("%s on %s, seed %d", preview.Scenario, preview.Cluster, preview.Seed)
	for _, step := range preview.Steps {
		page.line("  step %s (%s)", step.Name, step.Experiment)
		for _, target := range step.Targets {
			at := ""
			if target.Node != "" {
				at = " on " + target.Node
			}
			page.line("    %s %s%s", target.Kind, target, at)
		}
		page.lines("    ", step.Notes)
		page.lines("    warning: ", step.Warnings)
	}
	for _, check := range preview.Checks {
		page.line("  check %s", check.Name)
		page.lines("    ", check.Notes)
	}
	if len(preview.Refusals) == 0 {
		page.line("a run would begin")
		return page.err
	}
	page.line("a run would be refused:")
	page.lines("  ", preview.Refusals)
	return page.err
}

// page prints lines and keeps the first error.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) lines(prefix string, lines []string) {
	for _, line := range lines {
		p.line("%s%s", prefix, line)
	}
}
