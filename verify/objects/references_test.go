package objects

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Each reference, restored as it was, is a loss; with the new name it is
// expected, with a third one it is a loss.
func TestEveryReference(t *testing.T) {
	for _, ref := range references() {
		for _, kind := range ref.kinds {
			t.Run(strings.ReplaceAll(kind+" "+ref.path, "/", "_"), func(t *testing.T) {
				name, group, _ := strings.Cut(kind, ".")
				path, ok := expand(ref.path, kind)
				if !ok {
					t.Fatal("it has no PodSpec")
				}
				value := func(namespace string) string {
					if ref.prefixed {
						return "system:serviceaccounts:" + namespace
					}
					return namespace
				}
				build := func(namespace string) string {
					o := parse(t, "{apiVersion: "+strings.TrimPrefix(group+"/v1", "/")+", kind: "+name+", metadata: {name: x}}")
					concrete := strings.NewReplacer("*SecretRef", "nodeStageSecretRef", "io/*-secret", "io/provisioner-secret").Replace(path)
					way := wayTo(o, strings.ReplaceAll(concrete, "[*]", "[+]"))
					set(o.Object, way, value(namespace))
					if ref.key != "" { // matchExpressions[+].values[+]
						set(o.Object, append(slices.Clone(way[:len(way)-2]), "key"), ref.key)
					}
					return string(must(o.MarshalJSON()))
				}
				compare := func(found string) Result {
					return runs(t, Comparison{Wanted: setOf(t, build("shop")), Found: setOf(t, build(found)), Namespaces: drill()})
				}
				if result := compare("drill"); result.LossCount != 0 || result.Expected["reference that followed"] != 1 {
					t.Errorf("one that followed: %+v", result)
				}
				if result := compare("third"); result.LossCount != 1 || result.Loss[0].What != Changed {
					t.Errorf("one that went astray: %v", result.Loss)
				}
				if result := compare("shop"); result.LossCount != 1 || result.Loss[0].What != Reference {
					t.Errorf("one that stayed: %v", result.Loss)
				}
			})
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestReferencesThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"another label":          "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x}, spec: {ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [shop]}]}}]}]}}",
		"a subject called so":    "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: x}, subjects: [{kind: User, name: shop}]}",
		"a longer namespace":     "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: x}, subjects: [{kind: Group, name: 'system:serviceaccounts:shop2'}]}",
		"a Service of another":   "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a: db.workshop.svc, b: db.shop.svc2, c: .shop.svc, d: shop.svc}}",
		"a Secret's own affairs": "{apiVersion: v1, kind: Secret, metadata: {name: x, annotations: {a: db.shop.svc}}, data: {a: ZGIuc2hvcC5zdmM=}}",
		"what kubectl keeps":     "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, annotations: {kubectl.kubernetes.io/last-applied-configuration: 'db.shop.svc'}}}",
	} {
		if result := runs(t, Comparison{Wanted: setOf(t, text), Found: setOf(t, text), Namespaces: drill()}); result.LossCount != 0 || len(result.Expected) != 0 || len(result.Notes) != 0 {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// A reference that a caller expects is kept to be read; what a controller writes
// anew is not.
func TestNotedReferences(t *testing.T) {
	claim := "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}, spec: {dataSourceRef: {kind: A, name: a, namespace: shop}}}"
	slice := "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: x, labels: {endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}, endpoints: [{targetRef: {namespace: shop}}]}"
	rules := []Rule{{Name: "ours", Kinds: []string{"PersistentVolumeClaim"}, Path: "spec", What: []string{Reference}}}
	result := runs(t, Comparison{Wanted: setOf(t, claim, slice), Found: setOf(t, claim, slice), Namespaces: drill(), Rules: rules})
	if result.LossCount != 0 || len(result.Notes) != 1 || result.Notes[0].Path != "spec.dataSourceRef.namespace" || result.Notes[0].Rule != "ours" || result.Expected["addresses of pods"] != 1 {
		t.Errorf("%+v", result)
	}
}

// Texts that name the original are expected, and kept to be read.
func TestNotes(t *testing.T) {
	texts := []string{
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: settings}, data: {url: 'http://db.shop.svc.cluster.local:5432/x'}}",
		"{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}, spec: {template: {spec: {containers: [{name: web, args: [--db, db.shop.svc], env: [{name: DB, value: db.shop.svc}]}]}}}}",
		"{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: alias}, spec: {externalName: db.shop.svc.cluster.local}}",
		"{apiVersion: shop.example/v1, kind: Basket, metadata: {namespace: shop, name: big}, spec: {source: {namespace: shop, name: shop}, watch: {namespaces: [shop, other]}}}",
	}
	var found []string
	for _, text := range texts {
		found = append(found, strings.Replace(text, "namespace: shop", "namespace: drill", 1))
	}
	result := runs(t, Comparison{Wanted: setOf(t, texts...), Found: setOf(t, found...), Namespaces: drill()})
	if result.LossCount != 0 || result.Expected[absoluteName] != 4 || result.Expected[customField] != 2 || len(result.Notes) != 6 || result.NoteCount != 6 {
		t.Errorf("%+v", result)
	}
	lines := map[string]bool{}
	for _, note := range result.Notes {
		lines[note.String()] = true
	}
	for _, want := range []string{
		`ConfigMap shop/settings: data.url: reference: found "http://db.shop.svc.cluster.local:5432/x" (started here, it talks to the original)`,
		`Basket shop/big: spec.source.namespace: reference: found "shop" (whoever reads it may act on the original)`,
	} {
		if !lines[want] {
			t.Errorf("no %q in %v", want, slices.Collect(maps.Keys(lines)))
		}
	}
	few, err := Comparison{Wanted: setOf(t, texts...), Found: setOf(t, found...), Namespaces: drill(), Keep: 2}.Run(t.Context())
	if err != nil || len(few.Notes) != 2 || few.NoteCount != 6 {
		t.Errorf("kept %d of %d, %v", len(few.Notes), few.NoteCount, err)
	}
	rules := []Rule{{Name: "ours", Kinds: []string{"*"}, Path: "spec", What: []string{Reference}}}
	result = runs(t, Comparison{Wanted: setOf(t, texts...), Found: setOf(t, found...), Namespaces: drill(), Rules: rules})
	if len(result.Notes) != 6 || result.Expected["ours"] != 5 {
		t.Errorf("a caller's rule: %+v", result)
	}
}
