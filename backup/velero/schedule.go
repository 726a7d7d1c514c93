package velero

import (
	"context"
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/internal/velero"
)

// planSchedule finds the backup of a schedule. One without any is no refusal: that
// there is nothing to restore is what the step is to find.
func (s *Restore) planSchedule(ctx context.Context, env experiments.Env, client velero.Client, own *restorePlan, plan *experiments.Plan) error {
	now, err := kube.ServerTime(ctx, env.Client)
	if err != nil {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("whether backups have expired can't be told: %v", err))
	}
	of, err := s.backupsOf(ctx, client, now)
	if err != nil {
		return err
	}
	if newest := of.newest(); newest != nil {
		own.Synced = newest == of.found
		return s.useBackup(newest, own, plan)
	}
	own.Source = s.Namespace
	plan.Targets = []journal.Target{{Kind: targetBackup, Name: "none of schedule " + s.Backup.Schedule}}
	warning := fmt.Sprintf("schedule %s has no completed backup: the step will fail", s.Backup.Schedule)
	if of.leaving > 0 {
		warning += fmt.Sprintf(" (%d have expired or are being deleted)", of.leaving)
	}
	plan.Warnings = append(plan.Warnings, warning)
	return nil
}

// scheduled are the backups of one schedule that can be restored.
type scheduled struct {
	// own is the newest that this cluster's Velero has made, found the newest that it
	// found in the object store and that may be another cluster's; nil when there is none.
	own, found *velerov1.Backup
	// leaving counts those that have expired or are being deleted.
	leaving int
}

// newest prefers this cluster's own: those of a schedule of the same name elsewhere
// hold something else. Where there are none, as after a disaster, the others are it.
func (o scheduled) newest() *velerov1.Backup {
	if o.own != nil {
		return o.own
	}
	return o.found
}

// backupsOf looks through the schedule's backups; now is zero when nobody knows. That
// the schedule itself is gone does not matter as long as there are backups of it.
func (s *Restore) backupsOf(ctx context.Context, client velero.Client, now time.Time) (scheduled, error) {
	var of scheduled
	bears, err := labels.ValidatedSelectorFromSet(labels.Set{velerov1.ScheduleNameLabel: velero.LabelValue(s.Backup.Schedule)})
	if err != nil {
		return of, fmt.Errorf("looking for backups of schedule %q: %w", s.Backup.Schedule, err)
	}
	schedule, missing := client.Schedule(ctx, s.Backup.Schedule)
	if missing != nil && !apierrors.IsNotFound(missing) {
		return of, missing
	}
	any := false
	err = client.EachBackup(ctx, bears.String(), func(backup *velerov1.Backup) error {
		any = true
		status := backup.Status
		if status.Phase != velerov1.BackupPhaseCompleted || status.StartTimestamp == nil {
			return nil
		}
		if backup.DeletionTimestamp != nil || !now.IsZero() && status.Expiration != nil && !status.Expiration.After(now) {
			of.leaving++
			return nil
		}
		side := &of.own
		if synced(backup) && !velero.IsLastOf(backup.Name, moment(schedule.Status.LastBackup)) {
			side = &of.found
		}
		if *side == nil || status.StartTimestamp.After((*side).Status.StartTimestamp.Time) {
			*side = backup
		}
		return nil
	})
	if err == nil && !any && missing != nil {
		err = refusal.New("list them with: kubectl -n "+client.Namespace+" get schedules.velero.io", "%v", missing)
	}
	return of, err
}

// synced says whether a backup may be another cluster's.
func synced(backup *velerov1.Backup) bool {
	return velero.Synced(backup.Status.Phase, backup.Generation, backup.CreationTimestamp.Time, moment(backup.Status.CompletionTimestamp))
}

func moment(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
