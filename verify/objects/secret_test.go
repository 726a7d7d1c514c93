package objects

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// No value of a Secret gets out: by no path, in no result, diff, error or panic.
func TestSecretsStaySecret(t *testing.T) {
	words := []string{"hunter2", "swordfish", "tr0ub4dor", "correcthorse", "letmein", "opensesame"}
	b64 := func(i int) string { return base64.StdEncoding.EncodeToString([]byte(words[i])) }
	text := func(data, stringData, applied, note, label, stray, kind string) string {
		return fmt.Sprintf(`{apiVersion: v1, kind: Secret, type: %s, metadata: {namespace: shop, name: db, uid: a, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z',
			labels: {l: %s}, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"p":"%s"}}', note: %s}}, data: {password: %s}, stringData: {plain: %s}, stray: {x: %s}}`,
			kind, label, applied, note, data, stringData, stray)
	}
	one := text(b64(0), words[1], words[2], words[3], words[4], words[5], "odd")
	other := strings.NewReplacer("shop", "drill", "uid: a", "uid: b").Replace(text(b64(1), words[0], words[3], words[2], words[5], words[4], "Opaque"))
	wanted, found := parse(t, one), parse(t, other)

	var said []string
	say := func(values ...any) { said = append(said, fmt.Sprint(values...)) }
	for _, live := range []string{one, strings.Replace(one, words[1], words[0], 1), strings.Replace(one, "'1'", "'2'", 1)} {
		result, err := Comparison{Wanted: NewSet(wanted), Found: NewSet(found), Live: setOf(t, live), Namespaces: drill(), Keep: 100}.Run(t.Context())
		say(string(must(json.Marshal(result))), fmt.Sprintf("%+v", result), err)
		for _, d := range result.Loss {
			say(d.String())
			if (d.Wanted != "" && d.Wanted != "differs") || (d.Found != "" && d.Found != "differs") || (d.Live != "" && d.Live != "differs") {
				t.Errorf("%+v", d)
			}
		}
		if result.LossCount < 6 {
			t.Errorf("%d losses", result.LossCount)
		}
	}
	for _, pair := range [][2]*unstructured.Unstructured{{wanted, found}, {wanted, nil}, {nil, found}} {
		unified, byPath := Diff(resourceOf(wanted), pair[0], pair[1])
		if unified == "" {
			t.Error("no unified diff")
		}
		say(unified, fmt.Sprintf("%+v", byPath))
	}
	if _, what, ok := Alter(parse(t, strings.Replace(one, "type: odd", "type: Opaque", 1)), rand.New(rand.NewPCG(1, 2))); !ok || !strings.HasPrefix(what, "data.password: byte ") {
		t.Errorf("%s", what)
	} else {
		say(what)
	}
	broken := listSet{resource: resourceOf(wanted), objects: []*unstructured.Unstructured{wanted, wanted}}
	_, err := Comparison{Wanted: broken, Found: NewSet(found)}.Run(t.Context())
	say(err)
	for _, line := range said {
		for i, word := range words {
			if strings.Contains(line, word) || strings.Contains(line, b64(i)) {
				t.Errorf("%q is in\n%s", word, line)
			}
		}
	}
}

// A Secret of a manifest is what the API server makes of it.
func TestStringData(t *testing.T) {
	wanted := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: eA==}, stringData: {a: why, b: zed}}")
	found := parse(t, "{apiVersion: v1, kind: Secret, type: Opaque, metadata: {name: x}, data: {a: d2h5, b: emVk}}")
	if _, byPath := Diff(resourceOf(wanted), wanted, found); len(byPath) != 0 {
		t.Errorf("%v", byPath)
	}
	if wanted.Object["stringData"] == nil {
		t.Error("the object was changed")
	}
}

func TestUnifiedSecret(t *testing.T) {
	wanted := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: x, uid: a}, data: {same: eA==, other: eQ==, gone: eg==}}")
	found := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: x, uid: b}, data: {same: eA==, other: eg==}}")
	unified, byPath := Diff(resourceOf(wanted), wanted, found)
	want := `--- wanted
+++ found
@@ -1,7 +1,6 @@
 apiVersion: v1
 data:
-  gone: (not shown)
-  other: (not shown; wanted differs)
+  other: (not shown; found differs)
   same: (not shown)
 kind: Secret
 metadata:
`
	if !strings.HasPrefix(unified, want) {
		t.Errorf("%s\nwant\n%s", unified, want)
	}
	if len(byPath) != 3 || byPath[0].String() != "Secret x: data.gone: missing: wanted differs" {
		t.Errorf("%v", byPath)
	}
}

// A tarball says itself what kind its objects are of.
func TestASecretOfAnotherKindStaysSecret(t *testing.T) {
	secret := func(kind, password string) *unstructured.Unstructured {
		return parse(t, "{apiVersion: v1, kind: "+kind+", metadata: {namespace: shop, name: db, uid: a, resourceVersion: '7'}, data: {password: "+password+"}}")
	}
	for _, resource := range []Resource{
		{Version: "v1", Name: "secrets", Kind: "secret", Namespaced: true}, {Version: "v1", Name: "secretaries", Kind: "Secret", Namespaced: true},
	} {
		wanted, live := secret(resource.Kind, "eA=="), secret("Secret", "aHVudGVyMg==")
		result := runs(t, Comparison{Wanted: listSet{resource: resource, objects: []*unstructured.Unstructured{wanted}}, Live: listSet{resource: resource, objects: []*unstructured.Unstructured{live}}})
		unified, _ := Diff(resource, wanted, live)
		if said := fmt.Sprintf("%+v", result) + unified; result.LossCount == 0 || strings.Contains(said, "aHVudGVyMg") {
			t.Errorf("%s: %s", resource.Kind, said)
		}
	}
}
