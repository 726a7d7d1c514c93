package availability

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

const checkName = "web-stays-up"

var shopWeb = Workload{Kind: kindDeployment, Namespace: "shop", Name: "web"}

// memory is a journal without a file.
type memory struct {
	t      *testing.T
	mu     sync.Mutex
	events []journal.Event
}

// Record writes for the check; run writes for the loop and its steps.
func (m *memory) Record(kind string, payload any) { m.append("", checkName, kind, payload) }

func (m *memory) run(step, kind string, payload any) { m.append(step, "", kind, payload) }

func (m *memory) append(step, check, kind string, payload any) {
	var data json.RawMessage
	if payload != nil {
		var err error
		if data, err = json.Marshal(payload); err != nil {
			m.t.Errorf("encoding %s: %v", kind, err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, journal.Event{
		Version: journal.Version, Seq: int64(len(m.events)) + 1, Time: time.Now().UTC(),
		Kind: kind, Step: step, Check: check, Data: data,
	})
}

func (m *memory) record() *journal.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return journal.NewRecord(append([]journal.Event(nil), m.events...))
}

// of decodes all events of a kind.
func of[T any](m *memory, kind string) []T {
	var found []T
	for event := range m.record().OfCheck(checkName) {
		if event.Kind == kind {
			var payload T
			if err := event.Decode(&payload); err != nil {
				m.t.Error(err)
			}
			found = append(found, payload)
		}
	}
	return found
}

// available gives the counts in order, as a line.
func (m *memory) available() string {
	line := ""
	for _, count := range of[countEvent](m, eventCount) {
		line += fmt.Sprintf("%d/%d>=%d ", count.Available, count.Desired, count.Floor)
	}
	return line
}

// shop is a Deployment of three pods and a neighbour whose labels overlap.
type shop struct {
	t      *testing.T
	client *fake.Clientset
	memory *memory
	cancel context.CancelFunc
	done   chan error
}

func newShop(t *testing.T, objects ...runtime.Object) *shop {
	base := []runtime.Object{
		deployment("web", 3), replicaSet("web"), deployment("other", 1), replicaSet("other"),
		pod("web", "a", "n1", true), pod("web", "b", "n2", true), pod("web", "c", "n3", true), pod("other", "x", "n1", true),
		node("n1", true), node("n2", true), node("n3", true),
	}
	return &shop{t: t, client: fake.NewClientset(append(base, objects...)...), memory: &memory{t: t}, done: make(chan error, 1)}
}

// observe starts the check; it returns at once.
func (s *shop) observe(check verify.Check) {
	ctx, cancel := context.WithCancel(s.t.Context())
	s.cancel = cancel
	go func() {
		s.done <- check.Observe(ctx, verify.Env{
			Client: s.client, Record: s.memory, Grace: time.Second,
			Started: func() { s.memory.Record(journal.ObserverStarted, nil) },
		})
	}()
}

func (s *shop) stop() {
	s.cancel()
	if err := <-s.done; err != nil {
		s.t.Errorf("observing: %v", err)
	}
}

func (s *shop) update(p *corev1.Pod) {
	if _, err := s.client.CoreV1().Pods(p.Namespace).Update(s.t.Context(), p, metav1.UpdateOptions{}); err != nil {
		s.t.Error(err)
	}
}

func (s *shop) create(p *corev1.Pod) {
	if _, err := s.client.CoreV1().Pods(p.Namespace).Create(s.t.Context(), p, metav1.CreateOptions{}); err != nil {
		s.t.Error(err)
	}
}

func (s *shop) delete(name string) {
	if err := s.client.CoreV1().Pods("shop").Delete(s.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		s.t.Error(err)
	}
}

func scale(t *testing.T, client kubernetes.Interface, replicas int32) {
	d := deployment("web", replicas)
	if _, err := client.AppsV1().Deployments("shop").Update(t.Context(), d, metav1.UpdateOptions{}); err != nil {
		t.Error(err)
	}
}

// All of the shop carries app=shop, so that selectors overlap.
var shopLabels = map[string]string{"app": "shop"}

func deployment(name string, replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("d-" + name)},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: shopLabels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: shopLabels}},
		},
	}
}

func replicaSet(name string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: name + "-1", UID: types.UID("rs-" + name), Labels: shopLabels,
		OwnerReferences: []metav1.OwnerReference{owner("d-" + name)},
	}}
}

func owner(uid string) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{UID: types.UID(uid), Controller: &yes}
}

// pod is named web-a and has the UID web-a.
func pod(workload, letter, node string, ready bool) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: workload + "-" + letter, UID: types.UID(workload + "-" + letter), Labels: shopLabels,
			OwnerReferences: []metav1.OwnerReference{owner("rs-" + workload)},
		},
		Spec: corev1.PodSpec{NodeName: node},
	}
	return withReady(p, ready, time.Now())
}

func withReady(p *corev1.Pod, ready bool, since time.Time) *corev1.Pod {
	p = p.DeepCopy()
	condition := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(since.Truncate(time.Second))}
	if !ready {
		condition.Status, condition.Reason = corev1.ConditionFalse, "ContainersNotReady"
	}
	p.Status.Conditions = []corev1.PodCondition{condition}
	return p
}

func terminating(p *corev1.Pod, disruption string) *corev1.Pod {
	p = p.DeepCopy()
	now := metav1.Now()
	p.DeletionTimestamp = &now
	if disruption != "" {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: disruption,
		})
	}
	return p
}

func node(name string, ready bool) *corev1.Node {
	status := corev1.ConditionTrue
	if !ready {
		status = corev1.ConditionUnknown
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status, Reason: "NodeStatusUnknown"}}},
	}
}

func budget(name string, minAvailable, maxUnavailable string) *policyv1.PodDisruptionBudget {
	b := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: shopLabels}},
	}
	if minAvailable != "" {
		b.Spec.MinAvailable = share(minAvailable)
	}
	if maxUnavailable != "" {
		b.Spec.MaxUnavailable = share(maxUnavailable)
	}
	return b
}

func share(text string) *intstr.IntOrString {
	value := intstr.Parse(text)
	return &value
}

func lasting(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }
