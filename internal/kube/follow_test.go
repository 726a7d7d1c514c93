package kube

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// shelf is a collection whose lists and watches are written down beforehand.
type shelf struct {
	lists   []func() (*corev1.PodList, error)
	watches []func() (watch.Interface, error)
	from    []string // resource versions that watches began at
}

func (s *shelf) List(context.Context, metav1.ListOptions) (*corev1.PodList, error) {
	next := s.lists[0]
	s.lists = s.lists[1:]
	return next()
}

func (s *shelf) Watch(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	s.from = append(s.from, options.ResourceVersion)
	next := s.watches[0]
	s.watches = s.watches[1:]
	return next()
}

func listed(version string, names ...string) func() (*corev1.PodList, error) {
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: version}}
	for _, name := range names {
		list.Items = append(list.Items, *pod(name, version))
	}
	return func() (*corev1.PodList, error) { return list, nil }
}

func pod(name, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), ResourceVersion: version}}
}

// more is the first page of a longer list.
func more(version string, names ...string) func() (*corev1.PodList, error) {
	return func() (*corev1.PodList, error) {
		list, err := listed(version, names...)()
		list.Continue = "more"
		return list, err
	}
}

// events is a watch that tells these and closes.
func events(list ...watch.Event) func() (watch.Interface, error) {
	return func() (watch.Interface, error) {
		watcher := watch.NewFakeWithChanSize(len(list), false)
		for _, event := range list {
			watcher.Action(event.Type, event.Object)
		}
		watcher.Stop()
		return watcher, nil
	}
}

func failing[T any](err error) func() (T, error) {
	return func() (T, error) {
		var none T
		return none, err
	}
}

func TestFollow(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old")
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	tests := map[string]struct {
		shelf shelf
		until string // Follow ends when this pod, and it alone, is left
		from  []string
		lost  int
		err   bool
	}{
		"first look is enough": {
			shelf: shelf{lists: []func() (*corev1.PodList, error){listed("1", "b")}},
			until: "b",
		},
		"a change": {
			shelf: shelf{
				lists:   []func() (*corev1.PodList, error){listed("1", "a", "b")},
				watches: []func() (watch.Interface, error){events(watch.Event{Type: watch.Deleted, Object: pod("a", "2")})},
			},
			until: "b", from: []string{"1"},
		},
		"a closed watch is resumed where it stopped": {
			shelf: shelf{
				lists: []func() (*corev1.PodList, error){listed("1", "a", "b")},
				watches: []func() (watch.Interface, error){
					events(watch.Event{Type: watch.Bookmark, Object: pod("", "7")}),
					failing[watch.Interface](errors.New("connection refused")),
					failing[watch.Interface](errors.New("connection refused")),
					events(watch.Event{Type: watch.Deleted, Object: pod("a", "8")}),
				},
			},
			until: "b", from: []string{"1", "7", "7", "7"}, lost: 1,
		},
		"what expired is listed again": {
			shelf: shelf{
				lists:   []func() (*corev1.PodList, error){listed("1", "a"), listed("9", "b")},
				watches: []func() (watch.Interface, error){failing[watch.Interface](expired)},
			},
			until: "b", from: []string{"1"},
		},
		"an error in the watch is listed again": {
			shelf: shelf{
				lists:   []func() (*corev1.PodList, error){listed("1", "a"), listed("9", "b")},
				watches: []func() (watch.Interface, error){events(watch.Event{Type: watch.Error, Object: &expired.ErrStatus})},
			},
			until: "b", from: []string{"1"},
		},
		"a list that begins again forgets what it saw": {
			shelf: shelf{lists: []func() (*corev1.PodList, error){more("1", "a"), failing[*corev1.PodList](expired), listed("9", "b")}},
			until: "b",
		},
		"a server that starts is waited for": {
			shelf: shelf{lists: []func() (*corev1.PodList, error){failing[*corev1.PodList](errors.New("connection refused")), listed("1", "b")}},
			until: "b", lost: 1,
		},
		"no permission": {
			shelf: shelf{lists: []func() (*corev1.PodList, error){failing[*corev1.PodList](forbidden)}},
			err:   true,
		},
		"a denial after a restart is waited out": {
			shelf: shelf{
				lists:   []func() (*corev1.PodList, error){listed("1", "a"), failing[*corev1.PodList](forbidden), listed("2", "b")},
				watches: []func() (watch.Interface, error){failing[watch.Interface](expired)},
			},
			until: "b", from: []string{"1"}, lost: 0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lost := 0
				err := Follow(t.Context(), &test.shelf, FollowOptions{Lost: func(error) { lost++ }},
					func(p *corev1.Pod) (string, bool) { return p.Name, p.Name != "" },
					func(view map[types.UID]string) bool {
						return len(view) == 1 && view[types.UID(test.until)] == test.until
					})
				if (err != nil) != test.err {
					t.Fatalf("error %v, want one: %v", err, test.err)
				}
				if !slices.Equal(test.shelf.from, test.from) || lost != test.lost {
					t.Errorf("watched from %v and lost %d times, want %v and %d", test.shelf.from, lost, test.from, test.lost)
				}
			})
		})
	}
}

// A proxy that closes every watch at once must not be asked in a tight loop.
func TestFollowDoesNotSpin(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old")
	for name, broken := range map[string]func() (watch.Interface, error){
		"closed at once": events(),
		"expired":        events(watch.Event{Type: watch.Error, Object: &expired.ErrStatus}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				s := &shelf{}
				for range 50 {
					s.lists = append(s.lists, listed("1", "a"))
					s.watches = append(s.watches, broken)
				}
				_ = Follow(ctx, s, FollowOptions{}, func(*corev1.Pod) (int, bool) { return 0, true }, func(map[types.UID]int) bool { return false })
				if len(s.from) > 20 {
					t.Errorf("watched %d times in 20s", len(s.from))
				}
			})
		})
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	s := &shelf{lists: []func() (*corev1.PodList, error){failing[*corev1.PodList](context.Canceled)}}
	err := Follow(ctx, s, FollowOptions{}, func(*corev1.Pod) (int, bool) { return 0, true }, func(map[types.UID]int) bool { return false })
	if !errors.Is(err, why) {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestEachGoesThroughThePages(t *testing.T) {
	first, _ := listed("5", "a")()
	first.Continue = "more"
	pages := &shelf{lists: []func() (*corev1.PodList, error){
		func() (*corev1.PodList, error) { return first, nil },
		failing[*corev1.PodList](apierrors.NewResourceExpired("too old")),
		listed("6", "a", "b"),
	}}
	var names []string
	version, err := Each(t.Context(), pages, metav1.ListOptions{}, func(p *corev1.Pod) error {
		names = append(names, p.Name)
		return nil
	})
	if err != nil || version != "6" || !slices.Equal(names, []string{"a", "a", "b"}) {
		t.Errorf("got %v at %s, %v", names, version, err)
	}
}
