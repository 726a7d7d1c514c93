package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
)

// FollowOptions says what of a collection is followed.
type FollowOptions struct {
	LabelSelector string
	FieldSelector string
	// Lost is told, once for each time, that the world can't be seen for a
	// moment: the API server restarts, a watch breaks. May be nil.
	Lost func(error)
}

// Follow keeps a view of a collection current with one list and one watch. It
// calls seen with the whole view after the list and after every change, until
// seen returns true, ctx ends, or the API server says that it never will
// answer. A broken watch is resumed where it stopped, or else the collection
// is listed again, so that the view misses no object, though it may miss
// states in between.
//
// The view holds what keep makes of each object; objects that keep drops don't
// cost memory. The view belongs to Follow: seen must not hold on to it.
func Follow[L runtime.Object, T metav1.Object, V any](
	ctx context.Context, from Collection[L], options FollowOptions,
	keep func(T) (V, bool), seen func(map[types.UID]V) bool,
) error {
	f := follower[L, T, V]{from: from, options: options, keep: keep, seen: seen, backoff: newBackoff()}
	return f.run(ctx)
}

// errClosedAtOnce makes a server, or a proxy before it, that closes every watch
// at once wait its turn instead of being asked in a tight loop.
var errClosedAtOnce = errors.New("watching: closed at once")

// atOnce is how short a watch without an event is suspicious.
const atOnce = time.Second

// newBackoff is quick at first, since an API server that restarts is back
// within seconds and its first answer is what everybody waits for.
func newBackoff() wait.Backoff {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 5, Cap: 2 * time.Second}
}

type follower[L runtime.Object, T metav1.Object, V any] struct {
	from    Collection[L]
	options FollowOptions
	keep    func(T) (V, bool)
	seen    func(map[types.UID]V) bool
	backoff wait.Backoff

	view    map[types.UID]V
	version string // resource version the view is at; empty means list again
	blind   bool   // since the last failure nothing was seen
}

func (f *follower[L, T, V]) run(ctx context.Context) error {
	for {
		done, err := f.once(ctx)
		switch {
		case ctx.Err() != nil && !done:
			return context.Cause(ctx)
		case done:
			return nil
		case f.view == nil && hopeless(err):
			return err
		case err == nil: // the server closed the watch, as it does every so often
			continue
		}
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			f.version = ""
		} else if f.options.Lost != nil && !f.blind {
			f.options.Lost(err)
		}
		f.blind = true
		if err := Pause(ctx, f.backoff.Step()); err != nil {
			return err
		}
	}
}

// recover forgets past failures once the world is seen again.
func (f *follower[L, T, V]) recover() { f.backoff, f.blind = newBackoff(), false }

// once lists, if needed, and watches until the watch ends.
func (f *follower[L, T, V]) once(ctx context.Context) (done bool, err error) {
	if f.version == "" {
		if err := f.list(ctx); err != nil {
			return false, err
		}
		// The backoff stays until a watch works: watches that keep failing must
		// not become a stream of lists.
		f.blind = false
		if f.seen(f.view) {
			return true, nil
		}
	}
	began, heard := time.Now(), false
	watcher, err := f.from.Watch(ctx, metav1.ListOptions{
		LabelSelector:       f.options.LabelSelector,
		FieldSelector:       f.options.FieldSelector,
		ResourceVersion:     f.version,
		AllowWatchBookmarks: true,
	})
	if err != nil {
		return false, err
	}
	defer watcher.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case event, open := <-watcher.ResultChan():
			switch {
			case !open && !heard && time.Since(began) < atOnce:
				return false, errClosedAtOnce
			case !open:
				return false, nil
			}
			changed, err := f.apply(event)
			if err != nil {
				return false, err
			}
			heard = true
			f.recover()
			if changed && f.seen(f.view) {
				return true, nil
			}
		}
	}
}

func (f *follower[L, T, V]) list(ctx context.Context) error {
	view := map[types.UID]V{}
	version, err := eachAnew(ctx, f.from, metav1.ListOptions{
		LabelSelector: f.options.LabelSelector,
		FieldSelector: f.options.FieldSelector,
	}, func() { clear(view) }, func(object T) error {
		if value, ok := f.keep(object); ok {
			view[object.GetUID()] = value
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.view, f.version = view, version
	return nil
}

func (f *follower[L, T, V]) apply(event watch.Event) (changed bool, err error) {
	if event.Type == watch.Error {
		// What the server did not tell can't be made up for by resuming.
		f.version = ""
		return false, fmt.Errorf("watching: %w", apierrors.FromObject(event.Object))
	}
	object, ok := event.Object.(T)
	if !ok {
		return false, fmt.Errorf("watching: unexpected %T", event.Object)
	}
	f.version = object.GetResourceVersion()
	if event.Type == watch.Bookmark {
		return false, nil
	}
	uid := object.GetUID()
	value, kept := f.keep(object)
	if event.Type == watch.Deleted || !kept {
		_, changed = f.view[uid]
		delete(f.view, uid)
		return changed, nil
	}
	f.view[uid] = value
	return true, nil
}

// hopeless says that asking again can't help: we may not, or it makes no
// sense. Only the first answer is taken at its word; an API server that starts
// denies for a moment what it allowed before.
func hopeless(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) ||
		apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || apierrors.IsMethodNotSupported(err)
}
