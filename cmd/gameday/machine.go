package main

import (
	"os"
	"path/filepath"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// machine is this machine, as far as steps use it for themselves.
func (p process) machine(cluster *kube.Cluster, scratchDir string) (experiments.Machine, error) {
	if scratchDir == "" {
		scratchDir = os.TempDir()
	}
	scratchDir, err := filepath.Abs(scratchDir)
	if err != nil {
		return experiments.Machine{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return experiments.Machine{}, err
	}
	return experiments.Machine{
		Host: p.hostname(), Passing: cluster.Name == kube.InCluster,
		Scratch: scratchDir, Program: []string{program, helperCommand},
	}, nil
}
