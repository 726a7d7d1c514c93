package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// measureValidate times the whole process, on every scenario of the library.
func measureValidate(ctx context.Context, b *bench, times int) ([]figure, error) {
	files, err := filepath.Glob(filepath.Join(b.root, "scenarios", "library", "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("finding the library's scenarios: %d found: %w", len(files), err)
	}
	var samples []float64
	for range times {
		command := exec.CommandContext(ctx, b.program, append([]string{"validate"}, files...)...)
		began := time.Now()
		if output, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", command, err, output)
		}
		samples = append(samples, float64(time.Since(began).Microseconds())/1000)
	}
	note := fmt.Sprintf("gameday validate of %d files, whole process", len(files))
	return []figure{median("whole process", "ms", 100, samples, note)}, nil
}
