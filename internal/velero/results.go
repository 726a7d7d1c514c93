package velero

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Results are the warnings and errors of a backup or restore, as Velero stores
// them (pkg/util/results/result.go).
type Results struct {
	Warnings Messages `json:"warnings"`
	Errors   Messages `json:"errors"`
}

// Messages are lines by what they concern.
type Messages struct {
	Velero     []string            `json:"velero,omitempty"`
	Cluster    []string            `json:"cluster,omitempty"`
	Namespaces map[string][]string `json:"namespaces,omitempty"`
}

// Lines gives the messages with what each concerns, in a stable order.
func (m Messages) Lines() []string {
	var lines []string
	for _, message := range m.Velero {
		lines = append(lines, "velero: "+oneLine(message))
	}
	for _, message := range m.Cluster {
		lines = append(lines, "cluster: "+oneLine(message))
	}
	for _, namespace := range slices.Sorted(maps.Keys(m.Namespaces)) {
		for _, message := range m.Namespaces[namespace] {
			lines = append(lines, namespace+": "+oneLine(message))
		}
	}
	return lines
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// mostResults bounds what is read of results: with more, they say that all went wrong.
const mostResults = 64 << 20

// ReadResults reads what Download gives for BackupResults and RestoreResults. Velero
// writes both kinds of messages even if there are none: anything else is an error, and
// never taken for nothing to tell.
func ReadResults(reader io.Reader) (Results, error) {
	var stored struct {
		Warnings *Messages `json:"warnings"`
		Errors   *Messages `json:"errors"`
	}
	decoder := json.NewDecoder(io.LimitReader(reader, mostResults))
	if err := decoder.Decode(&stored); err != nil {
		return Results{}, fmt.Errorf("reading results: %w", err)
	}
	if stored.Warnings == nil || stored.Errors == nil {
		return Results{}, errors.New("reading results: they lack warnings or errors")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Results{}, errors.New("reading results: there is more behind them")
	}
	return Results{Warnings: *stored.Warnings, Errors: *stored.Errors}, nil
}

// Short is an error when there are fewer messages than the status of the backup or
// restore counts: what the others were cannot be told. There can be more, since Velero
// stores them before it counts, and may do so twice.
func (r Results) Short(warnings, errors int) error {
	stored := [2]int{len(r.Warnings.Lines()), len(r.Errors.Lines())}
	if stored[0] >= warnings && stored[1] >= errors {
		return nil
	}
	return fmt.Errorf("velero counts %d warnings and %d errors, and has stored %d and %d", warnings, errors, stored[0], stored[1])
}

// ReadLog gives the last lines of a log of Velero's that are errors, at the most
// most of them.
func ReadLog(reader io.Reader, most int) ([]string, error) {
	var lines []string
	scanner := bufio.NewReaderSize(reader, 1<<16)
	for {
		line, err := scanner.ReadString('\n')
		if isError(line) {
			lines = append(lines, strings.TrimSpace(line))
			if len(lines) > most {
				lines = lines[1:]
			}
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, fmt.Errorf("reading log: %w", err)
		}
	}
}

// isError knows both of Velero's log formats, text and json.
func isError(line string) bool {
	return strings.Contains(line, "level=error") || strings.Contains(line, `"level":"error"`) ||
		strings.Contains(line, "level=fatal") || strings.Contains(line, `"level":"fatal"`)
}
