package objects

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// progressEvery is how many objects lie between two calls of Progress.
const progressEvery = 500

// run is a comparison at work.
type run struct {
	Comparison
	mapping
	kinds  *kinds
	result Result

	settling   settling
	candidates candidates
	walker     walker
	// now is what is being compared.
	subject subject
	kind    *kind
}

func newRun(c Comparison, namespaces mapping) *run {
	r := &run{
		Comparison: c,
		mapping:    namespaces,
		kinds:      newKinds(c.Rules),
		settling:   newSettling(),
		result: Result{
			Expected: map[string]int64{}, Counts: map[string]Count{}, NotRestored: map[string]string{}, NotBackedUp: map[string]int64{},
		},
	}
	r.walker.expect = func(rule *Rule, _ string, _, _ any) { r.expected(rule) }
	return r
}

// compare walks through the sides of one resource in the order of the
// original's namespaces and names.
func (r *run) compare(ctx context.Context, s subject) error {
	ctx, cancel := context.WithCancel(ctx)
	r.subject, r.kind = s, r.kinds.of(s.resource)
	wanted := read(ctx, "what is wanted", s.wanted, s.resource, r.fromOriginal(s.resource))
	found := read(ctx, "what was found", s.found, s.resource, r.fromFound(s.resource))
	live := read(ctx, "what is live", s.live, s.resource, func(p place) (place, error) { return p, nil })
	feeds := [...]*feed{wanted, found, live}
	defer func() {
		cancel()
		for _, f := range feeds {
			f.close()
		}
	}()
	for {
		var heads [len(feeds)]*unstructured.Unstructured
		var at place
		none := true
		for i, f := range feeds {
			if heads[i] = f.head(ctx); heads[i] != nil && (none || f.at.before(at)) {
				at, none = f.at, false
			}
		}
		for _, f := range feeds {
			if err := f.failed(); err != nil {
				return err
			}
		}
		if none {
			break
		}
		for i, f := range feeds {
			if heads[i] != nil && f.at != at {
				heads[i] = nil
			}
		}
		r.meet(at, heads[0], heads[1], heads[2])
		for i, f := range feeds {
			if heads[i] != nil {
				f.advance()
			}
		}
	}
	name := s.resource.String()
	r.result.Counts[name] = Count{Wanted: wanted.count, Found: found.count, Live: live.count}
	if s.notRestored != "" && wanted.count > 0 {
		r.result.NotRestored[name] = s.notRestored
	}
	r.progress(true)
	return nil
}

// meet takes what the sides have at one place; one of them at least has
// something.
func (r *run) meet(at place, wanted, found, live *unstructured.Unstructured) {
	if wanted != nil {
		r.result.Objects++
		r.progress(false)
	}
	losses := r.result.LossCount
	switch {
	case wanted == nil && found != nil:
		r.extra(at, found)
	case wanted != nil && found != nil:
		r.settling.accept(r.kind.name, at, found)
		r.restored(at, wanted, found)
		r.references(at, found)
	case wanted != nil && r.subject.notRestored == "":
		r.missing(at, wanted)
	}
	switch {
	case r.Live == nil || r.subject.only != "":
	case wanted == nil && live != nil:
		r.notInBackup(at, live)
	case wanted != nil && live == nil:
		r.presence(at, Case{WantedObject: wanted}, Gone, Drift, "deleted since the backup")
	case wanted != nil && live != nil:
		r.moved(at, wanted, live)
	}
	if wanted != nil && found != nil && r.result.LossCount == losses {
		r.result.Equal++
		r.candidate(found)
	}
}

func (r *run) progress(end bool) {
	if r.Progress != nil && (end || r.result.Objects%progressEvery == 0) {
		r.Progress(r.result.Objects)
	}
}

// restored compares an object with what was restored of it.
func (r *run) restored(at place, wanted, found *unstructured.Unstructured) {
	for _, f := range r.walk(restoring, wanted, found) {
		d := r.difference(at, Loss, f.what, f.path)
		d.Wanted, d.Found = r.kind.renderPair(f.wanted, f.found)
		r.tell(d)
	}
	r.count(Loss, r.walker.more)
}

// moved compares an object with the original as it is now.
func (r *run) moved(at place, wanted, live *unstructured.Unstructured) {
	mode, label, what, why := moving, Drift, Moved, ""
	if wanted.GetUID() != live.GetUID() {
		r.presence(at, Case{WantedObject: wanted, FoundObject: live}, Recreated, Drift, "it is another object of that name by now")
	} else if version := wanted.GetResourceVersion(); version != "" && version == live.GetResourceVersion() && wanted.GetAPIVersion() == live.GetAPIVersion() {
		if same(wanted.Object, live.Object) {
			return
		}
		mode, label, what = keeping, Loss, BackupAltered
		why = "the backup holds something else than was live at resourceVersion " + version
	}
	for _, f := range r.walk(mode, wanted, live) {
		d := r.difference(at, label, what, f.path)
		d.Wanted, d.Live = r.kind.renderPair(f.wanted, f.found)
		d.Why = why
		r.tell(d)
	}
	r.count(label, r.walker.more)
}

// walk gives what differs between two objects and no rule expects, in the
// order of paths; of more than mostFindings only so many.
func (r *run) walk(mode mode, wanted, found *unstructured.Unstructured) []finding {
	w := &r.walker
	w.begin(r.kind, mode, Case{Resource: r.kind.resource, WantedObject: wanted, FoundObject: found, Namespaces: r.there})
	w.objects(r.kind.prepared(wanted), r.kind.prepared(found))
	sortFindings(w.found)
	return w.found
}

func (r *run) expected(rule *Rule) { r.result.Expected[rule.Name]++ }

// notInBackup takes a live object that the backup does not hold.
func (r *run) notInBackup(at place, live *unstructured.Unstructured) {
	if r.NotBackedUp != nil {
		if why := r.NotBackedUp(r.subject.resource, live); why != "" {
			r.result.NotBackedUp[why]++
			return
		}
	}
	// Creation is known to the second: one that may have been after is no loss.
	if created := live.GetCreationTimestamp(); !r.TakenAt.IsZero() && !created.Add(time.Second).After(r.TakenAt) {
		r.presence(at, Case{FoundObject: live}, NotBackedUp, Loss, "not in the backup, though it was there before it began")
		return
	}
	r.presence(at, Case{FoundObject: live}, New, Drift, "made since the backup began")
}

// presence takes an object that a side has and another has not.
func (r *run) presence(at place, c Case, what string, label Label, why string) {
	c.Resource, c.Namespaces = r.subject.resource, r.there
	d := r.difference(at, label, what, "")
	d.Why = why
	switch rule := r.kind.presenceRule(c, what); {
	case rule == nil:
		r.tell(d)
	case rule.settle != nil && r.Only == nil:
		r.settling.wait(rule, c, d, r.mapping)
	default:
		r.expected(rule)
		if what == Extra {
			r.settling.accept(r.kind.name, at, c.FoundObject)
			r.settling.replaced(at, c.FoundObject)
		}
	}
}

func (r *run) extra(at place, found *unstructured.Unstructured) {
	r.presence(at, Case{FoundObject: found}, Extra, Loss, "it was there before, or somebody else made it")
}

func (r *run) missing(at place, wanted *unstructured.Unstructured) {
	why := "the backup holds it, and it was not restored"
	switch {
	case r.subject.only != "":
		why = fmt.Sprintf("the backup holds it in %s, which the cluster no longer has: only %s", r.subject.resource.Version, r.subject.only)
	case r.WhyMissing != nil:
		if more := r.WhyMissing(r.subject.resource, wanted); more != "" {
			why += ": " + more
		}
	}
	r.presence(at, Case{WantedObject: wanted}, Missing, Loss, why)
}

func (r *run) difference(at place, label Label, what, path string) Difference {
	return Difference{
		Resource: r.subject.resource.String(), Kind: r.subject.resource.Kind,
		Namespace: at.namespace, Name: at.name, Label: label, What: what, Path: path,
	}
}

// tell counts a difference and keeps it if there is room.
func (r *run) tell(d Difference) {
	r.count(d.Label, 1)
	kept := &r.result.Loss
	if d.Label == Drift {
		kept = &r.result.Drift
	}
	if len(*kept) < r.Keep {
		*kept = append(*kept, d)
	}
}

func (r *run) count(label Label, n int) {
	if label == Drift {
		r.result.DriftCount += int64(n)
	} else {
		r.result.LossCount += int64(n)
	}
}
