package velero

import (
	"context"
	"fmt"
	"slices"
	"strings"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify/objects"
)

// outside finds by what pods of a copy would act on what is not the copy's: volumes
// that a pod names by their server or device, which are the original's too, and, once
// it is started, its node. A claim is none, since the copy has claims of its own.
type outside struct {
	start bool
	// files says whether files are restored into a volume of a pod.
	files func(pod *unstructured.Unstructured, volume string) bool
}

const outsideHint = "leave such volumes out of the backup by the pods' annotation " + velerov1.VolumesToExcludeAnnotation + ", give them a claim, or do without start"

// planOutside refuses a backup whose restore would act on the original. One that is
// there already is read first, and then not restored.
func (s *Restore) planOutside(ctx context.Context, env experiments.Env, own restorePlan) error {
	if !own.New {
		return nil
	}
	living := objects.Listed{Client: env.Dynamic, Namespaces: []string{own.Source}}
	found, err := outside{start: s.Start, files: filesTaken(s.filesystemBackups())}.find(ctx, living)
	if err != nil {
		return fmt.Errorf("looking for what pods of namespace %s share: %w", own.Source, err)
	}
	if len(found) > 0 {
		return refusal.New(outsideHint, "the copy would act on what is the original's: %s", strings.Join(capped(found), "; "))
	}
	return nil
}

// find looks through the pods of a set and, if they are to be started, those that
// its workloads will make. Each line names one reason.
func (o outside) find(ctx context.Context, in objects.Set) ([]string, error) {
	var all []string
	for _, kind := range podMakers() {
		isPod := kind.resource == contents.Pods()
		if !isPod && !o.start {
			continue // without replicas, it makes none
		}
		for object, err := range in.Objects(ctx, kind.resource) {
			if err != nil {
				return nil, err
			}
			if isPod && podIsOver(object) {
				continue // it is not restored
			}
			spec, _, err := unstructured.NestedMap(object.Object, kind.spec...)
			if err != nil {
				return nil, fmt.Errorf("reading %s %s: %w", kind.resource.Kind, object.GetName(), err)
			}
			files := func(volume string) bool { return isPod && o.files(object, volume) }
			for _, why := range o.ofPod(spec, files) {
				all = append(all, fmt.Sprintf("%s %s: %s", kind.resource.Kind, object.GetName(), why))
			}
		}
	}
	return all, nil
}

// podMaker is a kind that is a pod, or makes some, and where it has their PodSpec.
type podMaker struct {
	resource objects.Resource
	spec     []string
}

func podMakers() []podMaker {
	template := []string{"spec", "template", "spec"}
	return []podMaker{
		{contents.Pods(), []string{"spec"}},
		{ofKubernetes("apps", "deployments", "Deployment"), template},
		{ofKubernetes("apps", "statefulsets", "StatefulSet"), template},
		{ofKubernetes("apps", "daemonsets", "DaemonSet"), template},
		{ofKubernetes("apps", "replicasets", "ReplicaSet"), template},
		{ofKubernetes("", "replicationcontrollers", "ReplicationController"), template},
		{jobResource(), template},
		{ofKubernetes("batch", "cronjobs", "CronJob"), append([]string{"spec", "jobTemplate"}, template...)},
	}
}

func (o outside) ofPod(spec map[string]any, files func(volume string) bool) []string {
	var all []string
	volumes, _, _ := unstructured.NestedSlice(spec, "volumes")
	for _, volume := range volumes {
		volume, _ := volume.(map[string]any)
		name, _ := volume["name"].(string)
		kind := volumeKind(volume)
		switch {
		case slices.Contains(ownVolumes(), kind), kind == "csi" && slices.Contains(ownDrivers(), textAt(volume, "csi", "driver")):
		case files(name):
			all = append(all, fmt.Sprintf("its files would be restored into the original's volume %s (%s)", name, kind))
		case o.start:
			all = append(all, fmt.Sprintf("started, it would write to the original's volume %s (%s)", name, kind))
		case !slices.Contains(sharedFiles(), kind):
			all = append(all, fmt.Sprintf("it would mount the original's volume %s (%s) a second time", name, kind))
		}
	}
	if hostNetwork, _, _ := unstructured.NestedBool(spec, "hostNetwork"); hostNetwork && o.start {
		all = append(all, "started, it would be on the network of its node (hostNetwork), where no NetworkPolicy holds it")
	} else if port := hostPort(spec); port != 0 && o.start {
		all = append(all, fmt.Sprintf("started, it would listen on port %d of its node (hostPort), as the original does", port))
	}
	return all
}

// hostPort is the first port of its node that a pod listens on; 0 for none. Of init
// containers only those that go on running get theirs (KEP-753, sidecar containers);
// one that another has is worth the same question.
func hostPort(spec map[string]any) int64 {
	containers, _, _ := unstructured.NestedSlice(spec, "containers")
	inits, _, _ := unstructured.NestedSlice(spec, "initContainers")
	for _, container := range append(containers, inits...) {
		container, _ := container.(map[string]any)
		ports, _, _ := unstructured.NestedSlice(container, "ports")
		for _, port := range ports {
			port, _ := port.(map[string]any)
			if number, _, _ := unstructured.NestedInt64(port, "hostPort"); number != 0 {
				return number
			}
		}
	}
	return 0
}

// volumeKind is what a volume of a pod is: the only other key beside its name.
func volumeKind(volume map[string]any) string {
	for key := range volume {
		if key != "name" {
			return key
		}
	}
	return "emptyDir" // a volume without a source is one
}

// ownVolumes are kinds of which each pod has its own, or which hold nothing that a
// pod could write for others to see.
func ownVolumes() []string {
	return []string{"persistentVolumeClaim", "ephemeral", "emptyDir", "configMap", "secret", "projected", "downwardAPI", "image", "gitRepo"}
}

// ownDrivers are CSI drivers that make a volume for each pod and know no other
// (volumeLifecycleModes of their CSIDriver: Ephemeral). Others, such as nfs.csi.k8s.io,
// mount for a pod what it names.
func ownDrivers() []string {
	return []string{"csi.cert-manager.io", "spiffe.csi.cert-manager.io", "csi.spiffe.io", "secrets-store.csi.k8s.io"}
}

// sharedFiles are kinds that any number of pods may mount: that alone changes
// nothing. The others are devices, whose file system two nodes would destroy.
func sharedFiles() []string {
	return []string{"nfs", "cephfs", "glusterfs", "azureFile", "quobyte", "hostPath", "csi"}
}

// filesRestored says of a backup's pods into which of their volumes Velero restores
// files: where there is a snapshot of them, whatever its phase
// (pkg/podvolume/util.go, getVolumeBackupInfoForPod).
func filesRestored(backups []velerov1.PodVolumeBackup) func(*unstructured.Unstructured, string) bool {
	return func(pod *unstructured.Unstructured, volume string) bool {
		return slices.ContainsFunc(backups, func(b velerov1.PodVolumeBackup) bool {
			return b.Spec.Pod.Namespace == pod.GetNamespace() && b.Spec.Pod.Name == pod.GetName() && b.Spec.Volume == volume && b.Status.SnapshotID != ""
		}) || pod.GetAnnotations()["snapshot.velero.io/"+volume] != "" // as Velero kept it before 1.5
	}
}

// filesTaken says of living pods which of their volumes a backup would take the files
// of (pkg/util/podvolume/pod_volume.go, GetVolumesByPod).
func filesTaken(byDefault bool) func(*unstructured.Unstructured, string) bool {
	return func(pod *unstructured.Unstructured, volume string) bool {
		named := func(annotation string) bool {
			return slices.Contains(strings.Split(pod.GetAnnotations()[annotation], ","), volume)
		}
		if !byDefault {
			return named(velerov1.VolumesToBackupAnnotation)
		}
		return !named(velerov1.VolumesToExcludeAnnotation) && !isHostPath(pod, volume)
	}
}

func isHostPath(pod *unstructured.Unstructured, name string) bool {
	volumes, _, _ := unstructured.NestedSlice(pod.Object, "spec", "volumes")
	return slices.ContainsFunc(volumes, func(v any) bool {
		volume, _ := v.(map[string]any)
		return volume["name"] == name && volume["hostPath"] != nil
	})
}
