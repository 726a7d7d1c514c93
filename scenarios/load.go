package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DefaultTimeout bounds a run whose scenario does not say.
const DefaultTimeout = 30 * time.Minute

// Source is a file already read. Name is its path as the user wrote it, "-"
// for standard input.
type Source struct {
	Name string
	Data []byte
}

// Load reads every scenario of the sources, parameters filled in with the
// values of set or their defaults. Its error is a *LoadError with all problems
// of all files, or nil.
func Load(sources []Source, set map[string]string) ([]Scenario, error) {
	var scenarios []Scenario
	var problems []Problem
	declared := map[string]bool{}
	byName := map[string]string{} // where a name was first used
	for _, source := range sources {
		documents, found := parse(source)
		for _, root := range documents {
			r := newReader(source.Name, root)
			if r.header(KindScenario) {
				scenario := r.scenario(set, declared)
				r.uniqueName(scenario.Metadata.Name, byName)
				scenarios = append(scenarios, scenario)
			}
			found = append(found, r.problems...)
		}
		sortByPlace(found)
		problems = append(problems, found...)
	}
	problems = append(problems, checkSet(set, declared)...)
	if len(problems) > 0 {
		return nil, &LoadError{Problems: problems}
	}
	return scenarios, nil
}

// LoadEnvironment reads a source that holds one Environment. Relative paths in
// it become relative to the source. Its error is a *LoadError, or nil.
func LoadEnvironment(source Source) (*Environment, error) {
	documents, problems := parse(source)
	var environment *Environment
	for _, root := range documents {
		r := newReader(source.Name, root)
		switch {
		case !r.header(KindEnvironment):
		case environment != nil:
			r.report(root, nil, "a second Environment", "keep each in a file of its own")
		default:
			environment = &Environment{}
			r.decode(root, reflect.ValueOf(environment).Elem(), nil)
			r.semantic(environment.Validate()...)
		}
		problems = append(problems, r.problems...)
	}
	if len(problems) > 0 {
		sortByPlace(problems)
		return nil, &LoadError{Problems: problems}
	}
	environment.resolve(filepath.Dir(source.Name))
	return environment, nil
}

// Decode reads a scenario back from the JSON of a record. Its parameters are
// already filled in.
func Decode(document []byte) (*Scenario, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	var scenario Scenario
	if err := decoder.Decode(&scenario); err != nil {
		return nil, fmt.Errorf("decoding scenario: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decoding scenario: more than one document")
	}
	if scenario.APIVersion != APIVersion || scenario.Kind != KindScenario {
		return nil, fmt.Errorf("decoding scenario: %s %s is not %s %s", scenario.APIVersion, scenario.Kind, APIVersion, KindScenario)
	}
	if err := scenario.Validate().ToAggregate(); err != nil {
		return nil, fmt.Errorf("decoding scenario %s: %w", scenario.Metadata.Name, err)
	}
	return &scenario, nil
}

// Timeout of the whole run, undo not included.
func (s *Scenario) Timeout() time.Duration {
	if s.Spec.Timeout == nil {
		return DefaultTimeout
	}
	return s.Spec.Timeout.Duration
}

// scenario reads the document as a Scenario. It adds the parameters that the
// document declares to declared.
func (r *reader) scenario(set map[string]string, declared map[string]bool) Scenario {
	parameters := r.declaredParameters()
	for _, parameter := range parameters {
		declared[parameter.Name] = true
	}
	r.fill(r.root, newParameters(parameters, set))
	var scenario Scenario
	r.decode(r.root, reflect.ValueOf(&scenario).Elem(), nil)
	r.checkParameters(scenario.Spec.Parameters, set)
	if find(r.root, "spec") == nil {
		r.semantic(field.Required(field.NewPath("spec"), "")) // rather than each field of it
	}
	r.semantic(scenario.Validate()...)
	return scenario
}

// declaredParameters reads spec.parameters before the rest of the document is
// filled. What is wrong with them is reported when the whole is read.
func (r *reader) declaredParameters() []Parameter {
	var parameters []Parameter
	early := newReader(r.file, r.root)
	if node := find(find(r.root, "spec"), "parameters"); node != nil {
		early.decode(node, reflect.ValueOf(&parameters).Elem(), field.NewPath("spec", "parameters"))
	}
	return slices.DeleteFunc(parameters, func(p Parameter) bool { return p.Name == "" })
}

// header says whether the document is of the kind wanted, and reports it when not.
func (r *reader) header(want string) bool {
	if r.root.Kind != yaml.MappingNode {
		r.report(r.root, nil, "a document must be a mapping, not "+describe(r.root), "")
		return false
	}
	if version := find(r.root, "apiVersion"); version == nil {
		r.report(r.root, field.NewPath("apiVersion"), "required", "write apiVersion: "+APIVersion)
	} else if version.Value != APIVersion {
		r.report(version, field.NewPath("apiVersion"), fmt.Sprintf("unknown version %q", clip(version.Value)), "this gameday reads "+APIVersion)
	}
	path := field.NewPath("kind")
	switch kind := find(r.root, "kind"); {
	case kind == nil:
		r.report(r.root, path, "required", "write kind: "+want)
	case kind.Value == want:
		return true
	case kind.Value == KindEnvironment:
		r.report(kind, path, "an Environment among scenarios", "keep it in gameday.yaml, or pass it with --environment")
	case kind.Value == KindScenario:
		r.report(kind, path, "a Scenario in place of an Environment", "pass it as FILE")
	default:
		r.report(kind, path, fmt.Sprintf("unknown kind %q", clip(kind.Value)), suggest(kind.Value, []string{want}))
	}
	return false
}

// uniqueName refuses two scenarios of one name in one invocation: nobody could
// tell their reports apart.
func (r *reader) uniqueName(name string, byName map[string]string) {
	path := field.NewPath("metadata", "name")
	at := r.place(path.String())
	if earlier, ok := byName[name]; ok && name != "" && !r.isSpoiled(path.String()) {
		r.report(at, path, fmt.Sprintf("scenario %q exists already, in %s", clip(name), earlier), "")
		return
	}
	byName[name] = fmt.Sprintf("%s:%d", r.file, at.Line)
}

// find gives the value of a key, nil when the mapping has none.
func find(n *yaml.Node, name string) *yaml.Node {
	if n != nil {
		for key, value := range entries(n) {
			if key.Value == name {
				return value
			}
		}
	}
	return nil
}
