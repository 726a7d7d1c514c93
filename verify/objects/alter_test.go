package objects

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What Alter changes, the comparison sees, as one difference.
func TestAlterIsSeen(t *testing.T) {
	r := newRun(Comparison{}, mapping{})
	altered := 0
	for _, o := range examples(t) {
		r.subject, r.kind = subject{resource: resourceOf(o)}, r.kinds.of(resourceOf(o))
		for seed := range uint64(10) {
			before := o.DeepCopy()
			changed, what, ok := Alter(o, rand.New(rand.NewPCG(seed, 1)))
			if !same(before.Object, o.Object) {
				t.Fatalf("%s %s: the object itself was changed", o.GetKind(), o.GetName())
			}
			if !ok {
				continue
			}
			altered++
			left := r.walk(restoring, o, changed)
			path, _, _ := strings.Cut(what, ": byte")
			if len(left) != 1 || left[0].path != path {
				t.Errorf("%s %s: %s: %+v", o.GetKind(), o.GetName(), what, left)
			}
		}
	}
	if altered < 50 {
		t.Errorf("%d altered: the test would prove little", altered)
	}
}

func TestAlter(t *testing.T) {
	for object, want := range map[string]string{
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {l: x}}, data: {a: '?x'}}":                       "data.a: byte 2 of 2",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {l: x}}, immutable: true, data: {a: x}}":         "metadata.labels.l: byte 1 of 1",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {a: AA==}}":                                 "binaryData.a: byte 1 of 1",
		"{apiVersion: v1, kind: Secret, type: Opaque, metadata: {name: a}, data: {a: AA==}}":                            "data.a: byte 1 of 1",
		"{apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata: {name: a, labels: {l: x}}, data: {a: AA==}}": "metadata.labels.l: byte 1 of 1",
		"{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {a: x}, labels: {l: x}}}":                     "metadata.annotations.a: byte 1 of 1",
		"{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {l: x}}}":                                              "",
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, annotations: {deployment.kubernetes.io/x: x}}}":    "",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: '???'}}":                                      "",
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: 7}":                                               "",
	} {
		_, what, ok := Alter(parse(t, object), rand.New(rand.NewPCG(1, 1)))
		if what != want || ok != (want != "") {
			t.Errorf("%s\n%q, want %q", object, what, want)
		}
	}
}
