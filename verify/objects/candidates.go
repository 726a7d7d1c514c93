package objects

import (
	"math/rand/v2"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// mostCandidates bounds how many are kept of each sort.
const mostCandidates = 8

// candidates are objects that Alter can change and whose change the comparison
// sees, which was tried: ConfigMaps, and one of each other resource.
type candidates struct {
	configMaps, others []Candidate
}

// candidate keeps an object of Found that has no loss, if it is fit.
func (r *run) candidate(found *unstructured.Unstructured) {
	c := Candidate{Resource: r.subject.resource, Namespace: found.GetNamespace(), Name: found.GetName()}
	list := &r.candidates.others
	switch n := len(*list); {
	case r.kind.name == "ConfigMap":
		list = &r.candidates.configMaps
	case n > 0 && (*list)[n-1].Resource == c.Resource:
		return
	}
	if len(*list) >= mostCandidates || len(alterable(found)) == 0 {
		return
	}
	if _, _, ok := r.alter(found, rand.New(rand.NewPCG(1, 1))); ok {
		*list = append(*list, c)
	}
}

// sees says whether the comparison finds a difference that no rule expects.
func (r *run) sees(one, other *unstructured.Unstructured) bool {
	expect := r.walker.expect
	r.walker.expect = func(*Rule, string, any, any) {}
	defer func() { r.walker.expect = expect }()
	return len(r.walk(restoring, one, other)) > 0
}
