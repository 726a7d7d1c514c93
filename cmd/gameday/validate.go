package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newValidateCmd(p process) *cobra.Command {
	var files input
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check scenario files, offline",
		Long: `Validate reads the files as run would and reports every problem at once, each
with file, line and column. It needs no cluster.`,
		Example: `  gameday validate scenarios/*.yaml
  gameday validate drain.yaml --set namespace=checkout
  generate-scenario | gameday validate -`,
		Args: needFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			loaded, err := files.load(p, args)
			if err != nil {
				return err
			}
			for _, scenario := range loaded {
				if _, err := fmt.Fprintf(p.stdout, "%s: ok\n", scenario.Metadata.Name); err != nil {
					return err
				}
			}
			return nil
		},
	}
	files.addFlags(cmd)
	return cmd
}
