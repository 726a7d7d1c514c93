package objects

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"
)

// FuzzCompare compares arbitrary JSON objects of several kinds: nothing panics,
// an object equals itself, both directions find the same paths, and a changed
// leaf that no rule is about is found.
func FuzzCompare(f *testing.F) {
	for _, o := range examples(f) {
		data, err := json.Marshal(o.Object)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(0), data, data, uint16(7))
	}
	f.Add(uint8(1), []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}}}`), []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"b"},null,1]}}}}`), uint16(1))
	f.Add(uint8(2), []byte(`{"spec":{"ports":[{"port":53},{"port":53,"protocol":"UDP"},{"port":{}}]}}`), []byte(`{"spec":{"ports":[{"port":53.0}]}}`), uint16(2))
	f.Add(uint8(3), []byte(`{"data":{"a":1,"b":null},"stringData":{"a":{}}}`), []byte(`{"data":[1],"metadata":{"annotations":[{}]}}`), uint16(3))
	f.Add(uint8(4), []byte(`{"metadata":{"finalizers":["a","b"],"ownerReferences":[{"name":"x","kind":1}]}}`), []byte(`{"metadata":{"finalizers":["b","b"],"ownerReferences":"x"}}`), uint16(4))
	kinds := []Resource{
		{}, {Group: "apps", Version: "v1", Kind: "Deployment", Name: "deployments"}, {Version: "v1", Kind: "Service", Name: "services"},
		{Version: "v1", Kind: "Secret", Name: "secrets"}, {Version: "v1", Kind: "Pod", Name: "pods"}, {Group: "shop.example", Version: "v1", Kind: "Basket", Name: "baskets"},
	}
	runs := newRun(Comparison{}, mapping{there: map[string]string{"shop": "drill"}, moved: true})
	f.Fuzz(func(t *testing.T, which uint8, one, other []byte, at uint16) {
		var a, b map[string]any
		if kjson.UnmarshalCaseSensitivePreserveInts(one, &a) != nil || kjson.UnmarshalCaseSensitivePreserveInts(other, &b) != nil || a == nil || b == nil {
			return
		}
		x, y := &unstructured.Unstructured{Object: a}, &unstructured.Unstructured{Object: b}
		resource := kinds[int(which)%len(kinds)]
		if resource.Kind == "" {
			resource = resourceOf(x)
		}
		r := *runs
		r.result.Expected = map[string]int64{}
		r.walker = walker{expect: runs.walker.expect}
		r.subject, r.kind = subject{resource: resource}, r.kinds.of(resource)
		for _, mode := range []mode{restoring, moving, keeping} {
			if left := r.walk(mode, x, x.DeepCopy()); len(left) > 0 {
				t.Fatalf("mode %d: an object differs from itself: %+v", mode, left)
			}
		}
		there, back := len(r.walk(keeping, x, y)), len(r.walk(keeping, y, x))
		if there != back {
			t.Errorf("%d differences one way, %d the other\n%+v\n%+v", there, back, r.walk(keeping, x, y), r.walk(keeping, y, x))
		}
		r.unified(x, y)
		r.references(place{}, y)
		Ready(y)
		Alter(y, rand.New(rand.NewPCG(uint64(at), 1)))
		leaves := leavesOf(nil, x.Object)
		leaf := leaves[int(at)%len(leaves)]
		if _, replaces := a["stringData"]; len(leaf) == 0 || r.kind.secret && replaces {
			return
		}
		changed := changedLeaf(x, leaf)
		if same(x.Object, changed.Object) {
			return // x was null
		}
		if len(r.walk(keeping, x, changed)) == 0 && !alikeByType(get(x.Object, leaf), get(changed.Object, leaf)) {
			t.Errorf("changing %s was not found", rendered(leaf))
		}
	})
}

// alikeByType says that two values may be the same to a type: as quantities, or
// because they are what a type has when nothing is set.
func alikeByType(a, b any) bool {
	return alike(a, b, &shape{quantity: true}) || alike(a, b, &shape{intOrString: true}) || empty(a, &shape{quantity: true}) || empty(b, &shape{quantity: true})
}
