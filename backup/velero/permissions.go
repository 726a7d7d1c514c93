package velero

import (
	"gameday.dev/gameday/backup/velero/cleanup"
	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
)

// Permissions lists what the step needs: to use Velero, to make and delete the
// scratch namespace, and to read what is in it and in the original.
func (s *Restore) Permissions() []kube.Permission {
	own := []string{"get", "list", "watch", "create", "delete"}
	needed := []kube.Permission{
		{Namespace: kube.VeleroNamespace, Rule: kube.Rule(velero.Group, []string{velero.Restores, velero.DownloadRequests}, own...)},
		{Namespace: kube.VeleroNamespace, Rule: kube.Rule(velero.Group,
			[]string{velero.Backups, velero.Schedules, velero.StorageLocations, velero.VolumeBackups, velero.VolumeRestores}, "get", "list", "watch")},
		{Namespace: kube.VeleroNamespace, Rule: kube.Rule("", []string{"configmaps"}, "get", "create", "delete")},
		{Rule: kube.Rule("", []string{"namespaces"}, "get", "list", "watch", "create", "delete")},
		reading(s.Into),
		// Without it, it can't be told whether a volume of the scratch namespace is
		// left, nor, of a backup taken now, whether the copy would share one.
		{Rule: kube.Rule("", []string{"persistentvolumes"}, "list", "watch"), Optional: !s.isNew()},
	}
	needed = append(needed, listing()...)
	needed = append(needed, cleanup.SnapshotPermissions()...)
	for _, namespace := range s.originals() {
		needed = append(needed, reading(namespace))
	}
	if s.isNew() {
		needed = append(needed, kube.Permission{
			Namespace: kube.VeleroNamespace, Rule: kube.Rule(velero.Group, []string{velero.Backups, velero.DeleteRequests}, own...),
		})
	}
	if s.isolated() {
		needed = append(needed, kube.Permission{Namespace: s.Into, Rule: kube.Rule("networking.k8s.io", []string{"networkpolicies"}, "create")})
	}
	if s.limitsSize() {
		needed = append(needed, kube.Permission{Namespace: s.Into, Rule: kube.Rule("", []string{"resourcequotas"}, "create")})
	}
	if s.Volumes.Compare {
		needed = append(needed, files.Permissions(experiments.Namespace)...)
	}
	if s.Control {
		needed = append(needed, kube.Permission{Namespace: s.Into, Rule: kube.Rule("*", []string{"*"}, "update")})
	}
	return append(needed, s.Probe.Permissions(s.Into)...)
}

// reading is what a namespace is compared by: any kind may be in it.
func reading(namespace string) kube.Permission {
	return kube.Permission{Namespace: namespace, Rule: kube.Rule("*", []string{"*"}, "get", "list")}
}

// originals are the namespaces that may be compared with, as far as the step says.
func (s *Restore) originals() []string {
	if s.Namespace != "" {
		return []string{s.Namespace}
	}
	return s.Backup.Namespaces
}
