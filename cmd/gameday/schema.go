package main

import (
	"github.com/spf13/cobra"

	"gameday.dev/gameday/scenarios"
)

func newSchemaCmd(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the files, for editors",
		Example: `  gameday schema > gameday.schema.json
  # then, as the first line of a scenario:
  # yaml-language-server: $schema=gameday.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := scenarios.Schema()
			if err != nil {
				return err
			}
			_, err = p.stdout.Write(schema)
			return err
		},
	}
}
