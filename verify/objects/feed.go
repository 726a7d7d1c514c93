package objects

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// batchSize is how many objects are handed over at once.
const batchSize = 64

// feed goes through the objects of one side while the next ones are being
// read, so that three sides are read at a time.
type feed struct {
	side    string
	batches <-chan batch
	ended   bool // batches is closed
	objects []*unstructured.Unstructured
	err     error
	// at is the place of the object at the head, as the original would have it.
	at   place
	any  bool // there was a head before
	here func(place) (place, error)
	// count is how many objects were gone past.
	count int64
}

type batch struct {
	objects []*unstructured.Unstructured
	err     error
}

// read begins to read a side; it ends with the objects or with ctx. No set has
// no objects.
func read(ctx context.Context, side string, from Set, r Resource, here func(place) (place, error)) *feed {
	batches := make(chan batch, 1)
	go func() {
		defer close(batches)
		if from == nil {
			return
		}
		var next batch
		for object, err := range from.Objects(ctx, r) {
			if err == nil && object != nil {
				next.objects = append(next.objects, object)
			}
			next.err = err
			if err == nil && len(next.objects) < batchSize {
				continue
			}
			select {
			case batches <- next:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
			next = batch{}
		}
		if len(next.objects) > 0 {
			select {
			case batches <- next:
			case <-ctx.Done():
			}
		}
	}()
	return &feed{side: side, batches: batches, here: here}
}

// head gives the object that it stands at; nil at the end or after an error,
// which err then holds.
func (f *feed) head(ctx context.Context) *unstructured.Unstructured {
	for len(f.objects) == 0 {
		if f.err != nil {
			return nil
		}
		select {
		case next, more := <-f.batches:
			if !more {
				f.ended = true
				f.err = context.Cause(ctx) // a reader that was told to stop has not read all
				if f.err == nil {
					f.err = errEnd
				}
				return nil
			}
			f.objects, f.err = next.objects, next.err
		case <-ctx.Done():
			f.err = context.Cause(ctx)
		}
		if len(f.objects) > 0 && !f.locate() {
			return nil
		}
	}
	return f.objects[0]
}

func (f *feed) advance() {
	f.objects[0] = nil
	f.objects = f.objects[1:]
	f.count++
	if len(f.objects) > 0 {
		f.locate()
	}
}

// locate finds where the head belongs and holds the side to its order: a side
// that is not sorted would make losses of what is there.
func (f *feed) locate() bool {
	before := f.at
	at, err := f.here(placeOf(f.objects[0]))
	switch {
	case err != nil:
	case at.name == "":
		err = fmt.Errorf("an object without a name")
	case f.any && !before.before(at):
		err = fmt.Errorf("%s comes after %s: not sorted, or there twice", at, before)
	}
	if err != nil {
		f.objects, f.err = nil, err
		return false
	}
	f.at, f.any = at, true
	return true
}

// close waits until the side is no longer being read: its owner may close a
// file then. The context that it reads under must be over.
func (f *feed) close() {
	for !f.ended {
		_, more := <-f.batches
		f.ended = !more
	}
}

// failed gives the error that ended the feed, nil at its natural end.
func (f *feed) failed() error {
	if f.err == nil || f.err == errEnd { //nolint:errorlint // it is never wrapped
		return nil
	}
	return fmt.Errorf("reading %s: %w", f.side, f.err)
}

const errEnd constantError = "there are no more"

type constantError string

func (e constantError) Error() string { return string(e) }
