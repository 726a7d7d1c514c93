package velero

import (
	"archive/tar"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
)

const (
	inVelero = "velero"
	run      = "20260512-020000-ab12"
)

// world is a cluster of fakes with a Velero that does what it is asked at once. What a
// user may not do in it is refused.
type world struct {
	typed   *fake.Clientset
	dynamic *dynamicfake.FakeDynamicClient
	bucket  *httptest.Server
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
	record  recorder
}

// recorder keeps what is recorded.
type recorder struct{ said []any }

func (r *recorder) Record(_ string, payload any) { r.said = append(r.said, payload) }

// rung is a rung that was recorded.
func (r *recorder) rung(name string) backup.Rung {
	for _, payload := range r.said {
		if rung, ok := payload.(backup.Rung); ok && rung.Name == name {
			return rung
		}
	}
	return backup.Rung{}
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

func newWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	w := &world{typed: fake.NewClientset(objects...), writes: 1000, scratch: t.TempDir()}
	w.typed.Resources = served()
	kinds := veleroKinds()
	for _, list := range served() {
		for _, resource := range list.APIResources {
			kinds[schema.FromAPIVersionAndKind(list.GroupVersion, "").GroupVersion().WithResource(resource.Name)] = resource.Kind + "List"
		}
	}
	var untyped []runtime.Object
	for _, object := range objects {
		untyped = append(untyped, unstructuredOf(t, object))
	}
	w.dynamic = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, untyped...)
	w.bucket = httptest.NewServer(http.HandlerFunc(w.stored))
	t.Cleanup(w.bucket.Close)
	w.typed.PrependReactor("list", "*", byName(w.typed.Tracker()))
	w.dynamic.PrependReactor("list", "*", byName(w.dynamic.Tracker()))
	w.typed.PrependReactor("create", "selfsubjectaccessreviews", w.review)
	for resource, does := range map[string]func(*unstructured.Unstructured) error{
		velero.Backups: w.backUp, velero.Restores: w.restore, velero.DownloadRequests: w.sign, velero.DeleteRequests: w.deleteBackup,
	} {
		w.dynamic.PrependReactor("create", resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
			object := action.(clienttesting.CreateAction).GetObject()
			return resource == velero.DeleteRequests, object, does(object.(*unstructured.Unstructured))
		})
	}
	for _, client := range []*clienttesting.Fake{&w.typed.Fake, &w.dynamic.Fake} {
		client.PrependReactor("*", "*", w.guard)
		client.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
			handled, _, err := w.guard(action)
			return handled, nil, err
		})
	}
	w.velero(t, velero.StorageLocations, "BackupStorageLocation", &velerov1.BackupStorageLocation{
		ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: velerov1.BackupStorageLocationSpec{Default: true},
		Status: velerov1.BackupStorageLocationStatus{Phase: velerov1.BackupStorageLocationPhaseAvailable},
	})
	return w
}

// velero puts one of Velero's objects there, with its status.
func (w *world) velero(t *testing.T, resource, kind string, object metav1.Object) {
	t.Helper()
	object.SetNamespace(inVelero)
	object.(runtime.Object).GetObjectKind().SetGroupVersionKind(velerov1.SchemeGroupVersion.WithKind(kind))
	if err := w.dynamic.Tracker().Create(velerov1.SchemeGroupVersion.WithResource(resource), unstructuredOf(t, object), inVelero); err != nil {
		t.Fatal(err)
	}
}

// env is what a step is lent.
func (w *world) env() experiments.Env {
	return experiments.Env{
		Client: w.typed, Dynamic: w.dynamic, RunID: run, Rand: rand.New(rand.NewPCG(7, 0)),
		Velero: experiments.Velero{Namespace: inVelero}, Image: "gameday:v1", Record: &w.record,
		Machine: experiments.Machine{Scratch: w.scratch},
	}
}

// guard refuses what the user may not, and what comes after the last write.
func (w *world) guard(action clienttesting.Action) (bool, runtime.Object, error) {
	access := kube.Access{
		Namespace: action.GetNamespace(), Verb: action.GetVerb(), Group: action.GetResource().Group, Resource: action.GetResource().Resource, Subresource: action.GetSubresource(),
	}
	if strings.HasPrefix(access.Resource, "selfsubject") || access.Resource == "group" || access.Resource == "resource" {
		return false, nil, nil // everybody may ask who he is, what he may, and what there is
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, access)
	resource := action.GetResource().GroupResource()
	if w.may != nil && !allowed(w.may, access) || w.denied != nil && *w.denied == access {
		w.refused = append(w.refused, access)
		return true, nil, apierrors.NewForbidden(resource, "", nil)
	}
	if slices.Contains([]string{"create", "update", "delete", "patch"}, access.Verb) {
		if w.writes--; w.writes < 0 {
			return true, nil, apierrors.NewServiceUnavailable("killed")
		}
	}
	return false, nil, nil
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

// backUp, restore, sign and deleteBackup are Velero at work.
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
	if err := w.dynamic.Tracker().Create(corev1.SchemeGroupVersion.WithResource("namespaces"), space, ""); err != nil {
		return err
	}
	if err := w.dynamic.Tracker().Create(corev1.SchemeGroupVersion.WithResource("configmaps"), config, "drill"); err != nil {
		return err
	}
	return unstructured.SetNestedMap(object.Object, map[string]any{"phase": "Completed"}, "status")
}

func (w *world) sign(object *unstructured.Unstructured) error {
	kind, _, _ := unstructured.NestedString(object.Object, "spec", "target", "kind")
	return unstructured.SetNestedMap(object.Object, map[string]any{"phase": "Processed", "downloadURL": w.bucket.URL + "/" + kind}, "status")
}

func (w *world) deleteBackup(object *unstructured.Unstructured) error {
	name, _, _ := unstructured.NestedString(object.Object, "spec", "backupName")
	return w.dynamic.Tracker().Delete(velerov1.SchemeGroupVersion.WithResource(velero.Backups), inVelero, name)
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

// byName adds to a fake's lists what it lacks: selection by name.
func byName(tracker clienttesting.ObjectTracker) clienttesting.ReactionFunc {
	return func(action clienttesting.Action) (bool, runtime.Object, error) {
		list := action.(clienttesting.ListActionImpl)
		name, chosen := list.GetListRestrictions().Fields.RequiresExactMatch(metav1.ObjectNameField)
		if !chosen {
			return false, nil, nil
		}
		all, err := tracker.List(list.GetResource(), list.GetKind(), list.GetNamespace())
		if err != nil {
			return true, nil, err
		}
		items, err := meta.ExtractList(all)
		if err != nil {
			return true, nil, err
		}
		items = slices.DeleteFunc(items, func(item runtime.Object) bool {
			object, err := meta.Accessor(item)
			return err != nil || object.GetName() != name
		})
		return true, all, meta.SetList(all, items)
	}
}

// marked names all that bears the run's mark, by resource.
func (w *world) marked(t *testing.T) []string {
	t.Helper()
	var found []string
	add := func(resource string, list runtime.Object, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			object, err := meta.Accessor(item)
			if err == nil && object.GetLabels()[experiments.LabelRun] == run {
				found = append(found, strings.Trim(resource+" "+object.GetNamespace()+"/"+object.GetName(), "/"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for resource, kind := range veleroKinds() {
		list, err := w.dynamic.Tracker().List(resource, resource.GroupVersion().WithKind(strings.TrimSuffix(kind, "List")), inVelero)
		add(resource.Resource, list, err)
	}
	for _, kind := range []struct{ resource, kind string }{{"namespaces", "Namespace"}, {"configmaps", "ConfigMap"}, {"pods", "Pod"}} {
		version := corev1.SchemeGroupVersion
		list, err := w.typed.Tracker().List(version.WithResource(kind.resource), version.WithKind(kind.kind), "")
		add(kind.resource, list, err)
	}
	slices.Sort(found)
	return found
}

// readers makes a pod like those that read volumes.
func (w *world) reader(ctx context.Context, name string) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{experiments.LabelRun: run, "app.kubernetes.io/component": "files-reader"}}}
	_, err := w.typed.CoreV1().Pods(experiments.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	return err
}

func configMap(namespace, name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + name)}, Data: map[string]string{"key": "value"},
	}
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)}}
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
		namespace("shop"), namespace(inVelero), namespace("gameday"), configMap("shop", "config"), claim("data", "pv-1"), claim("spare", "pv-2"), volume("pv-1", "data"), volume("pv-2", "spare"),
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

// unstructuredOf is what a dynamic client holds of an object.
func unstructuredOf(t *testing.T, object any) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	whole := &unstructured.Unstructured{Object: content}
	if kinds, _, err := scheme.Scheme.ObjectKinds(object.(runtime.Object)); err == nil && whole.GetKind() == "" {
		whole.SetGroupVersionKind(kinds[0])
	}
	return whole
}
