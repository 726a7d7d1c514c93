package veleroschedules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func seenSchedule(schedule *velerov1.Schedule) scheduleSeen {
	return scheduleSeen{
		Name: schedule.Name, Created: schedule.CreationTimestamp.UTC(), Cron: clip(schedule.Spec.Schedule), Paused: &schedule.Spec.Paused,
		Phase:      cmp.Or(string(schedule.Status.Phase), string(velerov1.SchedulePhaseNew)),
		Why:        clip(strings.Join(schedule.Status.ValidationErrors, "; ")),
		LastBackup: moment(schedule.Status.LastBackup), Location: schedule.Spec.Template.StorageLocation,
	}
}

func seenBackup(backup *velerov1.Backup) backupSeen {
	status := backup.Status
	seen := backupSeen{
		Name: backup.Name, Phase: cmp.Or(string(status.Phase), phaseNew), Generation: backup.Generation,
		Created: backup.CreationTimestamp.UTC(), Started: moment(status.StartTimestamp),
		Completed: moment(status.CompletionTimestamp), Expires: moment(status.Expiration),
		Location: backup.Spec.StorageLocation, Warnings: status.Warnings, Errors: status.Errors,
		Why:        clip(cmp.Or(status.FailureReason, strings.Join(status.ValidationErrors, "; "))),
		Namespaces: clip(strings.Join(backup.Spec.IncludedNamespaces, ", ")), Scope: scopeOf(backup.Spec),
	}
	if backup.DeletionTimestamp != nil {
		seen.Phase = phaseDeleting
	}
	if status.Progress != nil {
		seen.Items = &status.Progress.ItemsBackedUp
	}
	return seen
}

func seenLocation(location *velerov1.BackupStorageLocation) locationSeen {
	every := "default"
	switch frequency := location.Spec.ValidationFrequency; {
	case frequency == nil || frequency.Duration < 0: // as Velero takes it (internal/storage/storagelocation.go)
	case frequency.Duration == 0:
		every = "disabled"
	default:
		every = frequency.Duration.String()
	}
	return locationSeen{
		Name: location.Name, Phase: cmp.Or(string(location.Status.Phase), "none"), Why: clip(location.Status.Message),
		Access:    cmp.Or(string(location.Spec.AccessMode), string(velerov1.BackupStorageLocationAccessModeReadWrite)),
		Validated: moment(location.Status.LastValidationTime), Every: every,
	}
}

// scopeOf is a fingerprint of what a backup was to hold.
func scopeOf(spec velerov1.BackupSpec) string {
	data, err := json.Marshal([]any{
		spec.IncludedNamespaces, spec.ExcludedNamespaces, spec.IncludedResources, spec.ExcludedResources,
		spec.IncludeClusterResources, spec.IncludedClusterScopedResources, spec.ExcludedClusterScopedResources,
		spec.IncludedNamespaceScopedResources, spec.ExcludedNamespaceScopedResources,
		spec.LabelSelector, spec.OrLabelSelectors, spec.ResourcePolicy,
	})
	if err != nil {
		return "" // nothing rests on it but a word to people
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:4])
}

func moment(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// longest is how much of a text from the cluster a record keeps.
const longest = 240

// clip makes one line of a text, and a short one.
func clip(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) <= longest {
		return text
	}
	end := longest
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
