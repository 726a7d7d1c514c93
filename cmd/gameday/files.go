package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/scenarios"
)

// input is the scenario files of a command and their parameters.
type input struct {
	set map[string]string
}

func (in *input) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringToStringVar(&in.set, "set", nil, "set a parameter of the scenario, NAME=VALUE (repeatable)")
}

// load reads the files, "-" being standard input, and every scenario in them.
func (in *input) load(p process, paths []string) ([]scenarios.Scenario, error) {
	var sources []scenarios.Source
	for _, path := range paths {
		source := scenarios.Source{Name: path}
		var err error
		if path == "-" {
			source.Data, err = io.ReadAll(io.LimitReader(p.stdin, scenarios.MaxFileSize+1))
		} else {
			source.Data, err = readBounded(path)
		}
		if err != nil {
			return nil, inputError(fmt.Errorf("reading scenario: %w", err))
		}
		sources = append(sources, source)
	}
	loaded, err := scenarios.Load(sources, in.set)
	if err != nil {
		return nil, inputError(err)
	}
	return loaded, nil
}

// readBounded reads a file no further than the loader accepts: a wrong
// argument like /dev/zero must not eat the memory.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, scenarios.MaxFileSize+1))
}
