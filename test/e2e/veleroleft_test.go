package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
)

// leftOfRuns names everything in the cluster and in the bucket that a run has
// made, whichever run it was.
func (s *scene) leftOfRuns() []string {
	s.Helper()
	left := s.marked()
	namespaces, err := s.client.CoreV1().Namespaces().List(s.ctx, metav1.ListOptions{})
	s.must(err)
	for _, namespace := range namespaces.Items {
		if strings.HasPrefix(namespace.Name, s.ns+"-") {
			left = append(left, "namespace "+namespace.Name)
		}
	}
	volumes, err := s.client.CoreV1().PersistentVolumes().List(s.ctx, metav1.ListOptions{})
	s.must(err)
	for _, volume := range volumes.Items {
		if claim := volume.Spec.ClaimRef; claim != nil && strings.HasPrefix(claim.Namespace, s.ns+"-") {
			left = append(left, "volume "+volume.Name)
		}
	}
	for _, resource := range []string{"backups", "restores", "downloadrequests", "deletebackuprequests", "podvolumebackups", "podvolumerestores"} {
		all, err := s.inVelero(resource).List(s.ctx, metav1.ListOptions{})
		s.must(err)
		for _, one := range all.Items {
			if strings.HasPrefix(one.GetName(), "gameday-") || resource == "downloadrequests" {
				left = append(left, resource+"/"+one.GetName())
			}
		}
	}
	for _, directory := range []string{"backups", "restores"} {
		files, err := filepath.Glob(filepath.Join(s.provider.Cluster().BucketDir(), directory, "gameday-*"))
		s.must(err)
		left = append(left, files...)
	}
	readers, err := s.client.CoreV1().Pods("gameday").List(s.ctx, metav1.ListOptions{})
	s.must(err)
	for _, pod := range readers.Items {
		left = append(left, "pod gameday/"+pod.Name)
	}
	return left
}

// marked are all objects of any kind that bear the mark of a run.
func (s *scene) marked() []string {
	s.Helper()
	lists, err := s.client.Discovery().ServerPreferredResources()
	s.must(err)
	client, err := metadata.NewForConfig(s.config)
	s.must(err)
	var found []string
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists) {
		for _, resource := range list.APIResources {
			all, err := client.Resource(at(list.GroupVersion+"/"+resource.Name)).List(s.ctx, metav1.ListOptions{LabelSelector: labelRun})
			s.must(err)
			for _, one := range all.Items {
				if resource.Name == "namespaces" && one.Name == "gameday" {
					continue // it stays, with the mark of the run that made it
				}
				found = append(found, fmt.Sprintf("%s %s/%s", resource.Name, one.Namespace, one.Name))
			}
		}
	}
	return found
}

// versions are the resourceVersions of what nobody but its owner writes in the
// scene's namespace: no status of it is kept by a controller that works meanwhile.
func (s *scene) versions() map[string]string {
	s.Helper()
	s.withClasses() // or some of these resources are not there
	all := map[string]string{}
	for _, resource := range []string{
		"v1/configmaps", "v1/secrets", "v1/serviceaccounts", "v1/services", "v1/limitranges", "v1/persistentvolumeclaims", "v1/pods",
		"apps/v1/deployments", "apps/v1/statefulsets", "apps/v1/daemonsets", "apps/v1/replicasets", "batch/v1/jobs", "batch/v1/cronjobs",
		"rbac.authorization.k8s.io/v1/roles", "rbac.authorization.k8s.io/v1/rolebindings", "networking.k8s.io/v1/ingresses",
		"networking.k8s.io/v1/networkpolicies", "policy/v1/poddisruptionbudgets", "coordination.k8s.io/v1/leases",
		"e2e.gameday.dev/v1/widgets", "e2e.gameday.dev/v1/gadgets", "gateway.networking.k8s.io/v1/httproutes",
	} {
		list, err := s.dynamic().Resource(at(resource)).Namespace(s.ns).List(s.ctx, metav1.ListOptions{})
		s.must(err)
		for _, one := range list.Items {
			if !strings.HasPrefix(one.GetName(), "churn-") {
				all[one.GetKind()+" "+one.GetName()] = one.GetResourceVersion()
			}
		}
	}
	return all
}

// untilCounted waits until the controllers of workloads have written all that they have
// to say of pods that are Ready: they do so later than the kubelet, that of Jobs by a
// second (kubernetes, pkg/controller/job, SyncJobBatchPeriod).
func (s *scene) untilCounted() {
	s.Helper()
	for resource, counted := range map[string]func(spec, status map[string]any) bool{
		"apps/v1/deployments": func(spec, status map[string]any) bool {
			return status["availableReplicas"] == spec["replicas"] && status["updatedReplicas"] == spec["replicas"] && saysOf(status, "Progressing") == "NewReplicaSetAvailable"
		},
		"apps/v1/replicasets": func(spec, status map[string]any) bool {
			return status["availableReplicas"] == spec["replicas"] || spec["replicas"] == int64(0)
		},
		"apps/v1/statefulsets": func(spec, status map[string]any) bool { return status["availableReplicas"] == spec["replicas"] },
		"apps/v1/daemonsets": func(_, status map[string]any) bool {
			return status["numberAvailable"] == status["desiredNumberScheduled"]
		},
		"batch/v1/jobs": func(_, status map[string]any) bool {
			return status["completionTime"] != nil || status["ready"] == int64(1)
		},
	} {
		s.eventually(resource+" are counted", func() (bool, string) {
			list, err := s.dynamic().Resource(at(resource)).Namespace(s.ns).List(s.ctx, metav1.ListOptions{})
			s.must(err)
			for _, one := range list.Items {
				spec, _, _ := unstructured.NestedMap(one.Object, "spec")
				status, _, _ := unstructured.NestedMap(one.Object, "status")
				seen, kept := status["observedGeneration"]
				if kept && seen != one.GetGeneration() || !counted(spec, status) {
					return false, fmt.Sprintf("%s %s: %v", one.GetKind(), one.GetName(), status)
				}
			}
			return true, ""
		})
	}
}

// saysOf is the reason of a condition.
func saysOf(status map[string]any, condition string) any {
	conditions, _, _ := unstructured.NestedSlice(status, "conditions")
	for _, one := range conditions {
		if one, _ := one.(map[string]any); one["type"] == condition {
			return one["reason"]
		}
	}
	return nil
}

// wantUnwritten wants that nothing has written to the original since, but to
// objects whose kind and name begin like that.
func (s *scene) wantUnwritten(before map[string]string, but ...string) {
	s.Helper()
	now := s.versions()
	for what, version := range before {
		excused := slices.ContainsFunc(but, func(begin string) bool { return strings.HasPrefix(what, begin) })
		if now[what] != version && !excused {
			s.Errorf("%s of the original was written: its resourceVersion was %s and is %q", what, version, now[what])
		}
	}
}

// filesInBucket is where the bucket keeps the files of volumes of the scene.
func (s *scene) filesInBucket() string {
	return filepath.Join(s.provider.Cluster().BucketDir(), "kopia", s.ns)
}
