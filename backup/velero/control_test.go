package velero

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/objects"
)

// looking compares after a change, as the control does.
func looking(t *testing.T, candidate objects.Candidate, what string, wanted, found []*unstructured.Unstructured, rules ...objects.Rule) (verify.Verdict, string) {
	t.Helper()
	c := &climb{plan: restorePlan{Source: "shop", Into: "shop-drill"}, compared: &compared{comparison: objects.Comparison{
		Wanted: objects.NewSet(wanted...), Found: objects.NewSet(found...), Namespaces: map[string]string{"shop": "shop-drill"}, Rules: rules, Keep: 1,
	}}}
	seen := c.look(t.Context(), candidate, what)
	return seen.Verdict, seen.Summary
}

func movedTo(namespace string, o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	o.SetNamespace(namespace)
	return o
}

// The control passes by its own change alone, whatever field that is in and whatever
// else is lost.
func TestTheControlLooksForItsOwnChange(t *testing.T) {
	for _, text := range []string{
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: it}, data: {a.conf: red, port: '80'}}",
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: it}, binaryData: {b: aGVsbG8=}}",
		"{apiVersion: v1, kind: Secret, type: Opaque, metadata: {namespace: shop, name: it}, data: {password: aHVudGVyMg==}}",
		"{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: it, annotations: {example.com/team: blue}}, spec: {type: ClusterIP}}",
		"{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: it, labels: {team: blue}}}",
	} {
		original := parsed(t, text)
		resource := objects.Resource{Version: "v1", Name: strings.ToLower(original.GetKind()) + "s", Kind: original.GetKind(), Namespaced: true}
		candidate := objects.Candidate{Resource: resource, Namespace: "shop-drill", Name: "it"}
		restored := movedTo("shop-drill", original)
		altered, what, ok := objects.Alter(restored, rand.New(rand.NewPCG(1, 1)))
		if !ok {
			t.Fatalf("%s can't be altered", text)
		}
		wanted, found := []*unstructured.Unstructured{original}, []*unstructured.Unstructured{altered}
		if verdict, says := looking(t, candidate, what, wanted, found); verdict != verify.Pass {
			t.Errorf("%s: %s: %s", text, verdict, says)
		}
		// Others before it in the list, and another one of its own, change nothing.
		for i := range 60 {
			other := original.DeepCopy()
			other.SetName(fmt.Sprintf("another-%d", i))
			wanted = append(wanted, other)
		}
		altered.SetAnnotations(map[string]string{"example.com/lost": "x", "example.com/team": altered.GetAnnotations()["example.com/team"]})
		if verdict, says := looking(t, candidate, what, wanted, found); verdict != verify.Pass {
			t.Errorf("%s, among others: %s: %s", text, verdict, says)
		}
		// A comparison that is blind for this change, but not for another one.
		elsewhere := restored.DeepCopy()
		elsewhere.SetAnnotations(map[string]string{"example.com/lost": "x", "example.com/team": restored.GetAnnotations()["example.com/team"]})
		if verdict, says := looking(t, candidate, what, wanted[:1], []*unstructured.Unstructured{elsewhere}); verdict != verify.Fail {
			t.Errorf("%s, blind: %s: %s", text, verdict, says)
		}
		// One of the same name, of another resource.
		other := candidate
		other.Resource.Name, other.Resource.Kind = "somethings", "Something"
		if verdict, says := looking(t, other, what, wanted[:1], found[:1]); verdict == verify.Pass {
			t.Errorf("%s, of another resource: %s", text, says)
		}
	}
}

// A field that only the copy is to have, with one value, is seen when it has another.
func TestTheControlInWhatOnlyTheCopyHas(t *testing.T) {
	for _, annotations := range []string{"", ", annotations: {example.com/team: red}"} {
		original := parsed(t, "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: it"+annotations+"}, spec: {containers: []}}")
		candidate := objects.Candidate{Resource: objects.Resource{Version: "v1", Name: "pods", Kind: "Pod", Namespaced: true}, Namespace: "shop-drill", Name: "it"}
		altered := movedTo("shop-drill", original)
		all := altered.GetAnnotations()
		if all == nil {
			all = map[string]string{}
		}
		all["example.com/aside"] = "xlue"
		altered.SetAnnotations(all)
		rule := objects.Rule{Name: "aside", Kinds: []string{"Pod"}, Path: "metadata.annotations[example.com/aside]", What: []string{objects.Extra}}
		narrow := rule
		narrow.When = func(c objects.Case) bool { return c.Found == "blue" }
		for want, rule := range map[verify.Verdict]objects.Rule{verify.Pass: narrow, verify.Fail: rule} {
			verdict, says := looking(t, candidate, "metadata.annotations[example.com/aside]: byte 1 of 4",
				[]*unstructured.Unstructured{original}, []*unstructured.Unstructured{altered}, rule)
			if verdict != want {
				t.Errorf("%q: %s, want %s: %s", annotations, verdict, want, says)
			}
		}
	}
}
