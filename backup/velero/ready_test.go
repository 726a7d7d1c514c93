package velero

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
)

// restoredTo is a cluster whose scratch namespace drill holds these objects.
func restoredTo(t *testing.T, texts ...string) *dynamicfake.FakeDynamicClient {
	t.Helper()
	kinds := map[schema.GroupVersionResource]string{}
	for _, r := range workloadResources() {
		kinds[schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name}] = r.Kind + "List"
	}
	var all []runtime.Object
	for _, text := range texts {
		object := parsed(t, text)
		object.SetNamespace("drill")
		all = append(all, object)
	}
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, all...)
}

const (
	running       = "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}"
	heldInInit    = "status: {phase: Pending, initContainerStatuses: [{name: hold, ready: false, state: {running: {}}}]}"
	ofSet         = "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: set, controller: true}]"
	ofWeb         = "ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: web, controller: true}]"
	ofOperator    = "ownerReferences: [{apiVersion: example.com/v1, kind: Database, name: db, uid: db, controller: true}]"
	ofJob         = "ownerReferences: [{apiVersion: batch/v1, kind: Job, name: load, uid: load, controller: true}]"
	ofCron        = "ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: nightly, uid: nightly, controller: true}]"
	failedForGood = "status: {failed: 1, conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}"
)

func TestReady(t *testing.T) {
	mounted := []volumeBackup{{Pod: "db-0", Name: "data", Claim: "data"}}
	for name, test := range map[string]struct {
		restored []string
		backup   []string
		volumes  []volumeBackup
		verdict  verify.Verdict
		says     []string
	}{
		"all of it": {
			restored: []string{
				"{apiVersion: v1, kind: Pod, metadata: {name: alone}, " + running + "}",
				"{apiVersion: v1, kind: Pod, metadata: {name: web-1-a, " + ofSet + "}, " + heldInInit + "}",
				"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: web}, spec: {replicas: 0}}",
				"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, status: {phase: Bound}}",
				"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: spare}, status: {phase: Pending}}",
			},
			volumes: mounted, verdict: verify.Pass, says: []string{"2 workloads are ready, 1 claims are bound"},
		},
		"nothing that runs": {verdict: verify.Pass, says: []string{"0 workloads are ready"}},
		"a pod alone": {
			restored: []string{"{apiVersion: v1, kind: Pod, metadata: {name: alone}, " + heldInInit + "}"},
			verdict:  verify.Fail, says: []string{"1 of 1 workloads and claims are not ready after 5s", "Pod alone: phase Pending: init container hold is running"},
		},
		"a pod of an operator": {
			restored: []string{"{apiVersion: v1, kind: Pod, metadata: {name: db-0, " + ofOperator + "}, " + heldInInit + "}"},
			verdict:  verify.Fail, says: []string{"Pod db-0"},
		},
		"a Deployment, with what its pod waits for": {
			restored: []string{
				"{apiVersion: v1, kind: Pod, metadata: {name: web-1-a, uid: pod, " + ofSet + "}, " + heldInInit + "}",
				"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web-1, uid: set, generation: 1, " + ofWeb + "}, status: {observedGeneration: 1}}",
				"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: web, generation: 1}, status: {observedGeneration: 1, updatedReplicas: 1}}",
			},
			verdict: verify.Fail, says: []string{"1 of 1 workloads", "Deployment web: 0 of 1 updated replicas are available; Pod web-1-a: phase Pending: init container hold"},
		},
		"a ReplicaSet alone": {
			restored: []string{"{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: old, generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1}}"},
			verdict:  verify.Fail, says: []string{"ReplicaSet old: 0 of 2 replicas are available"},
		},
		"a ReplicationController": {
			restored: []string{"{apiVersion: v1, kind: ReplicationController, metadata: {name: older, generation: 1}, spec: {replicas: 2}, status: {observedGeneration: 1}}"},
			verdict:  verify.Fail, says: []string{"ReplicationController older"},
		},
		"a Job that fails": {
			restored: []string{"{apiVersion: batch/v1, kind: Job, metadata: {name: load}, " + failedForGood + "}"},
			backup:   []string{"{apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: load}, status: {active: 1}}"},
			verdict:  verify.Fail, says: []string{"Job load: failed: BackoffLimitExceeded"},
		},
		"a Job that had failed before": {
			restored: []string{"{apiVersion: batch/v1, kind: Job, metadata: {name: load}, " + failedForGood + "}"},
			backup:   []string{"{apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: load}, " + failedForGood + "}"},
			verdict:  verify.Pass, says: []string{"0 workloads are ready; 1 Jobs had failed before the backup"},
		},
		"a Job at work, the pod of the one before it, and what a CronJob began": {
			restored: []string{
				"{apiVersion: v1, kind: Pod, metadata: {name: load-a}, status: {phase: Failed}}",
				"{apiVersion: batch/v1, kind: Job, metadata: {name: load}, status: {active: 1, ready: 1}}",
				"{apiVersion: batch/v1, kind: Job, metadata: {name: nightly-1, " + ofCron + "}, " + failedForGood + "}",
			},
			backup:  []string{"{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: load-a, " + ofJob + "}, status: {phase: Running}}"},
			verdict: verify.Pass, says: []string{"1 workloads are ready"},
		},
		"a claim": {
			restored: []string{"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, status: {phase: Pending}}"},
			volumes:  mounted, verdict: verify.Fail, says: []string{"PersistentVolumeClaim data: phase Pending"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			held, cluster := backedUp(t, test.backup...), restoredTo(t, test.restored...)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				c := &climb{spec: &Restore{Start: true}, plan: restorePlan{Source: "shop", Into: "drill"}, contents: held, volumes: test.volumes}
				c.env = experiments.Env{Dynamic: cluster}
				got := c.ready(ctx)
				said := got.Summary + "\n" + strings.Join(got.Problems, "\n")
				if got.Verdict != test.verdict {
					t.Errorf("%s: %s", got.Verdict, said)
				}
				for _, want := range test.says {
					if !strings.Contains(said, want) {
						t.Errorf("nothing is said of %q: %s", want, said)
					}
				}
			})
		})
	}
}

// Of workloads that could not be looked at nothing is known.
func TestReadyUnseen(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		says string
	}{
		"forbidden":   {apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no")), "forbidden"},
		"unreachable": {&apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusServiceUnavailable, Message: "etcd is away"}}, "were never seen"},
	} {
		t.Run(name, func(t *testing.T) {
			held, cluster := backedUp(t), restoredTo(t)
			cluster.PrependReactor("list", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.err })
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				c := &climb{spec: &Restore{Start: true}, plan: restorePlan{Source: "shop", Into: "drill"}, contents: held}
				c.env = experiments.Env{Dynamic: cluster}
				got := c.ready(ctx)
				if got.Verdict != verify.Inconclusive || !strings.Contains(got.Summary, test.says) {
					t.Errorf("%s: %s", got.Verdict, got.Summary)
				}
				if got.Name = rungReady; overdue(got) {
					t.Error("it counts as not ready")
				}
			})
		})
	}
}
