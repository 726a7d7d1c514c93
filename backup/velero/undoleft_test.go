package velero

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
)

// reads makes a step of one that has readers.
func reads(own *restorePlan) { own.Readers = true }

// ourNamespace is the scratch namespace of the run.
func ourNamespace(change ...func(*corev1.Namespace)) *corev1.Namespace {
	n := namespace("drill")
	n.Labels = marks(run)
	for _, c := range change {
		c(n)
	}
	return n
}

// keeps makes the API server take deletions of a resource and delete nothing, as it
// does for an object with a finalizer that nobody removes.
func (w *world) keeps(resource string) {
	for _, client := range []*clienttesting.Fake{&w.typed.Fake, &w.dynamic.Fake} {
		client.PrependReactor("delete", resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, nil })
	}
}

// What is there after it was deleted is named, whatever it is.
func TestUndoNamesWhatIsLeft(t *testing.T) {
	own := drill(takesOne, reads)
	for resource, test := range map[string]struct {
		put  func(*world)
		says string
	}{
		"configmaps": {func(w *world) {
			modifiers := configMap(inVelero, own.Own)
			modifiers.Labels = marks(run)
			w.add(t, modifiers)
		}, "still there: configmaps velero/" + own.Own},
		"downloadrequests": {func(w *world) {
			w.velero(t, velero.DownloadRequests, "DownloadRequest", &velerov1.DownloadRequest{ObjectMeta: metav1.ObjectMeta{Name: own.Own + "-1", Labels: marks(run)}})
		}, "still there: downloadrequests velero/" + own.Own + "-1"},
		"deletebackuprequests": {func(w *world) {
			w.velero(t, velero.DeleteRequests, "DeleteBackupRequest", &velerov1.DeleteBackupRequest{ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run)}})
		}, "still there: deletebackuprequests velero/" + own.Own},
		"pods": {func(w *world) {
			if err := w.reader(t.Context(), "reader-1"); err != nil {
				t.Fatal(err)
			}
		}, "reader-1"},
		"restores": {func(w *world) {
			w.velero(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run)}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
			})
		}, "restores velero/" + own.Own + " is gone"},
		"backups": {func(w *world) {
			w.velero(t, velero.Backups, "Backup", &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run)}})
		}, "backups velero/" + own.Own + " is gone"},
	} {
		t.Run(resource, func(t *testing.T) {
			w := newWorld(t)
			test.put(w)
			w.keeps(resource)
			synctest.Test(t, func(t *testing.T) {
				if said, err := w.undo(t, own); err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("said %q, %v; want %q", said, err, test.says)
				}
			})
		})
	}
}

// One thing that can't be deleted keeps nothing else from being deleted.
func TestUndoGoesOn(t *testing.T) {
	own := drill(takesOne, reads)
	for _, denied := range []kube.Access{
		{Namespace: inVelero, Verb: "delete", Resource: "configmaps"},
		{Namespace: inVelero, Verb: "list", Group: "velero.io", Resource: "downloadrequests"},
		{Namespace: inVelero, Verb: "delete", Group: "velero.io", Resource: "restores"},
	} {
		t.Run(denied.String(), func(t *testing.T) {
			w := newWorld(t)
			modifiers := configMap(inVelero, own.Own)
			modifiers.Labels = marks(run)
			w.add(t, modifiers)
			w.add(t, ourNamespace())
			w.velero(t, velero.Restores, "Restore", &velerov1.Restore{
				ObjectMeta: metav1.ObjectMeta{Name: own.Own, Labels: marks(run)}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
			})
			w.velero(t, velero.DownloadRequests, "DownloadRequest", &velerov1.DownloadRequest{ObjectMeta: metav1.ObjectMeta{Name: own.Own + "-1", Labels: marks(run)}})
			if err := w.reader(t.Context(), "reader-1"); err != nil {
				t.Fatal(err)
			}
			w.denied = &denied
			if said, err := w.undo(t, own); !apierrors.IsForbidden(err) {
				t.Errorf("said %q, %v", said, err)
			}
			for _, one := range w.marked(t) {
				if !strings.HasPrefix(one, denied.Resource+" ") {
					t.Errorf("%s is left", one)
				}
			}
		})
	}
}

// Where Velero was uninstalled meanwhile, its objects are gone with their definitions;
// what else the run has made is not.
func TestUndoWithoutVelero(t *testing.T) {
	own := drill(takesOne, reads)
	w := newWorld(t, ourNamespace())
	modifiers := configMap(inVelero, own.Own)
	modifiers.Labels = marks(run)
	w.add(t, modifiers)
	if err := w.reader(t.Context(), "reader-1"); err != nil {
		t.Fatal(err)
	}
	w.dynamic.PrependReactor("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewGenericServerResponse(404, action.GetVerb(), action.GetResource().GroupResource(), "", "", 0, true)
	})
	if said, err := w.undo(t, own); err != nil || said != "namespace drill deleted; nothing is left" {
		t.Errorf("said %q, %v", said, err)
	}
	if left := w.marked(t); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// The scratch namespace is deleted if the run has made it.
func TestUndoOfTheNamespace(t *testing.T) {
	restored := &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run)}, Status: velerov1.RestoreStatus{Phase: velerov1.RestorePhaseCompleted},
	}
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of a synctest bubble
	deleting := func(n *corev1.Namespace) {
		n.DeletionTimestamp, n.Finalizers = &metav1.Time{Time: began}, []string{"kubernetes"}
		n.Status.Conditions = []corev1.NamespaceCondition{
			{Type: "NamespaceContentRemaining", Status: corev1.ConditionTrue, Message: "widgets.example.com has 1 resource instances"},
			{Type: "NamespaceDeletionDiscoveryFailure", Status: corev1.ConditionFalse, Message: "all is well"},
		}
	}
	somebodys := func(n *corev1.Namespace) { n.Labels = nil }
	for name, test := range map[string]struct {
		namespace *corev1.Namespace
		restored  bool
		says      string
		lasting   bool
		left      bool
	}{
		"of the run":                        {ourNamespace(), false, "", false, false},
		"somebody else was quicker":         {ourNamespace(somebodys), false, "", false, true},
		"somebody has taken the label away": {ourNamespace(somebodys), true, "it does not bear the mark", true, true},
		"stuck":                             {ourNamespace(deleting), false, "stuck in deletion for 1m0s: widgets.example.com has 1 resource instances: remove what keeps it", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.namespace)
			if test.restored {
				w.velero(t, velero.Restores, "Restore", restored.DeepCopy())
			}
			synctest.Test(t, func(t *testing.T) {
				plan := experiments.Plan{}
				if err := plan.SetData(drill()); err != nil {
					t.Fatal(err)
				}
				said, err := new(Restore).Undo(t.Context(), w.env(), plan)
				if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) || experiments.IsLasting(err) != test.lasting {
					t.Errorf("said %q, %v", said, err)
				}
			})
			if _, err := w.typed.CoreV1().Namespaces().Get(t.Context(), "drill", metav1.GetOptions{}); (err == nil) != test.left {
				t.Errorf("the namespace: %v", err)
			}
		})
	}
}

// Volumes made for the copy go with it, or are named.
func TestUndoOfVolumes(t *testing.T) {
	volume := func(name, namespace string, policy corev1.PersistentVolumeReclaimPolicy, phase corev1.PersistentVolumePhase) *corev1.PersistentVolume {
		return &corev1.PersistentVolume{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
			Spec:       corev1.PersistentVolumeSpec{PersistentVolumeReclaimPolicy: policy, ClaimRef: &corev1.ObjectReference{Namespace: namespace, Name: "data"}},
			Status:     corev1.PersistentVolumeStatus{Phase: phase},
		}
	}
	const deleted, retained = corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRetain
	for name, test := range map[string]struct {
		volumes []runtime.Object
		says    string
		lasting bool
	}{
		"none":             {nil, "", false},
		"of others":        {[]runtime.Object{volume("pv-1", "shop", deleted, corev1.VolumeBound), volume("pv-2", "shop", retained, corev1.VolumeBound)}, "", false},
		"kept":             {[]runtime.Object{volume("pv-2", "drill", retained, corev1.VolumeReleased), volume("pv-1", "drill", retained, corev1.VolumeReleased)}, "delete persistentvolume pv-1 pv-2,", true},
		"failed to delete": {[]runtime.Object{volume("pv-1", "drill", deleted, corev1.VolumeFailed)}, "delete persistentvolume pv-1,", true},
		"going":            {[]runtime.Object{volume("pv-1", "drill", deleted, corev1.VolumeReleased)}, "waiting until the volumes of drill are gone", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.volumes...)
			synctest.Test(t, func(t *testing.T) {
				said, err := w.undo(t, drill())
				if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) || experiments.IsLasting(err) != test.lasting {
					t.Errorf("said %q, %v", said, err)
				}
			})
		})
	}
	t.Run("not to be seen", func(t *testing.T) {
		w := newWorld(t)
		w.denied = &kube.Access{Verb: "list", Resource: "persistentvolumes"}
		if said, err := w.undo(t, drill()); err != nil {
			t.Errorf("said %q, %v", said, err)
		}
		if !slices.ContainsFunc(w.record.said, func(payload any) bool {
			progress, _ := payload.(journal.Progress)
			return strings.Contains(progress.Message, "whether volumes of drill are left can't be told")
		}) {
			t.Errorf("recorded %v", w.record.said)
		}
	})
}

// A Restore that Velero is at work on is waited for, and not deleted under its hands.
func TestUndoOfARestoreThatHangs(t *testing.T) {
	w := newWorld(t, ourNamespace())
	began := metav1.NewTime(time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)) // an hour before a synctest bubble begins
	w.velero(t, velero.Restores, "Restore", &velerov1.Restore{
		ObjectMeta: metav1.ObjectMeta{Name: drill().Own, Labels: marks(run)},
		Status:     velerov1.RestoreStatus{Phase: velerov1.RestorePhaseInProgress, StartTimestamp: &began},
	})
	synctest.Test(t, func(t *testing.T) {
		plan := experiments.Plan{}
		if err := plan.SetData(drill()); err != nil {
			t.Fatal(err)
		}
		said, err := new(Restore).Undo(t.Context(), w.env(), plan)
		if !experiments.IsLasting(err) || !strings.Contains(err.Error(), "restart Velero") || !strings.Contains(err.Error(), "gameday recover "+run) {
			t.Errorf("said %q, %v", said, err)
		}
	})
	if len(w.deleted()) > 0 {
		t.Errorf("deleted %v", w.deleted())
	}
}
