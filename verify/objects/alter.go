package objects

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Alter gives a copy of an object that differs from it by the smallest amount
// in one field that does no harm: one byte of a ConfigMap or of an opaque
// Secret, else of an annotation, else of a label that nothing selects by. A run
// changes a restored object so, to prove that its comparison sees it. what names
// the field, "data.color: byte 2 of 3", and never holds a value. ok is false for
// an object without such a field, and where a rule of Kubernetes' own would
// expect the change; Result.Candidates have one.
func Alter(o *unstructured.Unstructured, random *rand.Rand) (altered *unstructured.Unstructured, what string, ok bool) {
	r := newRun(Comparison{}, mapping{})
	r.kind = r.kinds.of(resourceOf(o))
	return r.alter(o, random)
}

// alter changes a field so that the comparison sees it.
func (r *run) alter(o *unstructured.Unstructured, random *rand.Rand) (altered *unstructured.Unstructured, what string, ok bool) {
	for _, places := range alterable(o) {
		random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
		for _, at := range places {
			if altered, what, ok = at.alter(o, random); ok && r.sees(o, altered) {
				return altered, what, true
			}
		}
	}
	return nil, "", false
}

// alteration is a text that can be changed.
type alteration struct {
	in     []string // the map it is in
	name   string
	text   string
	change func(text string, random *rand.Rand) (changed, where string, ok bool)
}

// alter makes the change in a copy.
func (a alteration) alter(o *unstructured.Unstructured, random *rand.Rand) (altered *unstructured.Unstructured, what string, ok bool) {
	changed, where, ok := a.change(a.text, random)
	if !ok {
		return nil, "", false
	}
	altered = o.DeepCopy()
	fields := altered.Object
	var steps []step
	for _, name := range a.in {
		steps = append(steps, step{name: name})
		fields, _ = fields[name].(map[string]any)
	}
	fields[a.name] = changed
	return altered, render(append(steps, step{name: a.name})) + ": " + where, true
}

// alterable gives the texts that can be changed, the most harmless sort first.
func alterable(o *unstructured.Unstructured) [][]alteration {
	kind := (Resource{Group: o.GroupVersionKind().Group, Kind: o.GetKind()}).kindName()
	immutable := o.Object["immutable"] == true
	var sorts [][]alteration
	switch {
	case kind == "ConfigMap" && !immutable:
		sorts = append(sorts, textsIn(o, letter, "data"), textsIn(o, encoded, "binaryData"))
	case kind == "Secret" && !immutable && o.Object["type"] == "Opaque":
		sorts = append(sorts, textsIn(o, encoded, "data"))
	}
	sorts = append(sorts, textsIn(o, letter, "metadata", "annotations"))
	if !selected(kind) {
		sorts = append(sorts, textsIn(o, letter, "metadata", "labels"))
	}
	return slices.DeleteFunc(sorts, func(places []alteration) bool { return len(places) == 0 })
}

// selected says that labels of such objects decide to whom they belong.
func selected(kind string) bool {
	switch kind {
	case "Pod", "ReplicaSet.apps", "ControllerRevision.apps", "PersistentVolumeClaim", "PersistentVolume", "Node", "Namespace",
		"EndpointSlice.discovery.k8s.io", "Endpoints", "ClusterRole.rbac.authorization.k8s.io":
		return true
	default:
		return false
	}
}

// textsIn lists the texts of a map that can be changed, in the order of names.
func textsIn(o *unstructured.Unstructured, change func(string, *rand.Rand) (string, string, bool), path ...string) []alteration {
	fields := o.Object
	for _, name := range path {
		fields, _ = fields[name].(map[string]any)
	}
	var places []alteration
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text := textOf(fields[name])
		// What Kubernetes and its tools write has a meaning for them, and may be written anew.
		prefix, _, prefixed := strings.Cut(name, "/")
		ours := path[0] != "metadata" || !prefixed || !strings.HasSuffix("."+prefix, ".kubernetes.io") && !strings.HasSuffix("."+prefix, ".k8s.io")
		if ours && text != "" {
			places = append(places, alteration{in: path, name: name, text: text, change: change})
		}
	}
	return places
}

// letter changes one letter or digit of a text into another one.
func letter(text string, random *rand.Rand) (changed, where string, ok bool) {
	var places []int
	for i := range len(text) {
		if c := text[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return "", "", false
	}
	at := places[random.IntN(len(places))]
	other := "x"
	if text[at] == 'x' {
		other = "y"
	}
	return text[:at] + other + text[at+1:], byteOf(at, len(text)), true
}

// encoded changes one bit of what is encoded in base64.
func encoded(text string, random *rand.Rand) (changed, where string, ok bool) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		return "", "", false
	}
	at := random.IntN(len(data))
	data[at] ^= 1
	return base64.StdEncoding.EncodeToString(data), byteOf(at, len(data)), true
}

func byteOf(at, of int) string { return fmt.Sprintf("byte %d of %d", at+1, of) }
