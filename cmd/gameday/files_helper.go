package main

import (
	"github.com/spf13/cobra"

	"gameday.dev/gameday/backup/velero/files"
)

// newFilesHelperCmd is for gameday alone: what reader pods run on nodes.
func newFilesHelperCmd(p process) *cobra.Command {
	return &cobra.Command{
		Use:                "files-helper",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if code := files.Main(args, p.stdout, p.stderr); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}
