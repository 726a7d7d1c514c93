package availability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// pageSize bounds how many full objects are in memory at once.
	pageSize = 500
	// watchFor bounds one watch request. Resuming one costs nothing and loses
	// nothing; a bound keeps a watch that a server has forgotten from being
	// believed for ever.
	watchFor = 10 * time.Minute
	// lateAfter is how much later than its cause a change may be stamped before
	// the record says so.
	lateAfter = 100 * time.Millisecond
	// catchUp is how long after a watch was resumed its changes still count as
	// delivered late.
	catchUp = 250 * time.Millisecond

	// proveFor is how long a watch has to go without an error, when it delivers
	// nothing, to be believed.
	proveFor = 5 * time.Second

	retryFirst = 50 * time.Millisecond
	retryMost  = time.Second
)

// feed follows one resource: a list, then a watch from there, resumed for ever.
// It is no informer on purpose. An informer keeps whole objects, doesn't say
// when it received a change, and hides the relists that a verdict depends on.
//
// What it hands over is reduced to T at once; the object itself is garbage
// by the next message.
type feed[T any] struct {
	source
	clock clock
	// reduce keeps what the check looks at; false leaves the object out.
	reduce func(runtime.Object) (T, bool)
	// alive is when the connection last proved itself, by the pulse.
	alive func() time.Time
	// post runs a function on the goroutine that owns the tally.
	post func(func())
	sink sink[T]
}

// sink receives a feed. Its functions run on the tally's goroutine.
type sink[T any] struct {
	// replace is the whole list; gap is nil for the first one.
	replace func(items []T, at time.Time, gap *gapEvent)
	set     func(item T, at time.Time)
	remove  func(item T, at time.Time)
	gap     func(gapEvent)
}

// position is where a feed has got to.
type position struct {
	version string
	// seen is when the feed last knew that it missed nothing.
	seen time.Time
	// lost is set when the version can no longer be resumed from, with the reason.
	lost error
}

// run follows the resource until ctx ends. An error means that it will never
// be seen: it is forbidden, or it does not exist.
func (f *feed[T]) run(ctx context.Context) error {
	at, err := f.begin(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	for ctx.Err() == nil {
		at = f.follow(ctx, at)
	}
	return nil
}

// begin makes the first list, trying again whatever may pass.
func (f *feed[T]) begin(ctx context.Context) (position, error) {
	for wait := retryFirst; ; wait = longer(wait) {
		items, version, err := f.listAll(ctx)
		if err == nil {
			now := f.clock.now()
			f.post(func() { f.sink.replace(items, now, nil) })
			return position{version: version, seen: now}, nil
		}
		if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsUnauthorized(err) {
			return position{}, fmt.Errorf("listing %s: %w", f.name, err)
		}
		if !pause(ctx, wait) {
			return position{}, fmt.Errorf("listing %s: %w", f.name, err)
		}
	}
}

// follow watches from a position until the watch ends, mends what the end of
// it broke, and returns the position to go on from.
func (f *feed[T]) follow(ctx context.Context, from position) position {
	var why error
	for wait := retryFirst; ctx.Err() == nil; wait = longer(wait) {
		if from.lost != nil {
			next, err := f.relist(ctx, from)
			if err == nil {
				return next
			}
			why = err
		} else {
			stream, err := f.watch(ctx, from.version)
			if err == nil {
				return f.drain(ctx, stream, from, why)
			}
			if why = err; unresumable(err) {
				from.lost = err
				continue
			}
		}
		if !pause(ctx, wait) {
			break
		}
	}
	if ctx.Err() != nil && why != nil { // the end came while the eyes were shut
		f.closeGap(from, "not seen again: "+reason(why), true, f.clock.now())
	}
	return from
}

func (f *feed[T]) watch(ctx context.Context, version string) (watch.Interface, error) {
	timeout := int64(watchFor.Seconds())
	return f.open(ctx, metav1.ListOptions{
		LabelSelector: f.labels, FieldSelector: f.fields,
		ResourceVersion: version, AllowWatchBookmarks: true, TimeoutSeconds: &timeout,
	})
}

// relist begins anew after the position was lost.
func (f *feed[T]) relist(ctx context.Context, from position) (position, error) {
	items, version, err := f.listAll(ctx)
	if err != nil {
		return from, err
	}
	now := f.clock.now()
	gap := gapEvent{From: from.seen, To: now, Watch: f.name, Why: reason(from.lost), Lost: true}
	f.post(func() { f.sink.replace(items, now, &gap) })
	return position{version: version, seen: now}, nil
}

func (f *feed[T]) closeGap(from position, why string, lost bool, to time.Time) {
	gap := gapEvent{From: from.seen, To: to, Watch: f.name, Why: why, Lost: lost}
	f.post(func() { f.sink.gap(gap) })
}

// drain hands on what a watch delivers until it ends. why is the trouble there
// was in opening it.
func (f *feed[T]) drain(ctx context.Context, stream watch.Interface, at position, why error) position {
	defer stream.Stop()
	opened := f.clock.now()
	// An API server that can't resume from a version often says so only after
	// it has accepted the watch. Until the watch has proven itself, nothing has
	// been seen since its predecessor ended.
	proving := time.NewTimer(proveFor)
	defer proving.Stop()
	proven := false
	prove := func() {
		if !proven {
			proven = true
			f.resumed(at, opened, why)
		}
	}
	for {
		select {
		case <-ctx.Done():
			if !proven && opened.Sub(at.seen) > lateAfter {
				f.closeGap(at, "the watch had only just been opened again", true, f.clock.now())
			}
			return at
		case <-proving.C:
			prove()
		case event, ok := <-stream.ResultChan():
			// The moment of receipt is the measure; take it before anything else.
			now := f.clock.now()
			if ok && event.Type != watch.Error {
				prove()
				at.version, at.seen = f.deliver(event, now, at.version), now
				continue
			}
			if proven {
				at.seen = f.seenUntil(at.seen, opened, now)
			}
			if !ok {
				if !proven {
					pause(ctx, retryFirst)
				}
				return at
			}
			if err := apierrors.FromObject(event.Object); unresumable(err) {
				at.lost = err
			} else {
				pause(ctx, retryFirst)
			}
			return at
		}
	}
}

// resumed reports that a watch went on from where it had stopped: nothing was
// lost, but what happened meanwhile arrives late.
func (f *feed[T]) resumed(from position, opened time.Time, why error) {
	if opened.Sub(from.seen) <= lateAfter {
		return
	}
	cause := "the watch ended"
	if why != nil {
		cause = reason(why)
	}
	f.closeGap(from, cause+"; resumed without loss", false, opened.Add(catchUp))
}

// seenUntil says up to when an ended watch had shown everything. One that ran
// its full time was ended by the server, after the last change. Any other end
// may be that of a connection that was dead for a while: client-go gives the
// same end of stream for both. It is believed up to the last sign of life.
func (f *feed[T]) seenUntil(last, opened, now time.Time) time.Time {
	if now.Sub(opened) >= watchFor-time.Second {
		return now
	}
	if alive := f.alive(); alive.After(last) {
		return alive
	}
	return last
}

// deliver hands on one event and returns the version to resume from after it.
func (f *feed[T]) deliver(event watch.Event, now time.Time, version string) string {
	if object, err := meta.Accessor(event.Object); err == nil && object.GetResourceVersion() != "" {
		version = object.GetResourceVersion()
	}
	if event.Type == watch.Bookmark {
		return version
	}
	item, ok := f.reduce(event.Object)
	if !ok {
		return version
	}
	if event.Type == watch.Deleted {
		f.post(func() { f.sink.remove(item, now) })
	} else {
		f.post(func() { f.sink.set(item, now) })
	}
	return version
}

// listAll lists in pages and keeps only the reduced items.
func (f *feed[T]) listAll(ctx context.Context) (items []T, version string, err error) {
	options := metav1.ListOptions{LabelSelector: f.labels, FieldSelector: f.fields, Limit: pageSize}
	for {
		page, err := f.list(ctx, options)
		if err != nil {
			return nil, "", err
		}
		err = meta.EachListItem(page, func(object runtime.Object) error {
			if item, ok := f.reduce(object); ok {
				items = append(items, item)
			}
			return nil
		})
		if err != nil {
			return nil, "", fmt.Errorf("reading list: %w", err)
		}
		header, err := meta.ListAccessor(page)
		if err != nil {
			return nil, "", fmt.Errorf("reading list: %w", err)
		}
		if header.GetContinue() == "" {
			return items, header.GetResourceVersion(), nil
		}
		options.Continue = header.GetContinue()
	}
}

// unresumable says that the API server no longer, or not yet, knows the
// version: what happened since can't be had from a watch any more.
func unresumable(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) ||
		apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
}

func longer(wait time.Duration) time.Duration { return min(2*wait, retryMost) }

// pause waits, a little unevenly so that feeds don't return all at once, and
// says whether ctx lives.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait + rand.N(wait/4))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
