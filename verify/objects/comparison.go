package objects

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Comparison compares what a backup holds with what was restored from it, and
// with the original.
type Comparison struct {
	// Wanted is what the backup holds.
	Wanted Set
	// Found is what was restored; nil when nothing was, so that Wanted is
	// compared with Live only.
	Found Set
	// Live is the original as it is now; nil for a comparison of two sides.
	Live Set
	// Namespaces leads from a namespace of Wanted and Live to that of Found.
	// Others have the same name on all sides.
	Namespaces map[string]string
	// Names leads from the names that objects of a resource have in Found to those
	// that they have in Wanted, where the restore had to give them others; nil or
	// empty where it had not. Found is then read into memory.
	Names func(Resource) map[string]string
	// Rules are the caller's own; they are asked before Kubernetes' own.
	Rules []Rule
	// TakenAt is when the backup began, by the clock of the API server: what Live
	// had before must be in Wanted. Zero: nothing is asked of Live.
	TakenAt time.Time
	// NotRestored says why objects of a resource are not expected in Found, ""
	// when they are. Found is then not asked for them.
	NotRestored func(Resource) string
	// NotBackedUp says why a live object is not expected in Wanted, "" when it is.
	NotBackedUp func(Resource, *unstructured.Unstructured) string
	// WhyMissing says more of a wanted object that Found lacks, for people; "" or nil
	// for nothing.
	WhyMissing func(Resource, *unstructured.Unstructured) string
	// Only, when set, is the one resource to compare, known by group and name.
	// Owners of other resources are not read then, so that an object that nobody
	// wanted is taken to be its controller's work when it names one.
	Only *Resource
	// Keep is how many differences of each label are kept; counts are always whole.
	Keep int
	// Progress is told how many objects of Wanted have been compared so far.
	Progress func(compared int64)
}

// Count is how many objects of a resource a side holds.
type Count struct {
	Wanted int64 `json:"wanted"`
	Found  int64 `json:"found"`
	Live   int64 `json:"live"`
}

// Result is what a comparison found. It holds no value of a Secret.
type Result struct {
	// Objects are those of Wanted; Equal are those of them that were found and
	// have no loss.
	Objects int64 `json:"objects"`
	Equal   int64 `json:"equal"`
	// Expected counts the differences that a rule expects, by its name.
	Expected map[string]int64 `json:"expected,omitempty"`
	// Loss and Drift are the first few of each, in the order of resources,
	// namespaces, names and paths; LossCount and DriftCount count all.
	Loss       []Difference `json:"loss,omitempty"`
	LossCount  int64        `json:"lossCount"`
	Drift      []Difference `json:"drift,omitempty"`
	DriftCount int64        `json:"driftCount"`
	// Notes are the first few expected differences that a person should know of,
	// Reference all: texts that name a Service of the original by its full name,
	// fields of custom resources called namespace, and references that a rule of the
	// caller's expects. NoteCount counts all.
	Notes     []Difference `json:"notes,omitempty"`
	NoteCount int64        `json:"noteCount"`
	// Counts are by resource: "deployments.apps".
	Counts map[string]Count `json:"counts,omitempty"`
	// NotRestored says by resource why nothing was expected in Found; NotBackedUp
	// counts by reason the live objects that were not expected in Wanted.
	NotRestored map[string]string `json:"notRestored,omitempty"`
	NotBackedUp map[string]int64  `json:"notBackedUp,omitempty"`
	// Candidates are objects of Found without a loss, of which Alter can change
	// one to prove that the comparison sees it.
	Candidates []Candidate `json:"candidates,omitempty"`
}

// Candidate is an object of Found.
type Candidate struct {
	Resource  Resource `json:"resource"`
	Namespace string   `json:"namespace,omitempty"` // where it was found
	Name      string   `json:"name"`
}

// Run compares. An error says that a side could not be read, so that nothing
// is known of what was left; the result then holds what was found before.
func (c Comparison) Run(ctx context.Context) (Result, error) {
	namespaces, err := newMapping(c.Namespaces)
	if err != nil {
		return Result{}, fmt.Errorf("comparing objects: %w", err)
	}
	namespaces.names = c.Names
	r := newRun(c, namespaces)
	plan, err := r.plan(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("comparing objects: %w", err)
	}
	for _, subject := range plan {
		if err := r.compare(ctx, subject); err != nil {
			return r.result, fmt.Errorf("comparing %s: %w", subject.resource, err)
		}
	}
	r.settle()
	r.result.Candidates = append(r.candidates.configMaps, r.candidates.others...)
	return r.result, nil
}

// subject is a resource and the sides that can hold it.
type subject struct {
	resource            Resource
	wanted, found, live Set
	notRestored         string
	// only is the version that a cluster has where it no longer has Wanted's, so that
	// nothing of the backup can be created there, or compared.
	only string
}

// plan lists the resources that any side can hold. All sides are read in one
// version of a resource: Wanted's, if it has the resource. A side that has it in
// another version only is not read.
func (r *run) plan(ctx context.Context) ([]subject, error) {
	subjects := map[string]*subject{}
	sides := []struct {
		name string
		set  Set
		take func(*subject)
	}{
		{"what is wanted", r.Wanted, func(s *subject) { s.wanted = r.Wanted }},
		{"what was found", r.Found, func(s *subject) { s.found = reordered{r.Found, r.mapping} }},
		{"what is live", r.Live, func(s *subject) { s.live = r.Live }},
	}
	for _, side := range sides {
		if side.set == nil {
			continue
		}
		resources, err := side.set.Resources(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the resources of %s: %w", side.name, err)
		}
		for _, resource := range resources {
			name := resource.String()
			if r.Only != nil && r.Only.String() != name {
				continue
			}
			s := subjects[name]
			if s == nil {
				s = &subject{resource: resource}
				subjects[name] = s
			}
			s.resource.Namespaced = s.resource.Namespaced || resource.Namespaced
			if resource.Version == s.resource.Version || s.wanted == nil {
				side.take(s)
			} else {
				s.only = resource.Version
			}
		}
	}
	var plan []subject
	for _, s := range subjects {
		if r.NotRestored != nil {
			s.notRestored = r.NotRestored(s.resource)
		}
		if r.Found == nil && s.notRestored == "" {
			s.notRestored = "nothing was restored"
		}
		if s.notRestored != "" {
			s.found = nil
		}
		plan = append(plan, *s)
	}
	slices.SortFunc(plan, func(a, b subject) int { return byName(a.resource, b.resource) })
	return plan, nil
}
