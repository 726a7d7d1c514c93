package objects

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	settings = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: settings, uid: a, resourceVersion: '1', creationTimestamp: '2026-11-01T00:00:00Z'}, data: {color: red}}"
	restored = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: drill, name: settings, uid: b, resourceVersion: '2', creationTimestamp: '2026-12-01T00:00:00Z'}, data: {color: red}}"
)

func runs(t *testing.T, c Comparison) Result {
	t.Helper()
	c.Keep = 100
	result, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func drill() map[string]string { return map[string]string{"shop": "drill"} }

func TestChangedField(t *testing.T) {
	result := runs(t, Comparison{Wanted: setOf(t, settings), Found: setOf(t, strings.Replace(restored, "red", "green", 1)), Namespaces: drill()})
	if len(result.Loss) != 1 || result.Loss[0].String() != `ConfigMap shop/settings: data.color: wanted "red", found "green"` {
		t.Errorf("%+v", result.Loss)
	}
	if result.Objects != 1 || result.Equal != 0 || result.Counts["configmaps"] != (Count{Wanted: 1, Found: 1}) {
		t.Errorf("%+v", result)
	}
}

// What the original has become since the backup, and what the backup lacks.
func TestThreeSides(t *testing.T) {
	taken := time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC)
	created := func(at string) string {
		return "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: other, uid: o, creationTimestamp: '" + at + "'}}"
	}
	tests := map[string]struct {
		wanted, live []string
		loss, drift  string // the one that there is
		notBackedUp  string
	}{
		"the same": {wanted: []string{settings}, live: []string{settings}},
		"moved on": {
			wanted: []string{settings}, live: []string{strings.NewReplacer("red", "blue", "'1'", "'8'").Replace(settings)},
			drift: `ConfigMap shop/settings: data.color: moved: wanted "red", live "blue"`,
		},
		"only its status moved": {
			wanted: []string{dep}, live: []string{strings.Replace(dep, "uid: dep", "uid: dep, generation: 4, managedFields: [{manager: x}]", 1)},
		},
		"altered in the backup": {
			wanted: []string{strings.Replace(settings, "red", "rot", 1)}, live: []string{settings},
			loss: `ConfigMap shop/settings: data.color: backup altered: wanted "rot", live "red" (the backup holds something else than was live at resourceVersion 1)`,
		},
		"metadata altered in the backup": {
			wanted: []string{strings.Replace(settings, "2026-11-01", "2026-11-02", 1)}, live: []string{settings},
			loss: "ConfigMap shop/settings: metadata.creationTimestamp: backup altered",
		},
		"deleted since":            {wanted: []string{settings}, drift: "ConfigMap shop/settings: gone (deleted since the backup)"},
		"made anew since":          {wanted: []string{settings}, live: []string{strings.Replace(settings, "uid: a", "uid: z", 1)}, drift: "ConfigMap shop/settings: recreated"},
		"there before, not in it":  {live: []string{created("2026-11-14T23:59:59Z")}, loss: "ConfigMap shop/other: not backed up (not in the backup, though it was there before it began)"},
		"made in the same second":  {live: []string{created("2026-11-15T00:00:00Z")}, drift: "ConfigMap shop/other: new"},
		"made since":               {live: []string{created("2026-11-16T00:00:00Z")}, drift: "ConfigMap shop/other: new (made since the backup began)"},
		"excluded from the backup": {live: []string{created("2026-11-01T00:00:00Z")}, notBackedUp: "labelled so"},
		"a lease goes on":          {wanted: []string{"{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: shop, name: l, uid: l}, spec: {renewTime: a}}"}, live: []string{"{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {namespace: shop, name: l, uid: l}, spec: {renewTime: b}}"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			result := runs(t, Comparison{
				Wanted: setOf(t, test.wanted...), Found: setOf(t, test.wanted...), Live: setOf(t, test.live...), TakenAt: taken,
				NotBackedUp: func(Resource, *unstructured.Unstructured) string { return test.notBackedUp },
			})
			for _, side := range []struct {
				want string
				got  []Difference
			}{{test.loss, result.Loss}, {test.drift, result.Drift}} {
				switch {
				case side.want == "" && len(side.got) > 0, side.want != "" && len(side.got) != 1:
					t.Errorf("%v, want %q", side.got, side.want)
				case side.want != "" && !strings.HasPrefix(side.got[0].String(), side.want):
					t.Errorf("%s\nwant %s", side.got[0], side.want)
				}
			}
			if test.notBackedUp != "" && result.NotBackedUp[test.notBackedUp] != 1 {
				t.Errorf("%v", result.NotBackedUp)
			}
		})
	}
}

// Without the time of the backup, nothing is asked of what is live.
func TestNoTakenAt(t *testing.T) {
	result := runs(t, Comparison{Wanted: setOf(t), Live: setOf(t, settings)})
	if result.LossCount != 0 || result.DriftCount != 1 {
		t.Errorf("%+v", result)
	}
}

func TestNotRestored(t *testing.T) {
	node := "{apiVersion: v1, kind: Node, metadata: {name: n1, uid: n}}"
	result := runs(t, Comparison{
		Wanted: setOf(t, node, settings), Found: setOf(t, settings), Live: setOf(t, strings.Replace(node, "uid: n", "uid: n, labels: {a: b}", 1), settings),
		NotRestored: func(r Resource) string {
			if r.Kind == "Node" {
				return "nodes are never restored"
			}
			return ""
		},
	})
	if result.LossCount != 0 || result.DriftCount != 1 || !maps.Equal(result.NotRestored, map[string]string{"nodes": "nodes are never restored"}) {
		t.Errorf("%+v", result)
	}
	if alone := runs(t, Comparison{Wanted: setOf(t, settings), Live: setOf(t, settings)}); alone.LossCount != 0 || alone.NotRestored["configmaps"] == "" {
		t.Errorf("without Found: %+v", alone)
	}
}

// The caller's rules come first, and count under their own names.
func TestCallersRules(t *testing.T) {
	rules := []Rule{
		{Name: "quiesced", Kinds: []string{"Deployment.apps"}, Path: "spec.replicas", When: func(c Case) bool { return same(c.Found, 0.0) }},
		{Name: "restore labels", Kinds: []string{"*"}, Path: "metadata.labels[velero.io/*]", What: []string{Extra}},
		{Name: "our uid", Kinds: []string{"*"}, Path: "metadata.uid"},
		{Name: "left out", Kinds: []string{"Secret"}, What: []string{Missing}},
	}
	wanted := strings.Replace(dep, "metadata", "spec: {replicas: 3}, metadata", 1)
	found := strings.NewReplacer("replicas: 3", "replicas: 0", "uid: dep", "uid: d2, labels: {velero.io/restore-name: r}").Replace(wanted)
	result := runs(t, Comparison{Rules: rules, Wanted: setOf(t, wanted, "{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: s}}"), Found: setOf(t, found)})
	if want := map[string]int64{"quiesced": 1, "restore labels": 1, "our uid": 1, "left out": 1}; result.LossCount != 0 || !maps.Equal(result.Expected, want) {
		t.Errorf("%+v", result)
	}
	result = runs(t, Comparison{Rules: rules, Wanted: setOf(t, wanted), Found: setOf(t, strings.Replace(found, "replicas: 0", "replicas: 1", 1))})
	if result.LossCount != 1 {
		t.Errorf("%+v", result)
	}
}

// Sides that are not sorted, or have an object twice, would make losses of what is there.
func TestDisorder(t *testing.T) {
	one, two := parse(t, settings), parse(t, strings.Replace(settings, "name: settings", "name: zzz", 1))
	for name, all := range map[string][]*unstructured.Unstructured{"unsorted": {two, one}, "twice": {one, one}, "nameless": {parse(t, "{apiVersion: v1, kind: ConfigMap}")}} {
		set := listSet{resource: resourceOf(one), objects: all}
		if _, err := (Comparison{Wanted: set, Found: NewSet(one)}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "comparing configmaps: reading what is wanted: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := listSet{resource: resourceOf(one), objects: []*unstructured.Unstructured{one}, err: errors.New("the file ends too early")}
	result, err := Comparison{Wanted: NewSet(one, two), Found: broken}.Run(t.Context())
	if err == nil || err.Error() != "comparing configmaps: reading what was found: the file ends too early" || result.LossCount != 0 {
		t.Errorf("%v, %+v", err, result)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := (Comparison{Wanted: setOf(t, settings), Found: setOf(t, settings)}).Run(ctx); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

// listSet yields what it has as it has it.
type listSet struct {
	resource Resource
	objects  []*unstructured.Unstructured
	err      error
}

func (s listSet) Resources(context.Context) ([]Resource, error) { return []Resource{s.resource}, nil }

func (s listSet) Objects(context.Context, Resource) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		for _, o := range s.objects {
			if !yield(o, nil) {
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// Namespaces that are renamed so that their order is another one.
func TestReorderedNamespaces(t *testing.T) {
	in := func(namespace, name string) *unstructured.Unstructured {
		return parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: "+namespace+", name: "+name+"}}")
	}
	namespaces := map[string]string{"a": "z9", "b": "z8", "c": "z7"}
	var wanted, found []*unstructured.Unstructured
	for original, restored := range namespaces {
		for _, name := range []string{"one", "two"} {
			wanted, found = append(wanted, in(original, name)), append(found, in(restored, name))
		}
	}
	slices.SortFunc(found, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+a.GetName(), b.GetNamespace()+b.GetName())
	})
	resource := resourceOf(found[0])
	for name, set := range map[string]Set{"in memory": NewSet(found...), "any set": listSet{resource: resource, objects: found}} {
		if result := runs(t, Comparison{Wanted: NewSet(wanted...), Found: set, Namespaces: namespaces}); result.LossCount != 0 || result.Equal != 6 {
			t.Errorf("%s: %+v", name, result)
		}
	}
	spaces := Comparison{Wanted: setOf(t, "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}}"), Namespaces: drill(),
		Found: setOf(t, "{apiVersion: v1, kind: Namespace, metadata: {name: drill, labels: {kubernetes.io/metadata.name: drill}}}")}
	if result := runs(t, spaces); result.LossCount != 0 || result.Equal != 1 {
		t.Errorf("%+v", result)
	}
}

// A cluster of today no longer has every version that an old backup holds: nothing of
// it can be restored, and all the rest is compared.
func TestAVersionThatIsNoLongerServed(t *testing.T) {
	scaler := func(version, namespace string) string {
		return "{apiVersion: autoscaling/" + version + ", kind: HorizontalPodAutoscaler, metadata: {namespace: " + namespace + ", name: web, uid: w}}"
	}
	result := runs(t, Comparison{
		Wanted: setOf(t, settings, scaler("v2beta2", "shop")), Found: setOf(t, restored, scaler("v2", "drill")), Live: setOf(t, settings, scaler("v2", "shop")), Namespaces: drill(),
	})
	if result.DriftCount != 0 || len(result.Loss) != 1 || result.Equal != 1 ||
		result.Loss[0].String() != "HorizontalPodAutoscaler shop/web: missing (the backup holds it in v2beta2, which the cluster no longer has: only v2)" {
		t.Errorf("%v, %v", result.Loss, result.Drift)
	}
}

// Objects that a restore had to give other names are compared by the names they had.
func TestNames(t *testing.T) {
	in := func(namespace, name, color string) string {
		return "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: " + namespace + ", name: " + name + "}, data: {color: " + color + "}}"
	}
	c := Comparison{
		Wanted: setOf(t, in("shop", "a", "red"), in("shop", "b", "red"), in("shop", "c", "red")), Found: setOf(t, in("drill", "n1", "red"), in("drill", "n2", "blue"), in("drill", "c", "red")),
		Namespaces: drill(), Names: func(Resource) map[string]string { return map[string]string{"n2": "a", "n1": "b"} },
	}
	result := runs(t, c)
	var told []string
	for _, d := range result.Loss {
		told = append(told, d.String())
	}
	want := []string{`ConfigMap shop/a: data.color: wanted "red", found "blue"`, `ConfigMap shop/a: metadata.name: wanted "a", found "n2"`, `ConfigMap shop/b: metadata.name: wanted "b", found "n1"`}
	if !slices.Equal(told, want) || result.Equal != 1 {
		t.Errorf("%s", strings.Join(told, "\n"))
	}
	c.Names = func(Resource) map[string]string { return map[string]string{"n1": "c"} }
	if _, err := c.Run(t.Context()); err == nil {
		t.Error("two objects are taken for one")
	}
}

func TestSenselessMapping(t *testing.T) {
	for name, c := range map[string]Comparison{
		"two into one":   {Wanted: setOf(t), Namespaces: map[string]string{"a": "x", "b": "x"}},
		"into its place": {Wanted: setOf(t, strings.Replace(settings, "shop", "drill", 1)), Found: setOf(t), Namespaces: drill()},
	} {
		if _, err := c.Run(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Counts are whole, whatever is kept, and a result fits into a journal.
func TestKeep(t *testing.T) {
	objects := many(t, 500)
	var seen int64
	result, err := Comparison{Wanted: NewSet(objects...), Found: NewSet(), Keep: 3, Progress: func(n int64) { seen = n }}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Loss) != 3 || result.LossCount < 400 || result.Objects != 500 || seen != 500 {
		t.Errorf("%d of %d kept, %d objects, %d seen", len(result.Loss), result.LossCount, result.Objects, seen)
	}
	data, err := json.Marshal(result)
	if err != nil || len(data) > 10_000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	var again Result
	if err := json.Unmarshal(data, &again); err != nil || again.LossCount != result.LossCount {
		t.Errorf("%v", err)
	}
}

func TestCandidates(t *testing.T) {
	objects := examples(t)
	result := runs(t, Comparison{Wanted: NewSet(objects...), Found: NewSet(restoredAs(objects, "drill")...), Namespaces: drill()})
	var names []string
	for _, c := range result.Candidates {
		names = append(names, c.Resource.Kind+" "+c.Namespace+"/"+c.Name)
	}
	if len(names) < 5 || slices.Contains(names, "ConfigMap drill/kube-root-ca.crt") || !slices.Contains(names, "ConfigMap drill/settings") {
		t.Errorf("%v", names)
	}
}
