package main

import (
	"errors"
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

// loadToRun is load for commands that mean to run: a file with no other fault
// than that it goes past its own limits is refused, not malformed.
func (in *input) loadToRun(p process, paths []string) ([]scenarios.Scenario, error) {
	loaded, err := in.load(p, paths)
	var problems *scenarios.LoadError
	if errors.As(err, &problems) && problems.PastLimits() {
		return nil, refusedError(problems)
	}
	return loaded, err
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
