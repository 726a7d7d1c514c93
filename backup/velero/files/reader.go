package files

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
)

const (
	program         = "/gameday"
	containerName   = "reader"
	volumesMount    = "/volumes"
	capabilityRead  = "DAC_READ_SEARCH" // look into any directory, read any file, write none
	secondsToGo     = 1                 // the reader has nothing to finish
	memoryForCached = "512Mi"
)

// mountPath is where a reader has the volumes of a pod.
func mountPath(pod types.UID) string { return path.Join(volumesMount, string(pod)) }

// readerPod is the pod that reads volumes on one node. It can read every file of
// exactly these pods' volumes, and nothing else of the node. What reads confines
// itself to that, since the mounts don't: see confine.
func readerPod(o Options, node string, pods []types.UID) *corev1.Pod {
	no, yes, rootUser := false, true, int64(0)
	grace, fuse := int64(secondsToGo), int64(o.Fuse/time.Second)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "gameday-files-",
			Namespace:    o.Namespace,
			Labels: map[string]string{
				experiments.LabelRun:           o.RunID,
				labelReader:                    readerValue,
				"app.kubernetes.io/name":       "gameday",
				"app.kubernetes.io/managed-by": "gameday",
			},
		},
		Spec: corev1.PodSpec{
			NodeName:                      node, // past the scheduler: it is this node or none
			Tolerations:                   []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         &fuse,
			TerminationGracePeriodSeconds: &grace,
			AutomountServiceAccountToken:  &no,
			EnableServiceLinks:            &no,
			DNSPolicy:                     corev1.DNSDefault,
			SecurityContext: &corev1.PodSecurityContext{
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				// Where SELinux is enforced, no other type may read what belongs to
				// another pod; elsewhere it has no meaning.
				SELinuxOptions: &corev1.SELinuxOptions{Type: "spc_t"},
			},
			Containers: []corev1.Container{{
				Name: containerName, Image: o.Image, ImagePullPolicy: corev1.PullIfNotPresent,
				Command: []string{program, helperCommand, modeWait, o.Fuse.String()},
				// Go gives memory back before the limit is met.
				Env: []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: "384MiB"}},
				SecurityContext: &corev1.SecurityContext{
					RunAsUser: &rootUser, RunAsGroup: &rootUser, RunAsNonRoot: &no,
					Privileged: &no, AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{
						Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{capabilityRead},
					},
				},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{
						corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi"),
					},
					// What is read passes through the page cache, which counts here: so it
					// cannot push out what the node's own pods have there.
					Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memoryForCached)},
				},
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
			}},
		},
	}
	// An unmount on the node must reach the reader, or a volume could not be let go.
	propagation, existing := corev1.MountPropagationHostToContainer, corev1.HostPathDirectory
	container := &pod.Spec.Containers[0]
	for i, uid := range pods {
		name := fmt.Sprintf("pod-%d", i)
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			HostPath: &corev1.HostPathVolumeSource{Path: path.Join(o.KubeletRoot, "pods", string(uid), "volumes"), Type: &existing},
		}})
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{
			Name: name, MountPath: mountPath(uid), ReadOnly: true, MountPropagation: &propagation,
		})
	}
	return pod
}

// podsByNode says which pods' volumes are read on which node, in a stable order.
func podsByNode(pairs []Pair) (nodes []string, pods map[string][]types.UID) {
	pods = map[string][]types.UID{}
	for _, pair := range pairs {
		if pair.notComparable() != "" {
			continue
		}
		for _, volume := range []Volume{pair.Source, pair.Restored} {
			if !slices.Contains(pods[volume.Node], volume.Pod.UID) {
				pods[volume.Node] = append(pods[volume.Node], volume.Pod.UID)
			}
		}
	}
	for node := range pods {
		nodes = append(nodes, node)
		slices.Sort(pods[node])
	}
	slices.Sort(nodes)
	return nodes, pods
}

// notComparable says why a pair can't be compared, whatever the readers do.
func (p Pair) notComparable() string {
	switch {
	case p.Source.Block && p.Restored.Block:
		return "a block volume: there are no files to compare"
	case p.Source.Block != p.Restored.Block:
		return "one side is a block volume and the other a file system"
	default:
		return ""
	}
}

// check finds what is missing of a pair.
func (p Pair) check() error {
	for _, volume := range []Volume{p.Source, p.Restored} {
		var missing []string
		for what, value := range map[string]string{"node": volume.Node, "pod UID": string(volume.Pod.UID), "name": volume.directory()} {
			if value == "" {
				missing = append(missing, what)
			}
		}
		if len(missing) > 0 {
			slices.Sort(missing)
			return fmt.Errorf("comparing volume %s: its %s is not known: is the pod running?", volume, strings.Join(missing, " and "))
		}
	}
	if p.BackedUpAt.IsZero() {
		return fmt.Errorf("comparing volume %s: when it was backed up is not known", p.Source)
	}
	return nil
}

// directory is what a kubelet calls the volume: by its PersistentVolume, or as the
// pod does where there is none.
func (v Volume) directory() string {
	if v.PV != "" {
		return v.PV
	}
	return v.Name
}
