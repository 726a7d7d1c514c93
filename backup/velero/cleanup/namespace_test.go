package cleanup

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

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
	for name, test := range map[string]struct {
		namespace *corev1.Namespace
		restored  bool
		says      string
		lasting   bool
		left      bool
	}{
		"of the run":                        {scratch(marks(run)), false, "", false, false},
		"somebody else was quicker":         {scratch(nil), false, "", false, true},
		"somebody has taken the label away": {scratch(nil), true, "it does not bear the mark", true, true},
		"stuck":                             {scratch(marks(run), deleting), false, "stuck in deletion for 1m0s: widgets.example.com has 1 resource instances: remove what keeps it", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.namespace)
			if test.restored {
				w.Put(t, velero.Restores, "Restore", restored.DeepCopy())
			}
			synctest.Test(t, func(t *testing.T) {
				said, err := Undo(t.Context(), w.Env(), drill(), kinds)
				if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) || experiments.IsLasting(err) != test.lasting {
					t.Errorf("said %q, %v", said, err)
				}
			})
			if _, err := w.Typed.CoreV1().Namespaces().Get(t.Context(), "drill", metav1.GetOptions{}); (err == nil) != test.left {
				t.Errorf("the namespace: %v", err)
			}
		})
	}
}

// A namespace without the run's mark is somebody's, unless the run restored into it.
func TestUndoOfANamespaceThatIsNotMarked(t *testing.T) {
	restored := func(by string) *corev1.ConfigMap {
		config := velerotest.ConfigMap("drill", "settings")
		config.Labels = map[string]string{velerov1.RestoreNameLabel: by}
		return config
	}
	for name, test := range map[string]struct {
		objects []runtime.Object
		left    string
	}{
		"somebody's":              {objects: []runtime.Object{scratch(nil), velerotest.ConfigMap("drill", "settings")}},
		"of another run":          {objects: []runtime.Object{scratch(marks("20260512-030000-cd34")), restored("gameday-20260512-030000-cd34-0001")}},
		"made anew by Velero":     {objects: []runtime.Object{scratch(nil), restored(drill().Own)}, left: "ConfigMap settings in it was restored by " + drill().Own},
		"restored into elsewhere": {objects: []runtime.Object{scratch(nil), func() *corev1.ConfigMap { c := restored(drill().Own); c.Namespace = "other"; return c }()}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, test.objects...)
			for range 2 { // again and again
				said, err := w.undo(t, drill())
				switch {
				case test.left == "" && err != nil:
					t.Errorf("said %q, %v", said, err)
				case test.left != "" && (!experiments.IsLasting(err) || !strings.Contains(err.Error(), test.left)):
					t.Errorf("said %q, %v; want it to tell of %q", said, err, test.left)
				}
			}
			if len(w.Deleted()) > 0 {
				t.Errorf("deleted %v", w.Deleted())
			}
		})
	}
}
