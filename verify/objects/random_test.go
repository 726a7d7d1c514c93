package objects

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Random pairs of what examples become by random changes: what differs one way
// differs the other way, by the same paths, and a change to either is found.
func TestRandomPairs(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	r := newRun(Comparison{}, mapping{there: drill(), moved: true})
	for i, o := range examples(t) {
		r.subject, r.kind = subject{resource: resourceOf(o)}, r.kinds.of(resourceOf(o))
		random := rand.New(rand.NewPCG(uint64(i), 1))
		for range rounds {
			a, b := o.DeepCopy(), o.DeepCopy()
			for range 1 + random.IntN(6) {
				mutate(random, a.Object)
				mutate(random, b.Object)
			}
			if left := r.walk(keeping, a, a.DeepCopy()); len(left) > 0 {
				t.Fatalf("%s differs from itself: %+v\n%v", o.GetKind(), left, a.Object)
			}
			there := paths(r.walk(keeping, a, b))
			if back := paths(r.walk(keeping, b, a)); !slices.Equal(there, back) {
				t.Errorf("%s: one way %v\nthe other %v\n%v\n%v", o.GetKind(), there, back, a.Object, b.Object)
			}
			r.byPath(a, b)
			r.unified(a, b)
			r.references(place{}, b)
			Ready(b)
			r.alter(b, random)
		}
	}
}

func paths(found []finding) []string {
	var all []string
	for _, f := range found {
		all = append(all, f.path)
	}
	slices.Sort(all)
	return all
}

// mutate changes something somewhere in a value: takes it away, doubles it,
// moves it, or makes it something else.
func mutate(random *rand.Rand, root map[string]any) {
	leaves := leavesOf(nil, root)
	way := leaves[random.IntN(len(leaves))]
	if len(way) == 0 {
		return
	}
	way = way[:1+random.IntN(len(way))] // a leaf, or what it is in
	switch random.IntN(6) {
	case 0:
		remove(root, way)
	case 1:
		set(root, way, another(get(root, way)))
	case 2:
		set(root, way, []any{nil, "x", int64(1), 1.5, true, map[string]any{}, []any{}, []any{"x", nil}, map[string]any{"name": "x"}}[random.IntN(9)])
	default: // of a list: an item twice, or another order
		parent, ok := get(root, way[:len(way)-1]).([]any)
		if !ok {
			set(root, way, another(get(root, way)))
			return
		}
		items := slices.Clone(parent)
		if random.IntN(2) == 0 {
			items = append(items, items[random.IntN(len(items))])
		} else {
			random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		}
		set(root, way[:len(way)-1], items)
	}
}
