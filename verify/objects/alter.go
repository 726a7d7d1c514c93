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
// in one field that does no harm: one byte of a ConfigMap or a Secret, else
// one letter of an annotation or a label. A run changes a restored object so,
// to prove that its comparison sees it. what names the field: "data.color: byte
// 2 of 3"; it never holds a value. ok is false for an object in which nothing
// of the kind can be changed: without data, annotations and labels of its own.
func Alter(o *unstructured.Unstructured, random *rand.Rand) (altered *unstructured.Unstructured, what string, ok bool) {
	altered = o.DeepCopy()
	kind := (Resource{Group: o.GroupVersionKind().Group, Kind: o.GetKind()}).kindName()
	if immutable, _ := o.Object["immutable"].(bool); !immutable {
		switch kind {
		case "ConfigMap":
			if what, ok = alterText(altered, random, plainByte, "data"); ok {
				return altered, what, true
			}
			if what, ok = alterText(altered, random, encodedByte, "binaryData"); ok {
				return altered, what, true
			}
		case "Secret":
			if what, ok = alterText(altered, random, encodedByte, "data"); ok && o.Object["type"] == "Opaque" {
				return altered, what, true
			}
			altered = o.DeepCopy()
		}
	}
	if what, ok = alterText(altered, random, plainByte, "metadata", "annotations"); ok {
		return altered, what, true
	}
	if selected(kind) {
		return nil, "", false
	}
	what, ok = alterText(altered, random, plainByte, "metadata", "labels")
	if !ok {
		return nil, "", false
	}
	return altered, what, true
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

// alterText changes one of the texts in the map at that path.
func alterText(o *unstructured.Unstructured, random *rand.Rand, change func(string, *rand.Rand) (string, string, bool), path ...string) (string, bool) {
	texts := o.Object
	for _, name := range path {
		texts, _ = texts[name].(map[string]any)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		// What Kubernetes or a tool writes has a meaning for it, and may be written anew.
		if path[0] != "metadata" || !strings.Contains(strings.SplitN(name, "/", 2)[0], "kubernetes.io") {
			names = append(names, name)
		}
	}
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		changed, where, ok := change(textOf(texts[name]), random)
		if ok {
			texts[name] = changed
			steps := make([]step, 0, len(path)+1)
			for _, name := range append(path, name) {
				steps = append(steps, step{name: name})
			}
			return render(steps) + ": " + where, true
		}
	}
	return "", false
}

// plainByte changes one letter or digit of a text into another one.
func plainByte(text string, random *rand.Rand) (string, string, bool) {
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
	other := byte('x')
	if text[at] == other {
		other = 'y'
	}
	return text[:at] + string(other) + text[at+1:], fmt.Sprintf("byte %d of %d", at+1, len(text)), true
}

// encodedByte changes one bit of what is encoded in base64.
func encodedByte(text string, random *rand.Rand) (string, string, bool) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		return "", "", false
	}
	at := random.IntN(len(data))
	data[at] ^= 1
	return base64.StdEncoding.EncodeToString(data), fmt.Sprintf("byte %d of %d", at+1, len(data)), true
}

func (r *run) candidate(*unstructured.Unstructured) {}
