package main

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/scenarios"
)

const module = "gameday.dev/gameday"

// generate reads the comments below the working directory, which must be the
// root of the module.
func generate() ([]byte, error) {
	reflector := &jsonschema.Reflector{
		Anonymous: true,
		Mapper:    scalar,
		Namer:     name,
	}
	for _, dir := range []string{"scenarios", "experiments", "backup", "verify"} {
		if err := reflector.AddGoComments(module, dir); err != nil {
			return nil, fmt.Errorf("reading comments of %s: %w", dir, err)
		}
	}
	schema := reflector.Reflect(&scenarios.Scenario{})
	scenarioDefinitions := schema.Definitions
	for _, union := range []string{"Step", "Check", "backups.Spec"} {
		exactlyOne(scenarioDefinitions[union])
	}
	for _, definition := range scenarioDefinitions {
		allowParameters(definition)
	}
	group(scenarioDefinitions["Step"])
	unlessProof(scenarioDefinitions["ScenarioSpec"], "limits", "checks")

	environment := reflector.Reflect(&scenarios.Environment{})
	definitions := environment.Definitions
	for name, definition := range scenarioDefinitions {
		definitions[name] = definition
	}
	for _, definition := range definitions {
		tidy(definition)
	}
	document, err := json.MarshalIndent(&jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       "gameday",
		Description: "Scenarios and Environments of gameday.",
		OneOf:       []*jsonschema.Schema{{Ref: "#/$defs/Scenario"}, {Ref: "#/$defs/Environment"}},
		Definitions: definitions,
	}, "", "  ")
	return append(document, '\n'), err
}

// name tells the many types called Spec apart.
func name(t reflect.Type) string {
	if t.Name() == "" || t.PkgPath() == module+"/scenarios" {
		return t.Name()
	}
	return path.Base(t.PkgPath()) + "." + t.Name()
}

// scalar describes the types that are written as one value.
func scalar(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[metav1.Duration]():
		return &jsonschema.Schema{
			Type:     "string",
			Pattern:  `^[0-9][0-9.]*(ns|us|µs|ms|s|m|h)([0-9.]+(ns|us|µs|ms|s|m|h))*$|\$\{`,
			Examples: []any{"30s", "1h30m"},
		}
	case reflect.TypeFor[intstr.IntOrString]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "integer"},
			{Type: "string", Pattern: `^[0-9]+%$|^all$|\$\{`},
		}}
	case reflect.TypeFor[scenarios.Text]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	case reflect.TypeFor[scenarios.Headers]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}}
	}
	return nil
}

// exactlyOne makes a union of the fields whose types come from other rooms:
// those of experiments, proofs and checks.
func exactlyOne(definition *jsonschema.Schema) {
	for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if strings.Contains(strings.TrimPrefix(pair.Value.Ref, "#/$defs/"), ".") || pair.Key == "parallel" {
			definition.OneOf = append(definition.OneOf, &jsonschema.Schema{Required: []string{pair.Key}})
		}
	}
}

// group says what JSON Schema cannot read from the type of a step: a group may
// go without a name, and the steps inside neither hold nor nest.
func group(step *jsonschema.Schema) {
	step.AnyOf = []*jsonschema.Schema{{Required: []string{"name"}}, {Required: []string{"parallel"}}}
	inside := jsonschema.NewProperties()
	inside.Set("parallel", jsonschema.FalseSchema)
	inside.Set("hold", jsonschema.FalseSchema)
	parallel, _ := step.Properties.Get("parallel")
	parallel.Items = &jsonschema.Schema{AllOf: []*jsonschema.Schema{parallel.Items, {Properties: inside}}}
}

// unlessProof asks for fields that only a scenario with a proof among its steps
// may go without.
func unlessProof(spec *jsonschema.Schema, fields ...string) {
	proof := &jsonschema.Schema{}
	step := reflect.TypeFor[scenarios.Step]()
	for i := range step.NumField() {
		if field := step.Field(i); field.Type.Implements(reflect.TypeFor[backup.Proof]()) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			proof.AnyOf = append(proof.AnyOf, &jsonschema.Schema{Required: []string{name}})
		}
	}
	steps := jsonschema.NewProperties()
	steps.Set("steps", &jsonschema.Schema{Contains: proof})
	spec.AnyOf = []*jsonschema.Schema{{Required: fields}, {Properties: steps}}
}

// allowParameters lets ${name} stand where a number, a boolean or a choice is
// wanted. The head of the document has no parameters.
func allowParameters(definition *jsonschema.Schema) {
	for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
		property := pair.Value
		if pair.Key == "apiVersion" || pair.Key == "kind" && len(property.Enum) == 1 {
			continue
		}
		if property.Items != nil {
			property.Items = orParameter(property.Items)
		}
		pair.Value = orParameter(property)
	}
}

func orParameter(schema *jsonschema.Schema) *jsonschema.Schema {
	if schema.Type != "integer" && schema.Type != "boolean" && len(schema.Enum) == 0 {
		return schema
	}
	description := schema.Description
	schema.Description = ""
	return &jsonschema.Schema{
		Description: description,
		AnyOf:       []*jsonschema.Schema{schema, {Type: "string", Pattern: `\$\{`}},
	}
}

// tidy joins the lines of comments, and writes descriptions that stand beside
// a reference where editors look for them.
func tidy(definition *jsonschema.Schema) {
	definition.Description = joinLines(definition.Description)
	for pair := definition.Properties.Oldest(); pair != nil; pair = pair.Next() {
		pair.Value.Description = joinLines(pair.Value.Description)
	}
	slices.Sort(definition.Required)
}

func joinLines(text string) string { return strings.Join(strings.Fields(text), " ") }
