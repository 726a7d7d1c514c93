package objects

import (
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// ruleExample shows what a rule about a field expects, and what it does not.
type ruleExample struct {
	name, path string
	// of is the example that it is shown on: "Pod", "Endpoints outside".
	of string
	// wanted changes the example first; found is what happened to it since, which
	// the rule expects; loss is what happened besides, which it does not.
	wanted, found, loss string
}

func TestEveryRuleHasAnExample(t *testing.T) {
	shown := map[string]bool{}
	namespaces := map[string]string{"shop": "drill"}
	for _, test := range ruleExamples() {
		t.Run(strings.ReplaceAll(test.name+" "+test.path, "/", "_"), func(t *testing.T) {
			kind, name, _ := strings.Cut(test.of, " ")
			wanted := edited(t, example(t, kind, name), test.wanted)
			found := edited(t, wanted, test.found)
			r := newRun(Comparison{}, mapping{there: namespaces})
			r.kind = r.kinds.of(resourceOf(wanted))
			used := map[string]bool{}
			r.walker.expect = func(rule *Rule, _ string, _, _ any) {
				used[rule.Name+"|"+rule.Path+"|"+strings.Join(rule.Kinds, ",")] = true
			}
			if left := r.walk(restoring, wanted, found); len(left) > 0 {
				t.Errorf("not expected: %+v", left)
			}
			ours := 0
			for id := range used {
				if strings.HasPrefix(id, test.name+"|"+test.path+"|") {
					shown[id], ours = true, ours+1
				}
			}
			if ours != 1 {
				t.Errorf("the rule did not expect it, but %v", used)
			}
			worse := edited(t, found, test.loss)
			if left := r.walk(restoring, wanted, worse); len(left) == 0 {
				t.Error("the neighbouring difference is no loss")
			}
		})
	}
	for _, rule := range Rules() {
		id := rule.Name + "|" + rule.Path + "|" + strings.Join(rule.Kinds, ",")
		if rule.Path != "" && !shown[id] {
			t.Errorf("rule %s %s of %v has no example", rule.Name, rule.Path, rule.Kinds)
		}
	}
}

// edited gives a copy with edits made: "path = YAML" puts a value there,
// "-path" takes one away; [+] is a new item of a list. They are parted by " ; ".
func edited(t *testing.T, o *unstructured.Unstructured, edits string) *unstructured.Unstructured {
	t.Helper()
	o = o.DeepCopy()
	for _, edit := range strings.Split(edits, " ; ") {
		if edit == "" {
			continue
		}
		if path, ok := strings.CutPrefix(edit, "-"); ok {
			remove(o.Object, wayTo(o, path))
			continue
		}
		path, text, _ := strings.Cut(edit, " = ")
		set(o.Object, wayTo(o, path), value(t, text))
	}
	return o
}

// value reads one of YAML as an API server would have sent it.
func value(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte("{apiVersion: v1, kind: X, x: " + text + "}"))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o.Object["x"]
}

// wayTo makes the way to a leaf of a path; what is missing on it is made.
func wayTo(o *unstructured.Unstructured, path string) []any {
	var way []any
	var at any = o.Object
	for _, g := range parsePattern(path) {
		items, isList := at.([]any)
		if g.text == "+" {
			if !isList {
				items = nil
			}
			way = append(way, len(items))
			set(o.Object, way[:len(way)-1], append(append([]any{}, items...), nil))
			at = nil
			continue
		}
		if index, err := strconv.Atoi(g.text); err == nil && isList {
			way, at = append(way, index), items[index]
			continue
		}
		fields, _ := at.(map[string]any)
		if fields == nil {
			fields = map[string]any{}
			set(o.Object, way, any(fields))
		}
		way, at = append(way, g.text), fields[g.text]
	}
	return way
}
