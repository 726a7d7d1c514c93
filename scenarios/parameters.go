package scenarios

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// tagFilled marks a scalar that was one ${name} and nothing else: its text may
// be a number or a boolean where the field wants one. A document cannot write
// this tag, because documents with tags are refused.
const tagFilled = "!filled"

// parameters are the declared ones with their values: from --set, else the
// default. One that has neither is known without a value.
type parameters struct {
	known  []string
	values map[string]string
}

func newParameters(declared []Parameter, set map[string]string) parameters {
	p := parameters{values: make(map[string]string, len(declared))}
	for _, parameter := range declared {
		if !slices.Contains(p.known, parameter.Name) {
			p.known = append(p.known, parameter.Name)
		}
		if parameter.Default != nil {
			p.values[parameter.Name] = string(*parameter.Default)
		}
		if value, ok := set[parameter.Name]; ok {
			p.values[parameter.Name] = value
		}
	}
	return p
}

// fill replaces ${name} in every value below the root. It works on the parsed
// tree, so that a value can never add structure to the document. It leaves the
// declarations alone: a default that refers to another parameter would depend
// on their order.
func (r *reader) fill(root *yaml.Node, p parameters) {
	for key, value := range entries(root) {
		path := field.NewPath(key.Value)
		switch key.Value {
		case "apiVersion", "kind":
		case "spec":
			for key, value := range entries(value) {
				if key.Value != "parameters" {
					r.fillNode(value, path.Child(key.Value), p)
				}
			}
		default:
			r.fillNode(value, path, p)
		}
	}
}

func (r *reader) fillNode(n *yaml.Node, path *field.Path, p parameters) {
	for key, value := range entries(n) {
		if strings.Contains(key.Value, "${") {
			r.report(key, path, fmt.Sprintf("a parameter in the name %q", key.Value), "parameters are filled into values only")
			continue
		}
		r.fillNode(value, path.Child(key.Value), p)
	}
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			r.fillNode(item, path.Index(i), p)
		}
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${") {
		r.fillScalar(n, path, p)
	}
}

func (r *reader) fillScalar(n *yaml.Node, path *field.Path, p parameters) {
	var filled strings.Builder
	tag := "!!str"
	for rest := n.Value; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		filled.WriteString(before)
		rest = after
		if !found {
			break
		}
		if strings.HasSuffix(before, "$") {
			filled.WriteString("{") // $${ is a literal ${, and its first $ is written
			continue
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			r.report(n, path, `"${" without a "}"`, "write $${ for a literal ${")
			return
		}
		value, ok := p.values[name]
		if !ok {
			r.unknownParameter(n, path, name, p.known)
			return
		}
		filled.WriteString(value)
		if n.Value == "${"+name+"}" {
			tag = tagFilled
		}
		rest = tail
	}
	n.Value, n.Tag, n.Style = filled.String(), tag, 0
}

func (r *reader) unknownParameter(n *yaml.Node, path *field.Path, name string, known []string) {
	switch {
	case slices.Contains(known, name):
		r.spoil(path) // that it has no value is reported once, at its declaration
	case len(known) == 0:
		r.report(n, path, fmt.Sprintf("unknown parameter ${%s}", name), "declare it in spec.parameters, or write $${ for a literal ${")
	default:
		r.report(n, path, fmt.Sprintf("unknown parameter ${%s}", name), suggest(name, known))
	}
}

// checkParameters reports what is wrong with the declarations.
func (r *reader) checkParameters(parameters []Parameter, set map[string]string) {
	path := field.NewPath("spec", "parameters")
	valid := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)
	seen := map[string]bool{}
	for i, parameter := range parameters {
		path := path.Index(i)
		_, isSet := set[parameter.Name]
		switch {
		case parameter.Name == "":
			r.semantic(field.Required(path.Child("name"), ""))
		case !valid.MatchString(parameter.Name):
			r.semantic(field.Invalid(path.Child("name"), parameter.Name, "must be letters, digits, - and _, beginning with a letter"))
		case seen[parameter.Name]:
			r.semantic(field.Duplicate(path.Child("name"), parameter.Name))
		case parameter.Default == nil && !isSet:
			r.semantic(field.Required(path.Child("default"), fmt.Sprintf("or pass --set %s=...", parameter.Name)))
		case parameter.Default != nil && strings.Contains(string(*parameter.Default), "${"):
			r.semantic(field.Invalid(path.Child("default"), string(*parameter.Default), "a default cannot refer to a parameter"))
		}
		seen[parameter.Name] = true
	}
}

// checkSet reports values that no scenario has a use for: a misspelt --set
// must not run with the default instead.
func checkSet(set map[string]string, declared map[string]bool) []Problem {
	var problems []Problem
	known := slices.Sorted(maps.Keys(declared))
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !declared[name] {
			problems = append(problems, Problem{File: "--set", Field: name,
				Message: "no scenario has this parameter", Hint: suggest(name, known)})
		} else if !utf8.ValidString(set[name]) {
			problems = append(problems, Problem{File: "--set", Field: name, Message: "the value is not UTF-8"})
		}
	}
	return problems
}
