package scenarios

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// tagOf gives the type of a scalar. One that a parameter filled has the type
// that its text would have in the document.
func tagOf(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Tag == tagFilled {
		return (&yaml.Node{Kind: yaml.ScalarNode, Value: n.Value}).ShortTag()
	}
	return n.ShortTag()
}

// describe names what a node is, for "must be a list, not ...".
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tagOf(n) {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the boolean " + n.Value
	case "!!null":
		return "nothing"
	default:
		return "the text " + strconv.Quote(clip(n.Value))
	}
}

// clip keeps a message on its line.
func clip(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

func (r *reader) string(n *yaml.Node, out reflect.Value, path *field.Path) {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.report(n, path, "must be text, not "+describe(n), "")
	case n.Tag == tagFilled || tagOf(n) == "!!str" || tagOf(n) == "!!timestamp":
		out.SetString(n.Value)
	default:
		r.report(n, path, "must be text, not "+describe(n), fmt.Sprintf("put it in quotes: %q", n.Value))
	}
}

func (r *reader) text(n *yaml.Node, out *Text, path *field.Path) {
	if n.Kind != yaml.ScalarNode {
		r.report(n, path, "must be text, a number or a boolean, not "+describe(n), "")
		return
	}
	*out = Text(n.Value)
}

func (r *reader) bool(n *yaml.Node, out reflect.Value, path *field.Path) {
	if n.Kind != yaml.ScalarNode || tagOf(n) != "!!bool" {
		r.report(n, path, "must be true or false, not "+describe(n), "")
		return
	}
	out.SetBool(strings.EqualFold(n.Value, "true"))
}

func (r *reader) int(n *yaml.Node, out reflect.Value, path *field.Path) {
	if n.Kind != yaml.ScalarNode || tagOf(n) != "!!int" {
		r.report(n, path, "must be a whole number, not "+describe(n), "")
		return
	}
	value, err := strconv.ParseInt(n.Value, 0, out.Type().Bits())
	if err != nil {
		r.report(n, path, fmt.Sprintf("%s does not fit into %d bits", clip(n.Value), out.Type().Bits()), "")
		return
	}
	out.SetInt(value)
}

func (r *reader) intOrString(n *yaml.Node, out *intstr.IntOrString, path *field.Path) {
	if n.Kind != yaml.ScalarNode {
		r.report(n, path, "must be a number or a percent, not "+describe(n), "")
		return
	}
	switch tagOf(n) {
	case "!!int":
		out.Type = intstr.Int
		r.int(n, reflect.ValueOf(&out.IntVal).Elem(), path)
	case "!!str":
		*out = intstr.FromString(n.Value)
	default:
		r.report(n, path, "must be a number or a percent, not "+describe(n), "")
	}
}

// duration is stricter than Go's own reading: a number without a unit is
// refused, and so is anything that does not begin with a digit.
func (r *reader) duration(n *yaml.Node, out *metav1.Duration, path *field.Path) {
	if n.Kind != yaml.ScalarNode {
		r.report(n, path, "must be a duration, not "+describe(n), "for example 30s")
		return
	}
	text := n.Value
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		r.report(n, path, fmt.Sprintf("%s needs a unit", clip(text)), fmt.Sprintf("for example %ss", strings.TrimLeft(clip(text), "+-")))
		return
	}
	if strings.HasPrefix(text, "-") {
		r.report(n, path, clip(text)+" is negative", "")
		return
	}
	value, err := time.ParseDuration(text)
	if err != nil || text[0] < '0' || text[0] > '9' {
		r.report(n, path, strconv.Quote(clip(text))+" is not a duration", "for example 1h30m, 5m, 30s or 500ms; days are written in hours")
		return
	}
	out.Duration = value
}
