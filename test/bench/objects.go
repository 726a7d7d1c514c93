package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gameday.dev/gameday/test/cluster"
)

const (
	// storeOfObjects is how many objects each side of the large comparison has.
	storeOfObjects = 100_000
	// fewObjects is how many the comparison with kubectl diff has: it takes long.
	fewObjects = 1000
)

// The namespaces that are compared.
const (
	originalNamespace = "bench-original"
	restoredNamespace = "bench-restored"
	fewNamespace      = "bench-few"
)

// measureObjects compares 100,000 objects on three sides: a backup's tarball, what
// was restored, and the original, as the rung objects of veleroRestore does it.
func measureObjects(ctx context.Context, b *bench, times int) ([]figure, error) {
	var figures []figure
	err := withCluster(ctx, "objects", func(c *cluster.Cluster) error {
		crowd, err := newObjectCrowd(c)
		if err != nil {
			return err
		}
		for _, namespace := range []string{originalNamespace, restoredNamespace} {
			if err := crowd.fill(ctx, namespace, storeOfObjects); err != nil {
				return err
			}
		}
		tarball := filepath.Join(b.dir, "backup.tar.gz")
		if err := crowd.backUp(ctx, originalNamespace, tarball); err != nil {
			return err
		}
		var seconds, memory, requests []float64
		var notes []string
		for i := range times {
			found, err := b.compareOnce(ctx, comparing{Kubeconfig: c.Kubeconfig(), Tarball: tarball, Dir: b.dir, Original: originalNamespace, Restored: restoredNamespace})
			if err != nil {
				return err
			}
			if found.Equal < storeOfObjects || found.Losses > 0 { // the namespace has something of its own too
				return fmt.Errorf("the comparison has found something else than it was given: %+v", found)
			}
			note := fmt.Sprintf("%d objects on three sides, %.1fs CPU of the comparison itself, %d API requests", found.Equal, found.CPU, found.Requests)
			progress("objects %d of %d: %.1fs, %s", i+1, times, found.Seconds, note)
			seconds, memory, requests = append(seconds, found.Seconds), append(memory, float64(found.Peak)/1e6), append(requests, float64(found.Requests))
			notes = append(notes, note)
		}
		pages := 2 * float64(storeOfObjects) / 500
		figures = []figure{
			median("comparing 100,000 objects: tarball, restored, live", "s", 60, seconds, notes...),
			median("the same, peak RSS of the process", "MB", 300, memory),
			// A page of each side, the last ones of each resource not full, and discovery.
			median("the same, API requests for each page of 500 objects", "", 1.2, scaled(requests, 1/pages)),
		}
		return nil
	})
	return figures, err
}

func scaled(samples []float64, by float64) []float64 {
	all := make([]float64, len(samples))
	for i, sample := range samples {
		all[i] = sample * by
	}
	return all
}

// measureObjectsDiff holds the comparison of 1,000 objects against kubectl diff of
// the same manifests: whole processes, one after the other.
func measureObjectsDiff(ctx context.Context, b *bench, times int) (figures []figure, err error) {
	err = withCluster(ctx, "objects", func(c *cluster.Cluster) error {
		ratio, err := againstDiff(ctx, b, c, times)
		figures = []figure{ratio}
		return err
	})
	return figures, err
}

func againstDiff(ctx context.Context, b *bench, c *cluster.Cluster, times int) (figure, error) {
	crowd, err := newObjectCrowd(c)
	if err != nil {
		return figure{}, err
	}
	if err := crowd.fill(ctx, fewNamespace, fewObjects); err != nil {
		return figure{}, err
	}
	manifests := filepath.Join(b.dir, "manifests.yaml")
	if err := os.WriteFile(manifests, crowd.manifests(fewNamespace, fewObjects), 0o600); err != nil {
		return figure{}, err
	}
	kubectl, err := c.Program(ctx, "kubectl")
	if err != nil {
		return figure{}, err
	}
	var ratios []float64
	var notes []string
	for range times {
		found, err := b.compareOnce(ctx, comparing{Kubeconfig: c.Kubeconfig(), Manifests: manifests, Restored: fewNamespace})
		if err != nil {
			return figure{}, err
		}
		if found.Equal < fewObjects || found.Losses > 0 {
			return figure{}, fmt.Errorf("the comparison has found something else than it was given: %+v", found)
		}
		command := exec.CommandContext(ctx, kubectl, "diff", "--kubeconfig", c.Kubeconfig(), "-f", manifests)
		began := time.Now()
		if output, err := command.CombinedOutput(); err != nil {
			return figure{}, fmt.Errorf("kubectl diff: %w\n%s", err, output[:min(len(output), 2000)])
		}
		took := time.Since(began).Seconds()
		note := fmt.Sprintf("kubectl diff %.1fs, the comparison %.2fs with its start", took, found.Whole)
		progress("objects: %s", note)
		ratios, notes = append(ratios, took/found.Whole), append(notes, note)
	}
	ratio := median("time of kubectl diff on 1,000 objects against the comparison's", "", 0, ratios, notes...)
	least := 20.0
	ratio.Target, ratio.AtLeast, ratio.Missed = &least, true, ratio.Value < least
	return ratio, nil
}
