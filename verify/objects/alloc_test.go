package objects

import "testing"

// What is equal, but for what the server writes, costs no memory.
func TestEqualObjectsAllocateNothing(t *testing.T) {
	wanted := examples(t)
	found := restoredAs(wanted, "shop")
	r := newRun(Comparison{}, mapping{})
	for i, o := range wanted {
		r.subject, r.kind = subject{resource: resourceOf(o)}, r.kinds.of(resourceOf(o))
		allocations := testing.AllocsPerRun(100, func() {
			if left := r.walk(restoring, o, found[i]); len(left) > 0 {
				t.Fatalf("%+v", left)
			}
		})
		if allocations > 0 {
			t.Errorf("%s %s: %v allocations", o.GetKind(), o.GetName(), allocations)
		}
	}
}
