package objects

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Diff compares two objects and tells it twice: as a unified diff of their
// YAML, without the fields that the server sets and without values of Secrets,
// and field by field, also what a rule expects. The caller's rules are asked
// before Kubernetes' own. unified is empty when the YAML is the same.
func Diff(resource Resource, wanted, found *unstructured.Unstructured, rules ...Rule) (unified string, byPath []Difference) {
	r := newRun(Comparison{Rules: rules}, mapping{})
	r.subject = subject{resource: resource}
	r.kind = r.kinds.of(resource)
	at := placeOf(wanted)
	for _, f := range r.walk(restoring, wanted, found) {
		d := r.difference(at, Loss, f.what, f.path)
		d.Wanted, d.Found = r.kind.renderPair(f.wanted, f.found)
		byPath = append(byPath, d)
	}
	return "", byPath
}
