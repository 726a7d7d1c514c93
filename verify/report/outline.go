package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Outline names the parts of a scenario, as far as a report or a progress
// display needs them.
type Outline struct {
	Steps  []Part
	Checks []Part
}

// Part is one step or check.
type Part struct {
	Name string
	// Type is the field that holds its spec: podKill, availability, …
	Type string
	// Expect is the spec's own expect field, if it is a word.
	Expect string
}

// ReadOutline reads the outline from the scenario in a record. It asks for no
// more than names, so that the record of another version still gives a report;
// of a document it cannot read it tells nothing.
func ReadOutline(document json.RawMessage) Outline {
	var scenario struct {
		Spec struct {
			Checks []part           `json:"checks"`
			Steps  []stepOrParallel `json:"steps"`
		} `json:"spec"`
	}
	if json.Unmarshal(document, &scenario) != nil {
		return Outline{}
	}
	var outline Outline
	for _, check := range scenario.Spec.Checks {
		outline.Checks = append(outline.Checks, Part(check))
	}
	for _, step := range scenario.Spec.Steps {
		for _, each := range step {
			outline.Steps = append(outline.Steps, Part(each))
		}
	}
	return outline
}

func (o Outline) check(name string) Part { return find(o.Checks, name) }

func find(parts []Part, name string) Part {
	for _, part := range parts {
		if part.Name == name {
			return part
		}
	}
	return Part{Name: name}
}

// stepOrParallel flattens steps that run side by side.
type stepOrParallel []part

func (s *stepOrParallel) UnmarshalJSON(data []byte) error {
	var group struct {
		Parallel []part `json:"parallel"`
	}
	if err := json.Unmarshal(data, &group); err != nil {
		return err
	}
	if len(group.Parallel) > 0 {
		*s = group.Parallel
		return nil
	}
	*s = make([]part, 1)
	return json.Unmarshal(data, &(*s)[0])
}

type part Part

// UnmarshalJSON takes the one member that is an object for the spec: names,
// durations and switches are not.
func (p *part) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		value := members[key]
		switch {
		case key == "name":
			if err := json.Unmarshal(value, &p.Name); err != nil {
				return err
			}
		case bytes.HasPrefix(value, []byte("{")):
			p.Type = key
			var spec struct {
				Expect json.RawMessage `json:"expect"`
			}
			if json.Unmarshal(value, &spec) == nil {
				_ = json.Unmarshal(spec.Expect, &p.Expect) // alerts has a list of this name: no word, no Expect
			}
		}
	}
	return nil
}
