package velero

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// readiness is what one look at the scratch namespace has seen.
type readiness struct {
	workloads, claims int      // that were looked at
	over              int      // Jobs that had failed for good before the backup
	waiting           []string // those that are not ready, and why
	// why says of a controller what one of its pods waits for.
	why map[types.UID]string
}

// summary is one line, whether all are ready or not.
func (r readiness) summary() string {
	what := fmt.Sprintf("%d workloads are ready", r.workloads)
	if len(r.waiting) > 0 {
		what = fmt.Sprintf("%d of %d workloads and claims are not ready", len(r.waiting), r.workloads+r.claims)
	} else if r.claims > 0 {
		what += fmt.Sprintf(", %d claims are bound", r.claims)
	}
	if r.over > 0 {
		what += fmt.Sprintf("; %d Jobs had failed before the backup and are not waited for", r.over)
	}
	return what
}

// workloadResources are those that run something, and claims. Pods come before what
// makes them, and ReplicaSets before Deployments, which are told what these wait for.
func workloadResources() []objects.Resource {
	return []objects.Resource{
		contents.Pods(),
		ofKubernetes("apps", "replicasets", "ReplicaSet"),
		ofKubernetes("", "replicationcontrollers", "ReplicationController"),
		jobResource(),
		ofKubernetes("apps", "deployments", "Deployment"),
		ofKubernetes("apps", "statefulsets", "StatefulSet"),
		ofKubernetes("apps", "daemonsets", "DaemonSet"),
		contents.Claims(),
	}
}

func jobResource() objects.Resource { return ofKubernetes("batch", "jobs", "Job") }

// ofKubernetes is a resource of Kubernetes' own, all of which are in v1.
func ofKubernetes(group, name, kind string) objects.Resource {
	return objects.Resource{Group: group, Version: "v1", Name: name, Kind: kind, Namespaced: true}
}

// readiness looks at every workload of the scratch namespace once.
func (c *climb) readiness(ctx context.Context) (readiness, error) {
	seen := readiness{why: map[types.UID]string{}}
	listed := objects.Listed{Client: c.env.Dynamic, Namespaces: []string{c.plan.Into}}
	for _, resource := range workloadResources() {
		for object, err := range listed.Objects(ctx, resource) {
			if err == nil {
				err = c.weighReadiness(object, resource, &seen)
			}
			if err != nil {
				return seen, err
			}
		}
	}
	return seen, nil
}

// weighReadiness takes one object. What a controller of Kubernetes' own looks after is
// judged by that, which replaces what does not become ready.
func (c *climb) weighReadiness(object *unstructured.Unstructured, resource objects.Resource, seen *readiness) error {
	ready, why := objects.Ready(object)
	if controller := metav1.GetControllerOf(object); controller != nil && isLookedAt(controller) {
		if further := seen.why[object.GetUID()]; further != "" {
			seen.why[controller.UID] = further
		} else if !ready {
			seen.why[controller.UID] = fmt.Sprintf("%s %s: %s", object.GetKind(), object.GetName(), why)
		}
		return nil
	}
	before, err := c.contents.Get(resource.String(), c.plan.Source, object.GetName())
	if err != nil {
		return err
	}
	switch {
	case resource == contents.Claims():
		if !c.isUsed(object.GetName()) {
			return nil // one that nobody mounts may wait for its first consumer for ever
		}
		seen.claims++
	case resource == contents.Pods() && isJobs(before):
		return nil // the restored Job does not know it any more, and has begun another
	case resource == jobResource() && hasFailed(before):
		seen.over++
		return nil
	default:
		seen.workloads++
	}
	if ready {
		return nil
	}
	line := fmt.Sprintf("%s %s: %s", object.GetKind(), object.GetName(), why)
	if further := seen.why[object.GetUID()]; further != "" {
		line += "; " + further
	}
	seen.waiting = append(seen.waiting, line)
	return nil
}

// isLookedAt says whether a controller is a workload itself. CronJobs are none: what
// they begin in the copy was not restored.
func isLookedAt(controller *metav1.OwnerReference) bool {
	kind := schema.FromAPIVersionAndKind(controller.APIVersion, controller.Kind).GroupKind()
	return kind == schema.GroupKind{Group: "batch", Kind: "CronJob"} ||
		slices.ContainsFunc(workloadResources(), func(r objects.Resource) bool { return r.Group == kind.Group && r.Kind == kind.Kind })
}

// isJobs says whether a pod of the backup was a Job's. Velero takes the uid out of a
// restored Job's selector (pkg/restore/actions/job_action.go), which is made anew.
func isJobs(pod *unstructured.Unstructured) bool {
	if pod == nil {
		return false
	}
	controller := metav1.GetControllerOf(pod)
	return controller != nil && controller.Kind == "Job"
}

// hasFailed says whether a Job of the backup had failed for good. Velero leaves out
// those that were complete, and restores these (pkg/restore/restore.go, isCompleted).
func hasFailed(job *unstructured.Unstructured) bool {
	if job == nil {
		return false
	}
	conditions, _, _ := unstructured.NestedSlice(job.Object, "status", "conditions")
	for _, one := range conditions {
		if condition, _ := one.(map[string]any); condition["type"] == "Failed" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

func (c *climb) isUsed(claim string) bool {
	for _, volume := range c.volumes {
		if volume.Claim == claim && volume.Pod != "" {
			return true
		}
	}
	return false
}
