package velero

import (
	"context"
	"fmt"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/internal/velero"
)

// restorePlan is what Inject and Undo need to know. Every name in it is of this
// run and step alone.
type restorePlan struct {
	// Velero is the namespace of Velero.
	Velero string `json:"velero"`
	// Source is the original namespace, Into the scratch namespace.
	Source string `json:"source"`
	Into   string `json:"into"`
	// Backup is restored; it is taken by the step, and so deleted by it, when New.
	// It is empty when a schedule has no backup that could be restored.
	Backup string `json:"backup"`
	New    bool   `json:"new,omitempty"`
	// Synced says that the backup was found in the object store and may be another cluster's.
	Synced bool `json:"synced,omitempty"`
	// Own names what the step makes in Velero's namespace: the backup if it is New,
	// the Restore, the ConfigMap of modifiers, and, with a suffix, DownloadRequests.
	Own string `json:"own"`
	// Location is the BackupStorageLocation.
	Location string `json:"location"`
	// CleanupSeconds is how long deleting the scratch namespace may take.
	CleanupSeconds float64 `json:"cleanupSeconds"`
	// Readers says that the step compares files, by pods that read them.
	Readers bool `json:"readers,omitempty"`
	// Seed decides which object the control changes.
	Seed uint64 `json:"seed"`
}

// ownPrefix begins the names that a run gives in Velero's namespace.
func ownPrefix(runID string) string { return "gameday-" + runID + "-" }

func (p restorePlan) client(env experiments.Env) velero.Client {
	return velero.Client{Dynamic: env.Dynamic, Namespace: p.Velero}
}

// The kinds of targets.
const (
	targetBackup    = "VeleroBackup"
	targetNamespace = "ScratchNamespace"
)

// Plan refuses what could only end badly: a scratch namespace that is somebody's,
// a backup that is not there, a volume that the copy would share with the original.
func (s *Restore) Plan(ctx context.Context, env experiments.Env) (experiments.Plan, error) {
	var plan experiments.Plan
	own := restorePlan{
		Velero: env.Velero.Namespace, Into: s.Into, New: s.isNew(), Own: fmt.Sprintf("%s%04x", ownPrefix(env.RunID), env.Rand.Uint32()&0xffff),
		CleanupSeconds: orDefault(s.CleanupTimeout, defaultCleanupTimeout).Seconds(), Readers: s.Volumes.Compare, Seed: env.Rand.Uint64(),
	}
	if err := backup.WritableDirectory(env.Machine.Scratch); err != nil {
		return plan, err
	}
	client := own.client(env)
	if err := s.planBackup(ctx, env, client, &own, &plan); err != nil {
		return plan, err
	}
	if own.Into == own.Source {
		return plan, refusal.New("name another namespace in into", "into %q is the original: a drill restores beside it", own.Into)
	}
	if err := s.planReading(ctx, env, own.Source); err != nil {
		return plan, err
	}
	if err := s.planInto(ctx, env); err != nil {
		return plan, err
	}
	if err := s.planExclude(env.Client.Discovery(), &plan); err != nil {
		return plan, err
	}
	if err := planLocation(ctx, env, client, own.Location, &plan); err != nil {
		return plan, err
	}
	if err := s.planVolumes(ctx, env, own, &plan); err != nil {
		return plan, err
	}
	if err := s.planOutside(ctx, env, own); err != nil {
		return plan, err
	}
	plan.Targets = append(plan.Targets, journal.Target{Kind: targetNamespace, Name: own.Into})
	if s.isolated() {
		plan.Notes = append(plan.Notes, "a NetworkPolicy isolates "+own.Into+": whether it is enforced is the network plugin's")
	}
	return plan, plan.SetData(own)
}

// planBackup finds the backup and the namespace that is restored.
func (s *Restore) planBackup(ctx context.Context, env experiments.Env, client velero.Client, own *restorePlan, plan *experiments.Plan) error {
	switch {
	case s.isNew():
		own.Backup, own.Source, own.Location = own.Own, s.source(s.Backup.Namespaces), s.Backup.StorageLocation
		plan.Targets = []journal.Target{{Kind: targetBackup, Name: "a backup taken now"}}
		plan.Notes = append(plan.Notes, fmt.Sprintf("backs up %s, restores %s into %s, and deletes both again", strings.Join(s.Backup.Namespaces, ", "), own.Source, own.Into))
		if own.Location == "" {
			var err error
			own.Location, err = defaultLocation(ctx, client)
			return err
		}
		return nil
	case s.Backup.Name != "":
		backup, err := client.Backup(ctx, s.Backup.Name)
		if apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			return refusal.New("list them with: kubectl -n "+client.Namespace+" get backups.velero.io", "%v", err)
		}
		if err != nil {
			return err
		}
		own.Synced = synced(backup)
		return s.useBackup(backup, own, plan)
	default:
		return s.planSchedule(ctx, env, client, own, plan)
	}
}

// source is the namespace that is restored, of those in a backup.
func (s *Restore) source(namespaces []string) string {
	if s.Namespace != "" || len(namespaces) != 1 || namespaces[0] == "*" {
		return s.Namespace
	}
	return namespaces[0]
}

func (s *Restore) useBackup(backup *velerov1.Backup, own *restorePlan, plan *experiments.Plan) error {
	own.Backup, own.Location = backup.Name, backup.Spec.StorageLocation
	if own.Source = s.source(backup.Spec.IncludedNamespaces); own.Source == "" {
		return refusal.New("set namespace in the step", "backup %s holds more than one namespace: which one is to be restored is not said", backup.Name)
	}
	if included := backup.Spec.IncludedNamespaces; len(included) > 0 && !slices.Contains(included, own.Source) && !slices.ContainsFunc(included, isPattern) {
		return refusal.New("it holds "+strings.Join(included, ", "), "backup %s does not hold namespace %s", backup.Name, own.Source)
	}
	plan.Targets = []journal.Target{{Kind: targetBackup, Namespace: backup.Namespace, Name: backup.Name, UID: string(backup.UID)}}
	plan.Notes = append(plan.Notes, fmt.Sprintf("restores %s of backup %s (%s) into %s, and deletes that again", own.Source, backup.Name, backup.Status.Phase, own.Into))
	if own.Synced {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("Velero found backup %s in the object store: it may be another cluster's, and is compared with this cluster's %s", backup.Name, own.Source))
	}
	return nil
}

func isPattern(namespace string) bool { return strings.ContainsAny(namespace, "*?[") }

func defaultLocation(ctx context.Context, client velero.Client) (string, error) {
	const hint = "is Velero installed there? set velero.namespace in the Environment, or --velero-namespace"
	name := "default" // the server's own default of --default-backup-storage-location
	any := false
	err := client.EachStorageLocation(ctx, func(location *velerov1.BackupStorageLocation) error {
		any = true
		if location.Spec.Default {
			name = location.Name
		}
		return nil
	})
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return "", refusal.New(hint, "%v", err)
	}
	if err == nil && !any {
		return "", refusal.New(hint, "namespace %s has no backup storage location", client.Namespace)
	}
	return name, err
}

// planLocation tells of a storage location that cannot be used now. That is no
// refusal: a backup that cannot be restored is what the step is to find.
func planLocation(ctx context.Context, env experiments.Env, client velero.Client, name string, plan *experiments.Plan) error {
	if name == "" {
		return nil
	}
	location, err := client.StorageLocation(ctx, name)
	switch {
	case apierrors.IsNotFound(err):
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("backup storage location %s is not there: the step will fail", name))
		return nil
	case err != nil:
		return err
	case location.Status.Phase != velerov1.BackupStorageLocationPhaseAvailable:
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("backup storage location %s is %s %s: the step will fail", name, orUnknown(string(location.Status.Phase)), location.Status.Message))
	}
	if store := location.Spec.ObjectStorage; store != nil && store.CACertRef != nil && env.Velero.CAFile == "" {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("backup storage location %s has its authority in Secret %s, which is not read: unless this machine trusts it, set velero.caFile in the Environment, or --velero-ca-file", name, store.CACertRef.Name))
	}
	return nil
}

func orUnknown(phase string) string {
	if phase == "" {
		return "not validated"
	}
	return phase
}

// planReading refuses a user who may not read the original, where Permissions could
// not list that: only the backup says which namespace it is.
func (s *Restore) planReading(ctx context.Context, env experiments.Env, source string) error {
	if source == "" || len(s.originals()) > 0 {
		return nil
	}
	missing, err := kube.Missing(ctx, env.Client, []kube.Permission{reading(source)})
	if err != nil || len(missing) == 0 {
		return err
	}
	return refusal.New("ask for a Role that allows it", "this user may not: %s", joined(missing))
}

func joined(accesses []kube.Access) string {
	var words []string
	for _, access := range accesses {
		words = append(words, access.String())
	}
	return strings.Join(words, "; ")
}

// planInto refuses a namespace that is there: whatever is in it is somebody's.
func (s *Restore) planInto(ctx context.Context, env experiments.Env) error {
	_, err := env.Client.CoreV1().Namespaces().Get(ctx, s.Into, metav1.GetOptions{})
	switch {
	case err == nil:
		return refusal.New("name another one in into, or delete it: kubectl delete namespace "+s.Into,
			"namespace %s is there already: a drill restores into one that it makes, and deletes it", s.Into)
	case apierrors.IsNotFound(err):
		return nil
	default:
		return fmt.Errorf("looking for namespace %s: %w", s.Into, err)
	}
}

func (s *Restore) filesystemBackups() bool {
	return s.Backup.DefaultVolumesToFsBackup == nil || *s.Backup.DefaultVolumesToFsBackup
}
