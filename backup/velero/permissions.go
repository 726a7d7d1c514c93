package velero

import (
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	rbacv1 "k8s.io/api/rbac/v1"

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
		{Namespace: kube.VeleroNamespace, Rule: rule(velerov1.SchemeGroupVersion.Group, []string{velero.Restores, velero.DownloadRequests}, own...)},
		{Namespace: kube.VeleroNamespace, Rule: rule(velerov1.SchemeGroupVersion.Group,
			[]string{velero.Backups, velero.Schedules, velero.StorageLocations, velero.VolumeBackups, velero.VolumeRestores}, "get", "list", "watch")},
		{Namespace: kube.VeleroNamespace, Rule: rule("", []string{"configmaps"}, "create", "delete")},
		{Rule: rule("", []string{"namespaces"}, "get", "list", "watch", "create", "delete")},
		{Namespace: s.Into, Rule: rule("*", []string{"*"}, "get", "list")},
		// Without them it can't be told whether a volume of the scratch namespace is left.
		{Rule: rule("", []string{"persistentvolumes"}, "get", "list", "watch"), Optional: true},
	}
	for _, namespace := range s.originals() {
		needed = append(needed, kube.Permission{Namespace: namespace, Rule: rule("*", []string{"*"}, "get", "list")})
	}
	if s.isNew() {
		needed = append(needed,
			kube.Permission{Namespace: kube.VeleroNamespace, Rule: rule(velerov1.SchemeGroupVersion.Group, []string{velero.Backups, velero.DeleteRequests}, own...)},
			kube.Permission{Rule: rule("", []string{"persistentvolumes"}, "get")})
	}
	if s.isolated() {
		needed = append(needed, kube.Permission{Namespace: s.Into, Rule: rule("networking.k8s.io", []string{"networkpolicies"}, "create")})
	}
	if s.limitsSize() {
		needed = append(needed, kube.Permission{Namespace: s.Into, Rule: rule("", []string{"resourcequotas"}, "create")})
	}
	if s.Volumes.Compare {
		needed = append(needed, files.Permissions(experiments.Namespace)...)
	}
	if s.Control {
		needed = append(needed, kube.Permission{Namespace: s.Into, Rule: rule("*", []string{"*"}, "update")})
	}
	if s.Probe != nil {
		if s.Probe.Exec != nil {
			needed = append(needed, kube.Permission{Namespace: s.Into, Rule: rule("", []string{"pods/exec"}, "create", "get")})
		} else {
			needed = append(needed, kube.Permission{Namespace: s.Into, Rule: rule("", []string{"pods/proxy"}, "get")})
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

func rule(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}
