package velero

import (
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
		{Namespace: kube.VeleroNamespace, Rule: kube.Rule("", []string{"configmaps"}, "create", "delete")},
		{Rule: kube.Rule("", []string{"namespaces"}, "get", "list", "watch", "create", "delete")},
		{Namespace: s.Into, Rule: kube.Rule("*", []string{"*"}, "get", "list")},
		// Without them it can't be told whether a volume of the scratch namespace is left.
		{Rule: kube.Rule("", []string{"persistentvolumes"}, "get", "list", "watch"), Optional: true},
	}
	for _, namespace := range s.originals() {
		needed = append(needed, kube.Permission{Namespace: namespace, Rule: kube.Rule("*", []string{"*"}, "get", "list")})
	}
	if s.isNew() {
		needed = append(needed,
			kube.Permission{Namespace: kube.VeleroNamespace, Rule: kube.Rule(velero.Group, []string{velero.Backups, velero.DeleteRequests}, own...)},
			kube.Permission{Rule: kube.Rule("", []string{"persistentvolumes"}, "get")})
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
	if s.Probe != nil {
		if s.Probe.Exec != nil {
			needed = append(needed, kube.Permission{Namespace: s.Into, Rule: kube.Rule("", []string{"pods/exec"}, "create", "get")})
		} else {
			needed = append(needed, kube.Permission{Namespace: s.Into, Rule: kube.Rule("", []string{"pods/proxy"}, "get")})
		}
	}
	return needed
}

// originals are the namespaces that may be compared with, as far as the step says.
func (s *Restore) originals() []string {
	if s.Namespace != "" {
		return []string{s.Namespace}
	}
	return s.Backup.Namespaces
}
