package velero

import (
	"context"
	"errors"
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/velero"
)

// mostProblems bounds what a rung names; how many there were is counted.
const mostProblems = 25

// notGood is a backup or restore that ended in another phase than Completed.
func notGood(what, phase string, reasons []string) backup.Rung {
	found := backup.Broken("%s ended %s", what, phase)
	if len(reasons) > 0 {
		found.Summary = fmt.Sprintf("%s; %s ended %s", reasons[0], what, phase)
	}
	return naming(found, reasons)
}

// naming is a rung that names these problems: as many as it may, and how many there are.
func naming(found backup.Rung, problems []string, hints ...string) backup.Rung {
	found.Problems, found.ProblemCount, found.Hints = capped(problems), int64(len(problems)), hints
	return found
}

func capped(lines []string) []string { return lines[:min(len(lines), mostProblems)] }

// said is what Velero has stored about errors: its results, or, without any, the
// errors in its log.
func (c *climb) said(ctx context.Context, results, log velerov1.DownloadTargetKind, name string) []string {
	read, err := c.results(ctx, results, name)
	if lines := read.Errors.Lines(); err == nil && len(lines) > 0 {
		return lines
	}
	if err != nil && !errors.Is(err, velero.ErrNotStored) {
		return []string{err.Error()}
	}
	reader, err := c.download(ctx, log, name)
	if err != nil {
		if errors.Is(err, velero.ErrNotStored) {
			return nil
		}
		return []string{err.Error()}
	}
	defer reader.Close()
	lines, err := velero.ReadLog(reader, mostProblems)
	if err != nil {
		lines = append(lines, err.Error())
	}
	return lines
}

func (c *climb) results(ctx context.Context, kind velerov1.DownloadTargetKind, name string) (velero.Results, error) {
	reader, err := c.download(ctx, kind, name)
	if err != nil {
		return velero.Results{}, err
	}
	defer reader.Close()
	return velero.ReadResults(reader)
}

func (c *climb) download(ctx context.Context, kind velerov1.DownloadTargetKind, name string) (*velero.Stored, error) {
	c.asked++
	request := fmt.Sprintf("%s-%d", c.plan.Own, c.asked)
	return c.velero.Download(ctx, c.transport, request, c.labels(), velerov1.DownloadTarget{Kind: kind, Name: name})
}

// blame tells a backup that is damaged from one that could not be looked at.
func blame(err error) backup.Rung {
	var damage *contents.Damage
	if errors.As(err, &damage) || errors.Is(err, velero.ErrDamaged) {
		return backup.Broken("%v", err)
	}
	return backup.Unsure("%v", err)
}
