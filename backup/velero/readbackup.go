package velero

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/velero"
)

// readBackup is the first rung: the backup has ended well, Velero has nothing to
// say against it, and its tarball can be read to the end.
func (c *climb) readBackup(ctx context.Context) backup.Rung {
	if c.plan.Backup == "" {
		return backup.Broken("schedule %s has no completed backup", c.spec.Backup.Schedule)
	}
	if c.plan.New {
		if err := c.takeBackup(ctx); err != nil {
			return backup.Unsure("%v", err)
		}
	}
	var err error
	if c.backup, err = c.velero.WaitBackup(ctx, c.plan.Backup, c.tellBackup()); err != nil {
		if !c.plan.New && apierrors.IsNotFound(err) {
			return backup.Broken("%v", err)
		}
		return backup.Unsure("%v", err)
	}
	c.tellFacts()
	location, err := c.velero.StorageLocation(ctx, c.backup.Spec.StorageLocation)
	if err == nil {
		c.transport, err = velero.Transport(location, c.env.Velero.CAFile)
	}
	// Velero calls no backup with errors Completed; one that says both was altered.
	if status := c.backup.Status; status.Phase != velerov1.BackupPhaseCompleted || status.Errors > 0 {
		return c.notCompleted(ctx, err == nil)
	}
	if apierrors.IsNotFound(err) {
		return backup.Broken("the backup's storage location %s is gone", c.backup.Spec.StorageLocation)
	}
	if err != nil {
		return backup.Unsure("%v", err)
	}
	undated := c.DisasterNow(ctx, c.env.Client)
	found := c.readContents(ctx)
	found.Notes = append(found.Notes, undated...)
	return found
}

// notCompleted says why, the reasons first: what Velero says of itself, what it
// says of each item, and what its log says.
func (c *climb) notCompleted(ctx context.Context, reachable bool) backup.Rung {
	status := c.backup.Status
	reasons := slices.Clone(status.ValidationErrors)
	if status.FailureReason != "" {
		reasons = append(reasons, status.FailureReason)
	}
	if reachable && status.Phase != velerov1.BackupPhaseFailedValidation {
		reasons = append(reasons, c.said(ctx, velerov1.DownloadTargetKindBackupResults, velerov1.DownloadTargetKindBackupLog, c.backup.Name)...)
	}
	how := string(status.Phase)
	if status.Phase == velerov1.BackupPhaseCompleted {
		how = fmt.Sprintf("%s with %d errors", how, status.Errors)
	}
	return notGood("backup "+c.backup.Name, how, reasons)
}

// readContents reads the tarball to its end.
func (c *climb) readContents(ctx context.Context) backup.Rung {
	warnings, err := c.backupWarnings(ctx)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	reader, err := c.download(ctx, velerov1.DownloadTargetKindBackupContents, c.backup.Name)
	if errors.Is(err, velero.ErrNotStored) {
		return backup.Broken("the tarball is gone: %v", err)
	}
	if err != nil {
		return blame(err)
	}
	defer reader.Close()
	tell := backup.NowAndThen(func(n int64) { c.Progress("%d objects of the backup read", n) })
	if c.contents, err = contents.Read(ctx, reader, c.env.Machine.Scratch, c.plan.Source, tell); err != nil {
		return blame(err)
	}
	count := c.contents.Count()
	if count == 0 {
		return backup.Broken("backup %s holds nothing of namespace %s", c.backup.Name, c.plan.Source)
	}
	if err := c.readVolumes(ctx); err != nil {
		return backup.Unsure("%v", err)
	}
	found := backup.Held("%s of %s, %d objects, read to its end", c.backup.Name, ago(c.backup.Status.StartTimestamp), count)
	if len(warnings) > 0 {
		found.Summary += fmt.Sprintf("; Completed with %d warnings", len(warnings))
		// What a warning means shows on the rungs above: a loss is one whether Velero warned of it or not.
		found.Problems = capped(warnings)
	}
	return found
}

// backupWarnings are those that Velero has stored; their number in the phase alone
// would not say what they are about.
func (c *climb) backupWarnings(ctx context.Context) ([]string, error) {
	if c.backup.Status.Warnings == 0 {
		return nil, nil
	}
	results, err := c.results(ctx, velerov1.DownloadTargetKindBackupResults, c.backup.Name)
	if errors.Is(err, velero.ErrNotStored) {
		return []string{fmt.Sprintf("%d warnings, and what they were is not stored any more", c.backup.Status.Warnings)}, nil
	}
	if err == nil {
		err = results.Short(c.backup.Status.Warnings, c.backup.Status.Errors)
	}
	if err != nil {
		return nil, fmt.Errorf("what the warnings of backup %s are can't be told: %w", c.backup.Name, err)
	}
	return results.Warnings.Lines(), nil
}

// tellFacts records what the Backup says of itself.
func (c *climb) tellFacts() {
	status := c.backup.Status
	facts := map[string]string{
		"backup": c.backup.Name, "phase": string(status.Phase), "storageLocation": c.backup.Spec.StorageLocation,
		"warnings": strconv.Itoa(status.Warnings), "errors": strconv.Itoa(status.Errors),
	}
	if schedule := c.backup.Labels[velerov1.ScheduleNameLabel]; schedule != "" {
		facts["schedule"] = schedule
	}
	if version := c.backup.Annotations[velerov1.SourceClusterK8sGitVersionAnnotation]; version != "" {
		facts["kubernetes"] = version
	}
	if c.plan.Synced {
		facts["origin"] = "found in the object store: it may be another cluster's"
	}
	found := backup.Found{Facts: facts}
	if status.StartTimestamp != nil {
		found.At, found.AtSource = status.StartTimestamp.UTC(), "start of backup "+c.backup.Name
	}
	if status.CompletionTimestamp != nil && status.StartTimestamp != nil {
		facts["took"] = status.CompletionTimestamp.Sub(status.StartTimestamp.Time).String()
	}
	c.Found(found)
}

func ago(at *metav1.Time) string {
	if at == nil {
		return "an unknown time"
	}
	return at.UTC().Format(time.RFC3339)
}
