package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/verify/report"
)

// documentStart keeps the results of several scenarios apart.
const documentStart = "---\n"

// output is how a command prints its result.
type output struct{ format string }

func (o *output) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.format, "output", "o", "text", "format of the result: text, json or yaml")
}

func (o *output) valid() error {
	if formats := []string{"text", "json", "yaml"}; !slices.Contains(formats, o.format) {
		return inputError(fmt.Errorf("unknown output format %q\nhint: use one of %s", o.format, strings.Join(formats, ", ")))
	}
	return nil
}

// report prints the report of a run.
func (o *output) report(p process, result report.Report, dir string) error {
	switch o.format {
	case "json":
		return report.JSON(p.stdout, result)
	case "yaml":
		if _, err := io.WriteString(p.stdout, documentStart); err != nil {
			return err
		}
		return report.YAML(p.stdout, result)
	default:
		return report.Text(p.stdout, result, p.textOptions(dir))
	}
}

// textOptions fit a report to where it is printed: a terminal has colour and a
// width, a file has neither.
func (p process) textOptions(dir string) report.Options {
	options := report.Options{Color: p.color(p.stdoutTerminal), RunDir: dir}
	if p.stdoutTerminal {
		options.Width = p.terminalWidth()
	}
	return options
}

// value prints any other result; text prints it for people.
func (o *output) value(p process, result any, text func(io.Writer) error) error {
	switch o.format {
	case "json":
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	case "yaml":
		data, err := yaml.Marshal(result)
		if err != nil {
			return fmt.Errorf("encoding result: %w", err)
		}
		_, err = p.stdout.Write(append([]byte(documentStart), data...))
		return err
	default:
		return text(p.stdout)
	}
}
