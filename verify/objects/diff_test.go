package objects

import (
	"fmt"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	wanted := parse(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web, uid: a, managedFields: [{manager: x}]}, spec: {replicas: 3, paused: true}, status: {replicas: 3}}")
	found := parse(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web, uid: b}, spec: {replicas: 0}, status: {replicas: 1}}")
	rule := Rule{Name: "quiesced", Kinds: []string{"Deployment.apps"}, Path: "spec.replicas", Why: "it is kept quiet"}
	unified, byPath := Diff(resourceOf(wanted), wanted, found, rule)
	want := `--- wanted
+++ found
@@ -4,5 +4,4 @@
   name: web
   namespace: shop
 spec:
-  paused: true
-  replicas: 3
+  replicas: 0
`
	if unified != want {
		t.Errorf("%s\nwant\n%s", unified, want)
	}
	var got []string
	for _, d := range byPath {
		got = append(got, fmt.Sprintf("%s: %s: %s", d.Path, d.Label, d.Rule))
	}
	if strings.Join(got, "\n") != "metadata.managedFields: expected: metadata of the server\nmetadata.uid: expected: metadata of the server\nspec.paused: loss: \nspec.replicas: expected: quiesced\nstatus: expected: status" {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if unified, byPath := Diff(resourceOf(wanted), wanted, wanted); unified != "" || byPath != nil {
		t.Errorf("of itself: %s %v", unified, byPath)
	}
	if unified, _ := Diff(resourceOf(wanted), wanted, nil); strings.Count(unified, "\n-") != 8 {
		t.Errorf("%s", unified)
	}
}

func TestUnify(t *testing.T) {
	lines := func(text string) []string { return strings.Split(text, "") }
	tests := map[string]string{
		"abc abc":                       "",
		"abc axc":                       "@@ -1,3 +1,3 @@ a -b +x c",
		"abcdefghijklmno abcdxfghijkxm": "@@ -2,14 +2,12 @@ b c d -e +x f g h i j k -l +x m -n -o",
		"aXbcdefghYi abcdefghi":         "@@ -1,5 +1,4 @@ a -X b c d @@ -7,5 +6,4 @@ f g h -Y i",
		"abcdefgh abcd":                 "@@ -2,7 +2,3 @@ b c d -e -f -g -h",
	}
	for sides, want := range tests {
		a, b, _ := strings.Cut(sides, " ")
		got := strings.Fields(strings.TrimPrefix(unify(lines(a), lines(b)), "--- wanted\n+++ found\n"))
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s\nwant %s", sides, strings.Join(got, " "), want)
		}
	}
	many := strings.Repeat("x", 5000)
	if got := unify(lines("a"+many+"b"), lines("c"+strings.Repeat("y", 5000)+"d")); strings.Count(got, "\n-") != 5002 {
		t.Errorf("%d lines", strings.Count(got, "\n-"))
	}
}

// Long texts are shown where they differ.
func TestLongValues(t *testing.T) {
	long := strings.Repeat("é", 500)
	one, other := renderPair(long+"red"+long, long+"green"+long)
	if !strings.Contains(one, "red") || !strings.Contains(other, "green") || len(one) > 3*longest || !strings.HasPrefix(one, `"…`) {
		t.Errorf("%s\n%s", one, other)
	}
}
