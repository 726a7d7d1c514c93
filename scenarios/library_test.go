package scenarios_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/scenarios/library"
)

func TestLibraryLoads(t *testing.T) {
	for _, source := range libraryFiles(t) {
		loaded, err := scenarios.Load([]scenarios.Source{source}, nil)
		if err != nil {
			t.Errorf("loading %s:\n%v", source.Name, err)
			continue
		}
		if len(loaded) != 1 || loaded[0].Metadata.Name+".yaml" != source.Name {
			t.Errorf("%s must hold one scenario of its name", source.Name)
		}
		if !bytes.HasPrefix(source.Data, []byte("# Proves that ")) {
			t.Errorf("%s does not say at its top what it proves", source.Name)
		}
	}
}

// TestLibraryCarriesOver proves that one parameter moves a scenario to another
// namespace as a whole: nothing is left behind in the shop.
func TestLibraryCarriesOver(t *testing.T) {
	loaded, err := scenarios.Load(libraryFiles(t), map[string]string{"namespace": "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for _, scenario := range loaded {
		proofsOnly := true
		for step := range scenario.Faults() {
			proofsOnly = proofsOnly && step.Proof() != nil
		}
		if got := scenario.Spec.Limits.Namespaces; !proofsOnly && !cmp.Equal(got, []string{"elsewhere"}) {
			t.Errorf("%s: limits are %v", scenario.Metadata.Name, got)
		}
		for step := range scenario.Faults() {
			if step.PodKill != nil && step.PodKill.Namespace != "elsewhere" {
				t.Errorf("%s: step %s is in namespace %s", scenario.Metadata.Name, step.Name, step.PodKill.Namespace)
			}
		}
	}
}

func TestSchemaTakesTheLibrary(t *testing.T) {
	schema := compileSchema(t)
	for _, source := range libraryFiles(t) {
		if err := validate(t, schema, string(source.Data)); err != nil {
			t.Errorf("%s: %v", source.Name, err)
		}
	}
}

func TestSchema(t *testing.T) {
	const (
		head   = "apiVersion: gameday.dev/v1alpha1\nkind: Scenario\nmetadata: {name: a}\n"
		limits = "limits: {namespaces: [shop]}"
		checks = "checks: [{name: c, alerts: {forbid: [{}]}}]"
		kill   = "podKill: {namespace: shop, selector: app=web}"
		steps  = "steps: [{name: s, " + kill + "}]"
	)
	spec := func(parts ...string) string { return head + "spec: {" + strings.Join(parts, ", ") + "}" }
	schema := compileSchema(t)
	for _, test := range []struct {
		name, document string
		valid          bool
	}{
		{"least", spec(limits, checks, steps), true},
		{"parameters in place of numbers and choices", spec("seed: '${seed}'", limits, checks,
			"steps: [{name: s, hold: '${h}', podKill: {namespace: shop, selector: a, method: '${m}', count: '${n}'}}]"), true},
		{"group without a name", spec(limits, checks, "steps: [{parallel: [{name: a, "+kill+"}]}]"), true},
		{"environment", "apiVersion: gameday.dev/v1alpha1\nkind: Environment\nmetadata: {name: a}\n" +
			"spec: {prometheus: {url: 'http://p', headers: {X-Scope-OrgID: shop}}}", true},
		{"nothing", "{}", false},
		{"another kind", strings.Replace(spec(limits, checks, steps), "Scenario", "Drill", 1), false},
		{"another version", strings.Replace(spec(limits, checks, steps), "v1alpha1", "v1", 1), false},
		{"no limits", spec(checks, steps), false},
		{"no checks", spec(limits, steps), false},
		{"no limits and no checks around a proof", spec("steps: [{name: s, etcdRestore: {level: match}}]"), true},
		{"proof with an unknown level", spec("steps: [{name: s, etcdRestore: {level: moon}}]"), false},
		{"no steps", spec(limits, checks, "steps: []"), false},
		{"unknown field", spec(limits, checks, steps, "speed: fast"), false},
		{"duration without a unit", spec(limits, checks, steps, "timeout: 30"), false},
		{"duration in days", spec(limits, checks, steps, "timeout: 1d"), false},
		{"unknown choice", spec(limits, checks, "steps: [{name: s, podKill: {namespace: shop, selector: a, method: kill}}]"), false},
		{"bad count", spec(limits, checks, "steps: [{name: s, podKill: {namespace: shop, selector: a, count: few}}]"), false},
		{"step without a fault", spec(limits, checks, "steps: [{name: s}]"), false},
		{"step with two faults", spec(limits, checks, "steps: [{name: s, "+kill+", nodeDrain: {selector: a}}]"), false},
		{"step without a name", spec(limits, checks, "steps: [{"+kill+"}]"), false},
		{"group in a group", spec(limits, checks, "steps: [{parallel: [{parallel: [{name: a, "+kill+"}]}]}]"), false},
		{"hold in a group", spec(limits, checks, "steps: [{parallel: [{name: a, hold: 1s, "+kill+"}]}]"), false},
		{"check of no kind", spec(limits, "checks: [{name: c}]", steps), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := validate(t, schema, test.document); (err == nil) != test.valid {
				t.Errorf("valid = %t, want %t: %v", err == nil, test.valid, err)
			}
		})
	}
}

// TestRecordedScenarioComesBack proves that a scenario, and a step alone,
// survive the record: recover and judge work on what was written.
func TestRecordedScenarioComesBack(t *testing.T) {
	loaded, err := scenarios.Load(libraryFiles(t), map[string]string{"namespace": "elsewhere"})
	if err != nil {
		t.Fatal(err)
	}
	for _, scenario := range loaded {
		document, err := json.Marshal(scenario)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := scenarios.Decode(document)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&scenario, decoded); diff != "" {
			t.Errorf("%s changed in the record (-written +read):\n%s", scenario.Metadata.Name, diff)
		}
		for _, step := range scenario.Spec.Steps {
			document, err := json.Marshal(step)
			if err != nil {
				t.Fatal(err)
			}
			var decoded scenarios.Step
			if err := json.Unmarshal(document, &decoded); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(step, decoded); diff != "" {
				t.Errorf("step %s changed in the record (-written +read):\n%s", step.Name, diff)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, document := range map[string]string{
		"nothing":       ``,
		"no scenario":   `{}`,
		"unknown field": `{"apiVersion":"gameday.dev/v1alpha1","kind":"Scenario","speed":1}`,
		"more":          `{} {}`,
		"invalid":       `{"apiVersion":"gameday.dev/v1alpha1","kind":"Scenario","metadata":{"name":"a"},"spec":{"limits":{"namespaces":["shop"]}}}`,
	} {
		if _, err := scenarios.Decode([]byte(document)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func BenchmarkValidateLibrary(b *testing.B) {
	sources := libraryFiles(b)
	for b.Loop() {
		if _, err := scenarios.Load(sources, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func libraryFiles(t testing.TB) []scenarios.Source {
	t.Helper()
	sources, err := library.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) == 0 {
		t.Fatal("the library is empty")
	}
	return sources
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := scenarios.Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("gameday.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("gameday.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, document string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(document), &value); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}
