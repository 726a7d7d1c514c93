package cleanup

import (
	"slices"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// contentBy puts a content of a snapshot there as Velero restores it.
func (w *world) contentBy(t *testing.T, resource schema.GroupVersionResource, name, restore, policy string) {
	t.Helper()
	content := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"deletionPolicy": policy}}}
	content.SetName(name)
	content.SetUID("uid")
	content.SetResourceVersion("1")
	content.SetLabels(map[string]string{velerov1.RestoreNameLabel: restore})
	if err := w.Dynamic.Tracker().Create(resource, content, ""); err != nil {
		t.Fatal(err)
	}
}

// Velero leaves the contents of snapshots that it restores from behind the namespace.
// They go, and the snapshots stay.
func TestUndoOfSnapshotContents(t *testing.T) {
	single, group := snapshotContents()[0], snapshotContents()[1]
	made := drill()
	for name, test := range map[string]struct {
		put     func(w *world)
		denied  *kube.Access
		says    string // by undo
		left    string // by its error
		lasting bool
		deleted []string
	}{
		"none": {put: func(*world) {}},
		"some": {
			put: func(w *world) {
				w.contentBy(t, single, "a", made.Own, retained)
				w.contentBy(t, single, "b", made.Own, retained)
				w.contentBy(t, group, "g", made.Own, retained)
			},
			says:    "2 volumesnapshotcontents, 1 volumegroupsnapshotcontents deleted; nothing is left",
			deleted: []string{"volumegroupsnapshotcontents/g", "volumesnapshotcontents/a", "volumesnapshotcontents/b"},
		},
		"of others": {put: func(w *world) { w.contentBy(t, single, "a", "nightly-1", retained) }},
		"that would take the snapshot along": {
			put: func(w *world) {
				w.add(t, scratch(marks(run)))
				w.contentBy(t, single, "a", made.Own, "Delete")
			},
			left: `volumesnapshotcontents a with deletionPolicy "Delete": kubectl patch`, lasting: true,
		},
		"that do not go": {
			put: func(w *world) {
				w.contentBy(t, single, "a", made.Own, retained)
				w.keeps(single.Resource)
			},
			left: "waiting until volumesnapshotcontents a are gone", deleted: []string{"volumesnapshotcontents/a"},
		},
		"not to be deleted": {
			put:    func(w *world) { w.contentBy(t, single, "a", made.Own, retained) },
			denied: &kube.Access{Verb: "delete", Group: single.Group, Resource: single.Resource},
			left:   "kubectl delete volumesnapshotcontents a", lasting: true, deleted: []string{"volumesnapshotcontents/a"},
		},
		"not to be seen": {
			put: func(w *world) {
				w.add(t, scratch(marks(run)))
				w.contentBy(t, single, "a", made.Own, retained)
			},
			denied: &kube.Access{Verb: "list", Group: single.Group, Resource: single.Resource},
			says:   "namespace drill deleted; whether volumesnapshotcontents of the restore are left can't be told", deleted: []string{"namespaces/drill"},
		},
		"unknown to the cluster": {put: func(w *world) {
			w.Dynamic.PrependReactor("*", single.Resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewGenericServerResponse(404, action.GetVerb(), single.GroupResource(), "", "", 0, true)
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.put(w)
			if test.denied != nil {
				w.deny(*test.denied)
			}
			said, err := w.undo(t, made)
			if test.left == "" && err != nil || test.left != "" && (err == nil || !strings.Contains(err.Error(), test.left)) || experiments.IsLasting(err) != test.lasting || said != test.says {
				t.Errorf("said %q, %v", said, err)
			}
			var deleted []string
			for what, uid := range w.Deleted() {
				deleted = append(deleted, what)
				if strings.Contains(what, "contents/") && uid != "uid" {
					t.Errorf("%s is deleted, whichever it is", what)
				}
			}
			if slices.Sort(deleted); !slices.Equal(deleted, test.deleted) {
				t.Errorf("deleted %v, want %v", deleted, test.deleted)
			}
		})
	}
}
