package velerotest

import (
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/internal/velero"
)

// listKinds are all the resources of the cluster, with the kinds of their lists.
func listKinds() map[schema.GroupVersionResource]string {
	kinds := veleroKinds()
	for _, list := range served() {
		for _, resource := range list.APIResources {
			kinds[schema.FromAPIVersionAndKind(list.GroupVersion, "").GroupVersion().WithResource(resource.Name)] = resource.Kind + "List"
		}
	}
	return kinds
}

// veleroKinds are Velero's own resources.
func veleroKinds() map[schema.GroupVersionResource]string {
	kinds := map[schema.GroupVersionResource]string{}
	for resource, kind := range map[string]string{
		velero.Backups: "Backup", velero.Restores: "Restore", velero.Schedules: "Schedule", velero.StorageLocations: "BackupStorageLocation",
		velero.DownloadRequests: "DownloadRequest", velero.DeleteRequests: "DeleteBackupRequest",
		velero.VolumeBackups: "PodVolumeBackup", velero.VolumeRestores: "PodVolumeRestore",
	} {
		kinds[velerov1.SchemeGroupVersion.WithResource(resource)] = kind + "List"
	}
	return kinds
}

// served are the resources of the cluster, but Velero's.
func served() []*metav1.APIResourceList {
	list := func(version string, namespaced bool, resources ...string) *metav1.APIResourceList {
		all := &metav1.APIResourceList{GroupVersion: version}
		for _, resource := range resources {
			name, kind, _ := strings.Cut(resource, " ")
			all.APIResources = append(all.APIResources, metav1.APIResource{
				Name: name, Kind: kind, Namespaced: namespaced, Verbs: metav1.Verbs{"create", "delete", "get", "list", "update", "watch"},
			})
		}
		return all
	}
	core := list("v1", true, "pods Pod", "configmaps ConfigMap", "secrets Secret", "services Service", "persistentvolumeclaims PersistentVolumeClaim", "resourcequotas ResourceQuota",
		"replicationcontrollers ReplicationController")
	core.APIResources = append(core.APIResources, list("v1", false, "namespaces Namespace").APIResources...)
	return []*metav1.APIResourceList{
		core, list("apps/v1", true, "deployments Deployment", "statefulsets StatefulSet", "daemonsets DaemonSet", "replicasets ReplicaSet"), list("batch/v1", true, "jobs Job", "cronjobs CronJob"),
		list("networking.k8s.io/v1", true, "networkpolicies NetworkPolicy"), list("storage.k8s.io/v1", false, "storageclasses StorageClass"),
		list("snapshot.storage.k8s.io/v1", false, "volumesnapshotcontents VolumeSnapshotContent"),
		list("groupsnapshot.storage.k8s.io/v1beta2", false, "volumegroupsnapshotcontents VolumeGroupSnapshotContent"),
	}
}
