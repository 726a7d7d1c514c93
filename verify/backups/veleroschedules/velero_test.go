package veleroschedules

import (
	"context"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

const where = "backups" // Velero's namespace here

// cluster is a cluster with a Velero in it, as far as this check sees one.
type cluster struct {
	kube   *kubefake.Clientset
	velero *dynamicfake.FakeDynamicClient
	// ahead is by how much the API server's clock is.
	ahead time.Duration
}

func newCluster(t *testing.T, objects ...runtime.Object) *cluster {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := velerov1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := &cluster{kube: kubefake.NewClientset(), velero: dynamicfake.NewSimpleDynamicClient(scheme, objects...)}
	c.kube.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authenticationv1.SelfSubjectReview{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(time.Now().Add(c.ahead))}}, nil
	})
	return c
}

func (c *cluster) env(m *lookstest.Memory) verify.Env {
	return verify.Env{
		Client: c.kube, Dynamic: c.velero, VeleroNamespace: where,
		Record: m, Started: func() {}, Grace: 20 * time.Second,
	}
}

// fails makes the API server answer requests for a resource with what is
// returned, as long as that is an error.
func (c *cluster) fails(resource string, answer func() error) {
	c.velero.PrependReactor("list", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
		err := answer()
		return err != nil, nil, err
	})
}

// observe looks twice, with nothing between, and judges.
func (c *cluster) observe(t *testing.T, spec Spec) (verify.Finding, []lookEvent) {
	t.Helper()
	m := lookstest.NewMemory(t, checkName)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	check := New(checkName, spec)
	// The first look is of a run that has just begun, and needs its context.
	first, err := check.(interface {
		Preflight(context.Context, verify.Env) ([]string, error)
	}).Preflight(t.Context(), c.env(m))
	if err == nil && len(first) != 1 {
		t.Errorf("plan says %q", first)
	}
	if err := check.Observe(ctx, c.env(m)); err != nil {
		t.Fatal(err)
	}
	return check.Judge(m.Journal()), lookstest.Looks[lookEvent](m)
}

func (c *cluster) put(t *testing.T, resource string, object runtime.Object) {
	t.Helper()
	gvr := schema.GroupVersionResource{Group: velerov1.SchemeGroupVersion.Group, Version: velerov1.SchemeGroupVersion.Version, Resource: resource}
	if err := c.velero.Tracker().Create(gvr, unstructuredOf(t, object), where); err != nil {
		t.Fatal(err)
	}
}

func schedule(name string, created time.Time, change ...func(*velerov1.Schedule)) *velerov1.Schedule {
	s := &velerov1.Schedule{
		TypeMeta:   metav1.TypeMeta{APIVersion: "velero.io/v1", Kind: "Schedule"},
		ObjectMeta: metav1.ObjectMeta{Namespace: where, Name: name, CreationTimestamp: metav1.NewTime(created)},
		Spec:       velerov1.ScheduleSpec{Schedule: "0 2 * * *"},
		Status:     velerov1.ScheduleStatus{Phase: velerov1.SchedulePhaseEnabled},
	}
	for _, change := range change {
		change(s)
	}
	return s
}

// backup is one that Velero made here, whole and Completed unless it is changed.
func backup(schedule string, started time.Time, items int, change ...func(*velerov1.Backup)) *velerov1.Backup {
	at := func(later time.Duration) *metav1.Time { return &metav1.Time{Time: started.Add(later)} }
	b := &velerov1.Backup{
		TypeMeta: metav1.TypeMeta{APIVersion: "velero.io/v1", Kind: "Backup"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: where, Name: schedule + "-" + started.UTC().Format("20060102150405"), Generation: 9,
			CreationTimestamp: *at(-time.Second), Labels: map[string]string{velerov1.ScheduleNameLabel: schedule},
		},
		Spec: velerov1.BackupSpec{StorageLocation: "default", IncludedNamespaces: []string{"shop"}},
		Status: velerov1.BackupStatus{
			Phase: velerov1.BackupPhaseCompleted, StartTimestamp: at(0), CompletionTimestamp: at(time.Minute), Expiration: at(30 * 24 * time.Hour),
			Progress: &velerov1.BackupProgress{TotalItems: items, ItemsBackedUp: items},
		},
	}
	for _, change := range change {
		change(b)
	}
	return b
}

func location(name string, change ...func(*velerov1.BackupStorageLocation)) *velerov1.BackupStorageLocation {
	l := &velerov1.BackupStorageLocation{
		TypeMeta:   metav1.TypeMeta{APIVersion: "velero.io/v1", Kind: "BackupStorageLocation"},
		ObjectMeta: metav1.ObjectMeta{Namespace: where, Name: name},
		Spec:       velerov1.BackupStorageLocationSpec{Provider: "aws", Default: name == "default"},
		Status: velerov1.BackupStorageLocationStatus{
			Phase: velerov1.BackupStorageLocationPhaseAvailable, LastValidationTime: &metav1.Time{Time: time.Now().Add(-20 * time.Second)},
		},
	}
	for _, change := range change {
		change(l)
	}
	return l
}

func phase(phase velerov1.BackupPhase) func(*velerov1.Backup) {
	return func(b *velerov1.Backup) { b.Status.Phase = phase }
}

func within(age time.Duration) Spec { return Spec{MaxAge: metav1.Duration{Duration: age}} }
