package velero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// Velero's actions, which change what they back up and restore.
const (
	backupClaim     = sources + "pkg/backup/actions/backup_pv_action.go"
	backupCSI       = sources + "pkg/backup/actions/csi/pvc_action.go"
	restoreClaim    = sources + "pkg/restore/actions/pvc_action.go"
	restoreCSI      = sources + "pkg/restore/actions/csi/pvc_action.go"
	restoreSnapshot = sources + "pkg/restore/actions/csi/volumesnapshot_action.go"
)

// The marks that they leave.
const (
	mustInclude  = velerov1.MustIncludeAdditionalItemAnnotation
	snapshotName = velerov1.VolumeSnapshotLabel // a label and an annotation
	uploadName   = velerov1.DataUploadNameAnnotation
)

const snapshotGroup = "snapshot.storage.k8s.io"

// backedUpClaimRules expect what Velero changes in a claim before it writes it
// into the backup: the living claim, at the same resourceVersion, is another.
func backedUpClaimRules(backup string) []objects.Rule {
	claim, backedUp := []string{"PersistentVolumeClaim"}, []string{objects.BackupAltered, objects.Moved}
	rules := []objects.Rule{
		{
			Name: "velero: selector of a bound claim", Path: "spec.selector",
			When: func(c objects.Case) bool { return takenOffBound(c) && !hasNoClass(c.WantedObject) },
			Why:  "it would keep the restored claim from being given a volume", Source: backupClaim,
		},
		{
			Name: "velero: selector of a bound claim", Path: "spec.selector.matchLabels[velero.io/*]",
			When: func(c objects.Case) bool { return takenOffBound(c) && hasNoClass(c.WantedObject) },
			Why:  "an earlier restore has put it there", Source: backupClaim,
		},
		{
			Name: "velero: size of a CSI snapshot", Path: "spec.resources.requests.storage",
			When: func(c objects.Case) bool { return hasSnapshot(c.WantedObject) && larger(c.Wanted, c.Found) },
			Why:  "the claim asks for as much as its snapshot needs", Source: backupCSI,
		},
	}
	for _, field := range []string{"dataSource", "dataSourceRef"} {
		rules = append(rules, objects.Rule{
			Name: "velero: source of a bound claim", Path: "spec." + field, When: takenOffBound,
			Why: "what it was made from is in its volume", Source: backupClaim,
		})
	}
	for _, label := range []string{velerov1.RestoreNameLabel, velerov1.BackupNameLabel, snapshotName, mustInclude} {
		rules = append(rules, objects.Rule{
			Name: "velero: labels of earlier backups and restores", Path: "metadata.labels[" + label + "]",
			When: func(c objects.Case) bool { return takenOffBound(c) && c.Found != backup },
			Why:  "Velero takes its own old ones off", Source: backupClaim,
		})
	}
	marks := map[string]func(objects.Case) bool{
		"labels[" + velerov1.BackupNameLabel + "]": func(c objects.Case) bool { return c.Wanted == backup },
		"labels[" + snapshotName + "]":             func(c objects.Case) bool { return c.Wanted == snapshotOf(c.WantedObject) },
		"annotations[" + snapshotName + "]":        func(c objects.Case) bool { return c.WantedObject.GetLabels()[snapshotName] == c.Wanted },
		"annotations[" + uploadName + "]":          func(c objects.Case) bool { return c.Wanted != nil },
	}
	for _, path := range slices.Sorted(maps.Keys(marks)) {
		is := marks[path]
		rules = append(rules, objects.Rule{
			Name: "velero: marks of a CSI snapshot", Path: "metadata." + path,
			When: func(c objects.Case) bool { return hasSnapshot(c.WantedObject) && is(c) },
			Why:  "a restore finds the snapshot by them", Source: backupCSI,
		})
	}
	for i := range rules {
		rules[i].Kinds, rules[i].What = claim, backedUp
	}
	for _, note := range []string{mustInclude, velerov1.SkippedNoCSIPVAnnotation} {
		rules = append(rules, objects.Rule{
			Name: "velero: words to itself", Kinds: append(snapshotKinds(), claim...), Path: "metadata.annotations[" + note + "]", What: backedUp,
			When: func(c objects.Case) bool { return c.Wanted == "true" },
			Why:  "one part of Velero tells another, which does not take it off", Source: sources + "pkg/backup/item_backupper.go",
		})
	}
	return append(rules,
		objects.Rule{
			Name: "velero: snapshots of its own", Kinds: snapshotKinds(), What: []string{objects.Gone},
			When: func(c objects.Case) bool {
				return c.WantedObject.GetLabels()[velerov1.BackupNameLabel] == velero.LabelValue(backup)
			},
			Why: "Velero removes what a backup has made when it is complete", Source: sources + "pkg/util/csi/volume_snapshot.go",
		})
}

// restoredClaimRules expect how Velero gives a claim its volume back from a CSI
// snapshot, or by its data mover. uid is the Restore's.
func restoredClaimRules(uid string) []objects.Rule {
	claim := []string{"PersistentVolumeClaim"}
	snapshot := []string{"VolumeSnapshot." + snapshotGroup}
	fromSnapshot := func(c objects.Case) bool {
		source, _ := c.Found.(map[string]any)
		return hasSnapshot(c.WantedObject) && source["kind"] == "VolumeSnapshot" && source["name"] == restoredName(uid, snapshotOf(c.WantedObject))
	}
	renamed := func(c objects.Case) bool {
		return c.FoundObject.GetName() == restoredName(uid, c.WantedObject.GetName())
	}
	rules := []objects.Rule{
		{
			Name: "velero: as large as its snapshot", Kinds: claim, Path: "spec.resources.requests.storage", What: []string{objects.Changed},
			When: func(c objects.Case) bool { return hasSnapshot(c.WantedObject) && larger(c.Found, c.Wanted) },
			Why:  "the claim asks for as much as its snapshot needs; Velero before 1.17", Source: restoreCSI,
		},
		{
			Name: "velero: filled by the data mover", Kinds: claim, Path: "spec.selector.matchLabels[" + velerov1.DynamicPVRestoreLabel + "]", What: []string{objects.Extra}, When: isDynamicVolume,
			Why: "it keeps the claim waiting until its volume is filled", Source: restoreCSI,
		},
		{
			Name: "velero: a snapshot under another name", Kinds: snapshot, Path: "metadata.name", What: []string{objects.Changed}, When: renamed,
			Why: "one backup can be restored many times into a namespace", Source: restoreSnapshot,
		},
		{
			Name: "velero: a snapshot under another name", Kinds: snapshot, Path: "spec.source.persistentVolumeClaimName", What: []string{objects.Missing}, When: renamed,
			Why: "it has its content from the backup, and takes no other", Source: restoreSnapshot,
		},
		{
			Name: "velero: a snapshot under another name", Kinds: snapshot, Path: "spec.source.volumeSnapshotContentName",
			When: func(c objects.Case) bool { return renamed(c) && c.Found == c.FoundObject.GetName() },
			Why:  "it has its content from the backup", Source: restoreSnapshot,
		},
		{
			Name: "velero: a snapshot under another name", Kinds: snapshot, Path: "spec.volumeSnapshotClassName", What: []string{objects.Missing}, When: renamed,
			Why: "there may be no such class where it is restored", Source: restoreSnapshot,
		},
		{
			Name: "velero: a snapshot under another name", Kinds: snapshot, Path: "metadata.annotations[" + velerov1.VSCDeletionPolicyAnnotation + "]",
			When: func(c objects.Case) bool { return renamed(c) && c.Found == "Retain" },
			Why:  "the backup's snapshot must outlive it", Source: restoreSnapshot,
		},
	}
	for _, field := range []string{"dataSource", "dataSourceRef"} {
		rules = append(rules, objects.Rule{
			Name: "velero: filled from a snapshot", Kinds: claim, Path: "spec." + field, What: []string{objects.Extra}, When: fromSnapshot,
			Why: "the volume is made from the snapshot of the backup", Source: restoreCSI,
		})
	}
	for _, note := range []string{snapshotName, uploadName} {
		rules = append(rules, objects.Rule{
			Name: "velero: marks that a restore takes off", Kinds: claim, Path: "metadata.annotations[" + note + "]", What: []string{objects.Missing},
			Why: "they were for the restore", Source: restoreClaim,
		})
	}
	return rules
}

func snapshotKinds() []string {
	return []string{"VolumeSnapshot." + snapshotGroup, "VolumeSnapshotContent." + snapshotGroup, "VolumeSnapshotClass." + snapshotGroup}
}

// takenOffBound says that the backup lacks a value of a claim that was bound.
func takenOffBound(c objects.Case) bool {
	claim := c.WantedObject.Object
	return c.Wanted == nil && textAt(claim, "status", "phase") == "Bound" && textAt(claim, "spec", "volumeName") != ""
}

// hasNoClass says that a claim wants no storage class, not even the default one.
func hasNoClass(claim *unstructured.Unstructured) bool {
	class, there, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
	return there && class == ""
}

// snapshotOf names the VolumeSnapshot that a backup has taken of a claim.
func snapshotOf(claim *unstructured.Unstructured) string { return claim.GetAnnotations()[snapshotName] }

func hasSnapshot(claim *unstructured.Unstructured) bool { return snapshotOf(claim) != "" }

// larger says that one quantity is more than another.
func larger(one, other any) bool {
	x, _ := one.(string)
	y, _ := other.(string)
	p, err := kube.Quantity(x)
	if err != nil {
		return false
	}
	q, err := kube.Quantity(y)
	return err == nil && p.Cmp(q) > 0
}

// isDynamicVolume says that the selector is the data mover's: the namespace and the
// name of the claim and a random end, of which a long one keeps the first 57
// characters (velero.LabelValue).
func isDynamicVolume(c objects.Case) bool {
	value, _ := c.Found.(string)
	named := c.FoundObject.GetNamespace() + "." + c.FoundObject.GetName() + "."
	return c.WantedObject.GetAnnotations()[uploadName] != "" && strings.HasPrefix(value, named[:min(len(named), 57)])
}

// restoredName is what Velero calls a VolumeSnapshot when it restores it
// (pkg/util/util.go, GenerateSha256FromRestoreUIDAndVsName).
func restoredName(uid, name string) string {
	sum := sha256.Sum256([]byte(uid + "/" + name))
	return hex.EncodeToString(sum[:])
}

// snapshotNames leads from the names that VolumeSnapshots of a backup are restored
// under to their own. One that Velero has neither made nor restored before is called
// by its name in manifests: it is not among them, and is lost under it.
func snapshotNames(ctx context.Context, backup objects.Set, uid string) (map[string]string, error) {
	names := map[string]string{}
	for snapshot, err := range backup.Objects(ctx, objects.Resource{Group: snapshotGroup, Version: "v1", Name: "volumesnapshots", Kind: "VolumeSnapshot", Namespaced: true}) {
		if err != nil {
			return nil, err
		}
		if snapshot.GetLabels()[velerov1.BackupNameLabel] != "" {
			names[restoredName(uid, snapshot.GetName())] = snapshot.GetName()
		}
	}
	return names, nil
}

// ofSnapshots is objects.Comparison.Names for the names of VolumeSnapshots.
func ofSnapshots(names map[string]string) func(objects.Resource) map[string]string {
	return func(resource objects.Resource) map[string]string {
		if resource.Group == snapshotGroup && resource.Name == "volumesnapshots" {
			return names
		}
		return nil
	}
}
