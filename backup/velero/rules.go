package velero

import (
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup/velero/quiesce"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// sources are Velero's files.
const sources = "https://github.com/vmware-tanzu/velero/blob/main/"

// rulesOf are those of a drill: what the run itself makes, what it quiesces, and what
// Velero changes.
func rulesOf(runID string, restore *velerov1.Restore, options quiesce.Options) []objects.Rule {
	return slices.Concat(ownRules(runID), quiesce.Rules(options), veleroRules(restore))
}

// veleroRules expect what Velero itself changes in what it backs up, and in what a
// Restore restores of that.
func veleroRules(restore *velerov1.Restore) []objects.Rule {
	backup := restore.Spec.BackupName
	return slices.Concat(restoreRules(restore.Name, backup), backedUpClaimRules(backup), restoredClaimRules(string(restore.UID)))
}

func restoreRules(restore, backup string) []objects.Rule {
	is := func(name string) func(objects.Case) bool {
		return func(c objects.Case) bool { return c.Found == velero.LabelValue(name) }
	}
	return []objects.Rule{
		{
			Name: "velero: labelled as restored", Kinds: []string{"*"}, Path: "metadata.labels[" + velerov1.RestoreNameLabel + "]", When: is(restore),
			Why: "Velero marks what it restores", Source: sources + "pkg/restore/restore.go",
		},
		{
			Name: "velero: labelled with its backup", Kinds: []string{"*"}, Path: "metadata.labels[" + velerov1.BackupNameLabel + "]", When: is(backup),
			Why: "Velero marks what it restores", Source: sources + "pkg/restore/restore.go",
		},
		{
			Name: "velero: owners are not restored", Kinds: []string{"*"}, Path: "metadata.ownerReferences[*]", What: []string{objects.Missing},
			Why: "the owners have other UIDs; controllers adopt what is theirs", Source: sources + "pkg/restore/restore.go",
		},
		{
			Name: "velero: no generated name", Kinds: []string{"*"}, Path: "metadata.generateName", What: []string{objects.Missing},
			Why: "a restored object has the name it had", Source: sources + "pkg/restore/restore.go",
		},
		{
			Name: "velero: completed pods are not restored", Kinds: []string{"Pod"}, What: []string{objects.Missing},
			When: func(c objects.Case) bool { return podIsOver(c.WantedObject) },
			Why:  "they would run again", Source: sources + "pkg/restore/restore.go",
		},
		{
			Name: "velero: completed jobs are not restored", Kinds: []string{"Job.batch"}, What: []string{objects.Missing}, When: jobIsOver,
			Why: "they would run again", Source: sources + "pkg/restore/restore.go",
		},
		{
			Name: "velero: waits for files", Kinds: []string{"Pod"}, Path: "spec.initContainers[*]", When: isRestoreWait,
			Why: "an init container holds the pod back until its volumes are restored; of a pod that was restored before, there is an old one", Source: sources + "pkg/restore/actions/pod_volume_restore_action.go",
		},
		{
			Name: "velero: a hook's init container", Kinds: []string{"Pod"}, Path: "spec.initContainers[*]", What: []string{objects.Extra}, When: isInitHook,
			Why: "an annotation of the pod asks for it", Source: sources + "internal/hook/item_hook_handler.go",
		},
		{
			Name: "velero: priority is decided anew", Kinds: []string{"Pod"}, Path: "spec.priority",
			Why: "it follows from the priority class", Source: sources + "pkg/restore/actions/pod_action.go",
		},
		// Of references, Velero maps the namespace of subjects. Others are restored as
		// they were, which is right under the original's name: they are noted.
		{
			Name: "velero: references are restored as they were", Kinds: []string{"*"}, Path: "spec", What: []string{objects.Reference},
			Why: "Velero maps the namespace of subjects alone", Source: sources + "pkg/restore/actions/rolebinding_action.go",
		},
		{
			Name: "velero: names of subjects are restored as they were", Kinds: []string{"RoleBinding.rbac.authorization.k8s.io"}, Path: "subjects[*].name", What: []string{objects.Reference},
			Why: "Velero maps the namespace of subjects alone", Source: sources + "pkg/restore/actions/rolebinding_action.go",
		},
	}
}

// The tables of the page are written by the test that compares them.
//go:generate go test . -run TestRulesPage -update

// ownRules expect what this run itself puts into the scratch namespace.
func ownRules(runID string) []objects.Rule {
	return []objects.Rule{{
		Name: "gameday: its own", Kinds: []string{"*"}, What: []string{objects.Extra},
		When: func(c objects.Case) bool {
			return c.FoundObject != nil && c.WantedObject == nil && c.FoundObject.GetLabels()[experiments.LabelRun] == runID
		},
		Why: "the run isolates and bounds the scratch namespace", Source: "docs/experiments/veleroRestore.md#what-is-undone",
	}, {
		Name: "gameday: the run's mark", Kinds: []string{"Namespace"}, Path: "metadata.labels[" + experiments.LabelRun + "]", What: []string{objects.Extra},
		Why: "the run marks what it makes", Source: "docs/experiments/veleroRestore.md#what-is-undone",
	}}
}

// podIsOver is kube.Finished for a pod as the backup has it.
func podIsOver(pod *unstructured.Unstructured) bool {
	phase := textAt(pod.Object, "status", "phase")
	return phase == "Succeeded" || phase == "Failed"
}

func jobIsOver(c objects.Case) bool {
	return textAt(c.WantedObject.Object, "status", "completionTime") != ""
}

// isRestoreWait says that a container is Velero's own on every side that has it.
func isRestoreWait(c objects.Case) bool {
	for _, side := range []any{c.Wanted, c.Found} {
		container, is := side.(map[string]any)
		name, _ := container["name"].(string)
		if is && !velero.IsRestoreWait(name) {
			return false
		}
	}
	return true
}

// isInitHook knows the init container that Velero adds by annotations of a pod. One
// that they do not name gets a name made up.
func isInitHook(c objects.Case) bool {
	container, _ := c.Found.(map[string]any)
	asked := c.WantedObject.GetAnnotations()
	wanted, image := asked[velero.InitHookName], asked[velero.InitHookImage]
	name, _ := container["name"].(string)
	named := name == wanted || wanted == "" && strings.HasPrefix(name, "velero-restore-init-")
	return named && image != "" && container["image"] == image
}
