package objects

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write golden files and the page of rules anew")

// parse reads an object from YAML.
func parse(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return o
}

// examples are full objects as a cluster has them.
func examples(t testing.TB) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob("testdata/examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range strings.Split(string(data), "\n---\n") {
			all = append(all, parse(t, document))
		}
	}
	return all
}

// example is the one of that kind and name.
func example(t testing.TB, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range examples(t) {
		if o.GetKind() == kind && (name == "" || o.GetName() == name) {
			return o
		}
	}
	t.Fatalf("no example of %s %s", kind, name)
	return nil
}

// The kinds that the comparison has to know: each has an example, and so rules,
// or the proof in the golden file that none is needed.
func TestEveryKindHasAnExample(t *testing.T) {
	have := map[string]bool{}
	for _, o := range examples(t) {
		have[o.GetKind()] = true
	}
	for _, kind := range strings.Fields(`Namespace Pod Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision Job CronJob Service Endpoints
		EndpointSlice ConfigMap Secret ServiceAccount Role RoleBinding ClusterRole ClusterRoleBinding PersistentVolumeClaim PersistentVolume
		VolumeSnapshot VolumeSnapshotContent Ingress HTTPRoute NetworkPolicy HorizontalPodAutoscaler PodDisruptionBudget ResourceQuota LimitRange
		CustomResourceDefinition Basket ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService Lease PriorityClass StorageClass Event`) {
		if !have[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// Each leaf of each example is changed, deleted and added in turn. What is not
// found is in the golden file, with the rule or the default that covers it: a
// rule that is too broad shows there.
func TestEveryLeaf(t *testing.T) {
	var report strings.Builder
	altered, covered := 0, 0
	r := newRun(Comparison{}, mapping{})
	for _, o := range examples(t) {
		resource := resourceOf(o)
		r.subject, r.kind = subject{resource: resource}, r.kinds.of(resource)
		fmt.Fprintf(&report, "# %s %s\n", resource.kindName(), placeOf(o))
		var lines []string
		for _, leaf := range leavesOf(nil, o.Object) {
			if identity(leaf) {
				continue
			}
			without := o.DeepCopy()
			remove(without.Object, leaf)
			by := map[string]string{}
			for _, try := range []struct {
				name          string
				wanted, found *unstructured.Unstructured
			}{{"changed", o, changedLeaf(o, leaf)}, {"deleted", o, without}, {"added", without, o}} {
				altered++
				if rule := r.coveredBy(try.wanted, try.found); rule != "" {
					covered++
					by[rule] = strings.TrimPrefix(by[rule]+", "+try.name, ", ")
				}
			}
			for rule, how := range by {
				lines = append(lines, fmt.Sprintf("%s: %s (%s)\n", rendered(leaf), rule, how))
			}
		}
		slices.Sort(lines)
		report.WriteString(strings.Join(lines, ""))
	}
	t.Logf("%d alterations, %d of them covered", altered, covered)
	golden(t, "testdata/covered.txt", report.String())
}

// coveredBy says which rules or defaults cover all differences; "" when one is
// a loss.
func (r *run) coveredBy(wanted, found *unstructured.Unstructured) string {
	var rules []string
	for _, d := range r.byPath(wanted, found) {
		if d.Label == Loss {
			return ""
		}
		if !slices.Contains(rules, d.Rule) {
			rules = append(rules, d.Rule)
		}
	}
	if rules == nil {
		return "equal"
	}
	return strings.Join(rules, ", ")
}

// identity says that an object with another value there would be another object.
func identity(leaf []any) bool {
	switch rendered(leaf) {
	case "apiVersion", "kind", "metadata.name", "metadata.namespace":
		return true
	default:
		return false
	}
}

// leavesOf lists the ways to all leaves: names of fields and indexes of items.
// Empty maps and lists are leaves too.
func leavesOf(way []any, value any) [][]any {
	all := unsortedLeaves(way, value)
	slices.SortFunc(all, func(a, b []any) int { return strings.Compare(rendered(a), rendered(b)) })
	return all
}

func unsortedLeaves(way []any, value any) [][]any {
	var all [][]any
	switch v := value.(type) {
	case map[string]any:
		for name, inside := range v {
			all = append(all, unsortedLeaves(append(slices.Clone(way), name), inside)...)
		}
	case []any:
		for i, inside := range v {
			all = append(all, unsortedLeaves(append(slices.Clone(way), i), inside)...)
		}
	}
	if len(all) == 0 {
		all = append(all, way)
	}
	return all
}

func rendered(way []any) string {
	var steps []step
	for _, to := range way {
		if name, ok := to.(string); ok {
			steps = append(steps, step{name: name})
		} else {
			steps = append(steps, step{sort: indexed, index: to.(int)})
		}
	}
	return render(steps)
}

// set puts a value at a leaf.
func set(value any, way []any, leaf any) any {
	if len(way) == 0 {
		return leaf
	}
	switch v := value.(type) {
	case map[string]any:
		v[way[0].(string)] = set(v[way[0].(string)], way[1:], leaf)
	case []any:
		v[way[0].(int)] = set(v[way[0].(int)], way[1:], leaf)
	}
	return value
}

func get(value any, way []any) any {
	for _, to := range way {
		if name, ok := to.(string); ok {
			value = value.(map[string]any)[name]
		} else {
			value = value.([]any)[to.(int)]
		}
	}
	return value
}

// remove takes a leaf out, an item of a list with its place.
func remove(root any, way []any) {
	parent := get(root, way[:len(way)-1])
	switch to := way[len(way)-1].(type) {
	case string:
		delete(parent.(map[string]any), to)
	case int:
		set(root, way[:len(way)-1], slices.Delete(slices.Clone(parent.([]any)), to, to+1))
	}
}

func changedLeaf(o *unstructured.Unstructured, way []any) *unstructured.Unstructured {
	changed := o.DeepCopy()
	set(changed.Object, way, another(get(o.Object, way)))
	return changed
}

// another value of the same type.
func another(value any) any {
	switch v := value.(type) {
	case string:
		return v + "x"
	case int64:
		return v + 1
	case float64:
		return v + 0.5
	case bool:
		return !v
	case map[string]any:
		return map[string]any{"x": "x"}
	case []any:
		return []any{"x"}
	default:
		return "x"
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the code says: look at what -update makes of it\n%s", path, unify(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
	}
}
