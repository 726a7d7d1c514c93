// Package library holds the scenarios that are shipped with gameday. Each file
// says at its top what a pass proves; their defaults fit the sample shop.
package library

import (
	"embed"
	"fmt"

	"gameday.dev/gameday/scenarios"
)

//go:embed *.yaml
var files embed.FS

// All gives every scenario file, sorted by name, ready for scenarios.Load.
func All() ([]scenarios.Source, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("listing library: %w", err)
	}
	sources := make([]scenarios.Source, 0, len(entries))
	for _, entry := range entries {
		data, err := files.ReadFile(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading library: %w", err)
		}
		sources = append(sources, scenarios.Source{Name: entry.Name(), Data: data})
	}
	return sources, nil
}
