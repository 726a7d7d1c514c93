package velero

import (
	"archive/tar"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
)

const (
	inVelero = velerotest.Velero
	run      = velerotest.Run
)

// world is a cluster of fakes with a Velero that does what it is asked at once. What a
// user may not do in it is refused.
type world struct {
	*velerotest.Cluster
	bucket *httptest.Server
	// may is nil for a user who may do everything.
	may []kube.Permission
	// denied is what he may not do all the same.
	denied *kube.Access
	mu     sync.Mutex
	// refused and asked are what was.
	refused, asked []kube.Access
	// writes are how many more writes reach the cluster; the others fail, as those of a
	// process that was killed never come.
	writes  int
	scratch string
}

func newWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	w := &world{Cluster: velerotest.New(t, objects...), writes: 1000, scratch: t.TempDir()}
	w.bucket = httptest.NewServer(http.HandlerFunc(w.stored))
	t.Cleanup(w.bucket.Close)
	w.Typed.PrependReactor("create", "selfsubjectaccessreviews", w.review)
	for resource, does := range map[string]func(*unstructured.Unstructured) error{
		velero.Backups: w.backUp, velero.Restores: w.restore, velero.DownloadRequests: w.sign,
	} {
		w.Dynamic.PrependReactor("create", resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
			object := action.(clienttesting.CreateAction).GetObject()
			return false, object, does(object.(*unstructured.Unstructured))
		})
	}
	w.Guard(w.guard)
	w.Put(t, velero.StorageLocations, "BackupStorageLocation", &velerov1.BackupStorageLocation{
		ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: velerov1.BackupStorageLocationSpec{Default: true},
		Status: velerov1.BackupStorageLocationStatus{Phase: velerov1.BackupStorageLocationPhaseAvailable},
	})
	return w
}

// env is what a step is lent.
func (w *world) env() experiments.Env {
	env := w.Env()
	env.Rand, env.Image, env.Machine = rand.New(rand.NewPCG(7, 0)), "gameday:v1", experiments.Machine{Scratch: w.scratch}
	return env
}

// rung is a rung that was recorded.
func (w *world) rung(name string) backup.Rung {
	for _, payload := range w.Record.Said {
		if rung, ok := payload.(backup.Rung); ok && rung.Name == name {
			return rung
		}
	}
	return backup.Rung{}
}

// guard refuses what the user may not, and what comes after the last write.
func (w *world) guard(access kube.Access) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, access)
	if w.may != nil && !allowed(w.may, access) || w.denied != nil && *w.denied == access {
		w.refused = append(w.refused, access)
		return velerotest.Forbidden(access)
	}
	if slices.Contains([]string{"create", "update", "delete", "patch"}, access.Verb) {
		if w.writes--; w.writes < 0 {
			return apierrors.NewServiceUnavailable("killed")
		}
	}
	return nil
}

// review answers as the authorizer would.
func (w *world) review(action clienttesting.Action) (bool, runtime.Object, error) {
	review := action.(clienttesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview)
	asked := review.Spec.ResourceAttributes
	access := kube.Access{Namespace: asked.Namespace, Verb: asked.Verb, Group: asked.Group, Resource: asked.Resource, Subresource: asked.Subresource}
	review.Status.Allowed = (w.may == nil || allowed(w.may, access)) && (w.denied == nil || *w.denied != access)
	return true, review, nil
}

// allowed says whether RBAC with these rules would let somebody.
func allowed(rules []kube.Permission, access kube.Access) bool {
	resource := access.Resource
	if access.Subresource != "" {
		resource += "/" + access.Subresource
	}
	has := func(names []string, name string) bool {
		return slices.Contains(names, name) || slices.Contains(names, "*")
	}
	return slices.ContainsFunc(rules, func(p kube.Permission) bool {
		return (p.Namespace == "" || p.Namespace == access.Namespace) &&
			has(p.Rule.APIGroups, access.Group) && has(p.Rule.Resources, resource) && has(p.Rule.Verbs, access.Verb)
	})
}

// backUp, restore and sign are Velero at work.
func (w *world) backUp(object *unstructured.Unstructured) error {
	return unstructured.SetNestedMap(object.Object, map[string]any{"phase": "Completed", "startTimestamp": "2026-05-12T02:00:00Z"}, "status")
}

func (w *world) restore(object *unstructured.Unstructured) error {
	backup, _, _ := unstructured.NestedString(object.Object, "spec", "backupName")
	config := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"key": "value"},
		"metadata": map[string]any{"namespace": "drill", "name": "config", "labels": map[string]any{velerov1.RestoreNameLabel: object.GetName(), velerov1.BackupNameLabel: backup}},
	}}
	space := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": "drill", "labels": map[string]any{experiments.LabelRun: run},
	}}}
	if err := w.Dynamic.Tracker().Create(corev1.SchemeGroupVersion.WithResource("namespaces"), space, ""); err != nil {
		return err
	}
	if err := w.Dynamic.Tracker().Create(corev1.SchemeGroupVersion.WithResource("configmaps"), config, "drill"); err != nil {
		return err
	}
	return unstructured.SetNestedMap(object.Object, map[string]any{"phase": "Completed"}, "status")
}

func (w *world) sign(object *unstructured.Unstructured) error {
	kind, _, _ := unstructured.NestedString(object.Object, "spec", "target", "kind")
	return unstructured.SetNestedMap(object.Object, map[string]any{"phase": "Processed", "downloadURL": w.bucket.URL + "/" + kind}, "status")
}

// stored is what the object store holds.
func (w *world) stored(to http.ResponseWriter, request *http.Request) {
	switch request.URL.Path {
	case "/" + string(velerov1.DownloadTargetKindBackupContents):
		archive := tar.NewWriter(to)
		for name, object := range map[string]string{
			"configmaps/namespaces/shop/config.json":          `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"config"},"data":{"key":"value"}}`,
			"namespaces/cluster/shop.json":                    `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`,
			"storageclasses.storage.k8s.io/cluster/fast.json": `{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"fast"},"provisioner":"example.com/fast"}`,
		} {
			_ = archive.WriteHeader(&tar.Header{Name: "resources/" + name, Mode: 0o600, Size: int64(len(object)), Typeflag: tar.TypeReg})
			_, _ = archive.Write([]byte(object))
		}
		_ = archive.Close()
	case "/" + string(velerov1.DownloadTargetKindBackupVolumeInfos):
		_, _ = to.Write([]byte("[]"))
	default:
		_, _ = to.Write([]byte("{}"))
	}
}

// shop is the original: a pod with a mounted claim, and a claim that no pod mounts.
func shop() []runtime.Object {
	claim := func(name, volume string) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.PersistentVolumeClaimSpec{VolumeName: volume}}
	}
	volume := func(name, claim string) *corev1.PersistentVolume {
		return &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
			Spec: corev1.PersistentVolumeSpec{
				PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete, ClaimRef: &corev1.ObjectReference{Namespace: "shop", Name: claim},
			},
		}
	}
	return []runtime.Object{
		velerotest.Namespace("shop"), velerotest.Namespace(inVelero), velerotest.Namespace("gameday"), velerotest.ConfigMap("shop", "config"), claim("data", "pv-1"), claim("spare", "pv-2"), volume("pv-1", "data"), volume("pv-2", "spare"),
		&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db-0", Labels: map[string]string{"app": "db"}},
			Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
			}}}},
			Status: corev1.PodStatus{Phase: corev1.PodRunning},
		},
	}
}

// nightly is a backup that is there.
func nightly(name string, change ...func(*velerov1.Backup)) *velerov1.Backup {
	at := metav1.NewTime(time.Date(2026, 5, 12, 2, 0, 0, 0, time.UTC))
	b := &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{velerov1.ScheduleNameLabel: "nightly"}},
		Spec:       velerov1.BackupSpec{IncludedNamespaces: []string{"shop"}, StorageLocation: "default"},
		Status:     velerov1.BackupStatus{Phase: velerov1.BackupPhaseCompleted, StartTimestamp: &at},
	}
	for _, c := range change {
		c(b)
	}
	return b
}
