package velero

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/quiesce"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/objects"
)

// restore is the second rung: Velero restores the namespace into the scratch
// namespace and has nothing to say against it.
func (c *climb) restore(ctx context.Context) backup.Rung {
	shared, err := c.sharedVolumes()
	if err != nil {
		return backup.Unsure("%v", err)
	}
	if len(shared) > 0 {
		return naming(backup.Broken("not restored: the copy would share %d volumes with the original", len(shared)), shared,
			"mount the claims in running pods, so that their files are backed up, or take snapshots of them")
	}
	outside, err := outside{start: c.spec.Start, files: filesRestored(c.files)}.find(ctx, c.contents)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	if len(outside) > 0 {
		return naming(backup.Unsure("not restored: the copy would act on what is the original's: %s", outside[0]), outside, outsideHint)
	}
	same, err := c.sameFree(ctx)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	if len(same) > 0 {
		return naming(backup.Unsure("not restored: the copy could get %s", same[0]), same,
			"delete the volume, or reserve it for somebody (claimRef), while the drill runs")
	}
	if err := c.prepare(ctx); err != nil {
		return backup.Unsure("%v", err)
	}
	asked := time.Now()
	if err := c.askForRestore(ctx); err != nil {
		return backup.Unsure("%v", err)
	}
	restored, err := c.velero.WaitRestore(ctx, c.plan.Own, c.tellRestore())
	c.restored = restored
	if err != nil {
		return naming(backup.Unsure("%v", err), c.unbound(ctx),
			"the log of Velero's own pod says what it waits for: kubectl -n "+c.plan.Velero+" logs deploy/velero")
	}
	return c.weighRestore(ctx, asked)
}

// prepare makes what the Restore refers to.
func (c *climb) prepare(ctx context.Context) error {
	if err := c.makeScratch(ctx); err != nil {
		return err
	}
	text, err := quiesce.Modifiers(ctx, c.contents, c.quiescing())
	if err != nil {
		return err
	}
	modifiers := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: c.plan.Own, Labels: c.labels()},
		Data:       map[string]string{"modifiers.yaml": text},
	}
	if err := create(ctx, c.env.Client.CoreV1().ConfigMaps(c.plan.Velero).Create, modifiers); err != nil {
		return fmt.Errorf("creating the restore's resource modifiers: %w", err)
	}
	return nil
}

func (c *climb) quiescing() quiesce.Options {
	return quiesce.Options{
		Namespace: c.plan.Source, Start: c.spec.Start,
		Mounts: func(pod string) bool {
			return slices.ContainsFunc(c.volumes, func(v volumeBackup) bool { return v.Pod == pod && v.Lost == "" })
		},
	}
}

func (c *climb) askForRestore(ctx context.Context) error {
	held, err := c.contents.Resources(ctx)
	if err != nil {
		return err
	}
	group := ""
	yes := true
	return c.velero.Create(ctx, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: c.plan.Own, Labels: c.labels()},
		Spec: velerov1.RestoreSpec{
			BackupName:           c.plan.Backup,
			IncludedNamespaces:   []string{c.plan.Source},
			ExcludedResources:    c.spec.excluded(held),
			NamespaceMapping:     map[string]string{c.plan.Source: c.plan.Into},
			RestorePVs:           &yes,
			ItemOperationTimeout: metav1.Duration{Duration: orDefault(c.spec.Timeout, defaultTimeout)},
			// What is there already is left as it is, and said.
			ExistingResourcePolicy: velerov1.PolicyTypeNone,
			ResourceModifier:       &corev1.TypedLocalObjectReference{APIGroup: &group, Kind: "configmap", Name: c.plan.Own},
		},
	})
}

func (c *climb) tellRestore() func(*velerov1.Restore) {
	tell := c.tellPhases("restore")
	return func(r *velerov1.Restore) {
		progress := velerov1.RestoreProgress{}
		if r.Status.Progress != nil {
			progress = *r.Status.Progress
		}
		tell(string(r.Status.Phase), progress.ItemsRestored, progress.TotalItems)
	}
}

// weighRestore reads what Velero says of the restore, warnings too: a phase of
// Completed alone says little.
func (c *climb) weighRestore(ctx context.Context, asked time.Time) backup.Rung {
	status := c.restored.Status
	if status.Phase != velerov1.RestorePhaseCompleted {
		reasons := slices.Clone(status.ValidationErrors)
		if status.FailureReason != "" {
			reasons = append(reasons, status.FailureReason)
		}
		if status.Phase != velerov1.RestorePhaseFailedValidation {
			reasons = append(reasons, c.said(ctx, velerov1.DownloadTargetKindRestoreResults, velerov1.DownloadTargetKindRestoreLog, c.plan.Own)...)
		}
		found := c.notWhole(status.Phase, reasons)
		found.Notes = c.unbound(ctx)
		return found
	}
	results, err := c.results(ctx, velerov1.DownloadTargetKindRestoreResults, c.plan.Own)
	if err != nil {
		if errors.Is(err, velero.ErrNotStored) {
			return backup.Broken("the restore is Completed and its results are gone: %v", err)
		}
		return blame(err)
	}
	if found, complains := c.weighMessages(results); complains {
		return found
	}
	volumes, err := c.velero.VolumeRestores(ctx, c.plan.Own)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	found := backup.Held("%d items into %s", restoredItems(c.restored), c.plan.Into)
	found.Phases = restorePhases(status, asked, volumes)
	for _, phase := range found.Phases {
		found.RecoverySeconds += phase.Seconds
	}
	return found
}

// weighMessages says what is wrong with a restore that is Completed, if anything is.
func (c *climb) weighMessages(results velero.Results) (found backup.Rung, complains bool) {
	unexpected := slices.DeleteFunc(append(results.Errors.Lines(), results.Warnings.Lines()...), c.isUsual)
	if len(unexpected) > 0 {
		return naming(backup.Broken("restore %s is Completed with %d warnings that are not usual", c.plan.Own, len(unexpected)), unexpected), true
	}
	if err := results.Short(c.restored.Status.Warnings, c.restored.Status.Errors); err != nil {
		return backup.Unsure("what is to be said of restore %s can't be told: %v", c.plan.Own, err), true
	}
	return found, false
}

// notWhole is a restore that ended in another phase than Completed.
func (c *climb) notWhole(phase velerov1.RestorePhase, reasons []string) backup.Rung {
	found := notGood("restore "+c.plan.Own, string(phase), reasons)
	at := slices.IndexFunc(reasons, isUnmodified)
	if at < 0 {
		return found
	}
	c.unmodified = true
	if !slices.ContainsFunc(reasons, func(line string) bool { return !isUnmodified(line) }) {
		found.Verdict = verify.Inconclusive // it says nothing of the backup
	}
	found.Summary = "the copy is not held back as it should be, and is removed unseen: " + reasons[at]
	return found
}

// isUnmodified knows that a resource modifier could not be applied: Velero restores
// the object all the same, as it was (internal/resourcemodifiers/resource_modifiers.go,
// applyPatch; pkg/restore/restore.go).
func isUnmodified(line string) bool { return strings.Contains(line, "error in applying patch") }

// alreadyThere is how Velero says that it leaves an object as it is. With a policy for
// existing resources it quotes the name, without one it does not
// (pkg/restore/restore.go, restoreItem).
var alreadyThere = regexp.MustCompile(`^could not restore, (\w+)(?: "([^"]+)"|:(\S+)) already exists\. `)

// isUsual knows the warnings of a clean restore: what a controller has put into the
// scratch namespace before Velero came to it. Whether it is as it was backed up the
// rung of objects tells.
func (c *climb) isUsual(line string) bool {
	message, ours := strings.CutPrefix(line, c.plan.Into+": ")
	parts := alreadyThere.FindStringSubmatch(message)
	return ours && parts != nil && slices.ContainsFunc(objects.ObjectsInEachNamespace(), func(one objects.InEachNamespace) bool {
		return one.Kind == parts[1] && one.Name == parts[2]+parts[3]
	})
}

func restoredItems(restore *velerov1.Restore) int {
	if restore.Status.Progress == nil {
		return 0
	}
	return restore.Status.Progress.ItemsRestored
}

// restorePhases split the time of a restore: until Velero began, for the objects,
// and for the files of volumes, which are restored beside and after them.
func restorePhases(status velerov1.RestoreStatus, asked time.Time, volumes []velerov1.PodVolumeRestore) []backup.Phase {
	total := time.Since(asked)
	if status.StartTimestamp == nil || status.CompletionTimestamp == nil {
		return []backup.Phase{{Name: "restore", Seconds: total.Seconds()}}
	}
	// Both moments are of Velero's clock, in whole seconds.
	took := min(status.CompletionTimestamp.Sub(status.StartTimestamp.Time), total)
	var first, last time.Time
	for _, volume := range volumes {
		began, ended := volume.Status.StartTimestamp, volume.Status.CompletionTimestamp
		if began == nil || ended == nil {
			continue
		}
		if first.IsZero() || began.Time.Before(first) {
			first = began.Time
		}
		if ended.After(last) {
			last = ended.Time
		}
	}
	files := min(last.Sub(first), took)
	phases := []backup.Phase{
		{Name: "wait", Seconds: (total - took).Seconds()},
		{Name: "restore", Seconds: (took - files).Seconds()},
	}
	if !first.IsZero() {
		phases = append(phases, backup.Phase{Name: "volumes", Seconds: files.Seconds()})
	}
	return phases
}
