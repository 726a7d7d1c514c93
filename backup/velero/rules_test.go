package velero

import (
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/backup/velero/quiesce"
	"gameday.dev/gameday/verify/objects"
)

// parsed reads an object from YAML as a cluster would have sent it.
func parsed(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

func setOf(t *testing.T, texts []string) objects.Set {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, text := range texts {
		all = append(all, parsed(t, text))
	}
	return objects.NewSet(all...)
}

func restoreOfNightly() *velerov1.Restore {
	restore := &velerov1.Restore{}
	restore.Name, restore.UID, restore.Spec.BackupName = "gameday-1", "0b1c", "nightly"
	return restore
}

// drilled compares what a backup of namespace shop holds with what a drill restored
// into namespace drill.
func drilled(t *testing.T, wanted, found []string) objects.Result {
	t.Helper()
	backup := setOf(t, wanted)
	names, err := snapshotNames(t.Context(), backup, "0b1c")
	if err != nil {
		t.Fatal(err)
	}
	result, err := objects.Comparison{
		Wanted: backup, Found: setOf(t, found), Namespaces: map[string]string{"shop": "drill"}, Names: ofSnapshots(names), Rules: veleroRules(restoreOfNightly()),
		NotRestored: (&Restore{}).notRestored, WhyMissing: whyMissing, Keep: 50,
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Since Kubernetes 1.24 nobody makes such a Secret anew, and Velero leaves it out.
func TestATokenSecretThatSomebodyMadeIsLost(t *testing.T) {
	account := "{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: NS, name: ci, uid: NS}}"
	secret := "{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {namespace: NS, name: ci-token-NAME, uid: NAME, annotations: {kubernetes.io/service-account.name: ci}}, data: {token: eA==}}"
	in := func(text, namespace, name string) string {
		return strings.NewReplacer("NS", namespace, "NAME", name).Replace(text)
	}
	for _, name := range []string{"github", "x7k2p"} {
		result := drilled(t, []string{in(account, "shop", ""), in(secret, "shop", name)}, []string{in(account, "drill", "")})
		if result.LossCount != 1 || !strings.Contains(result.Loss[0].Why, "kubectl create token") {
			t.Errorf("%s: %+v", name, result)
		}
	}
	// A cluster of before, whose controller has made another.
	if result := drilled(t, []string{in(account, "shop", ""), in(secret, "shop", "x7k2p")}, []string{in(account, "drill", ""), in(secret, "drill", "bc9df")}); result.LossCount != 0 {
		t.Errorf("%+v", result.Loss)
	}
}

// Velero takes one token out of an account's list, which the rules of Kubernetes
// expect, and nothing else.
func TestSecretsOfAnAccountStay(t *testing.T) {
	const account = "{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: ci, uid: a}, secrets: [{name: vault-key}, {name: ci-token-x7k2p}]}"
	for secrets, lost := range map[string]int64{"secrets: [{name: vault-key}]": 0, "secrets: []": 1, "imagePullSecrets: []": 1} {
		found := strings.Replace(strings.Replace(account, "namespace: shop", "namespace: drill", 1), "secrets: [{name: vault-key}, {name: ci-token-x7k2p}]", secrets, 1)
		if result := drilled(t, []string{account}, []string{found}); result.LossCount != lost {
			t.Errorf("%s: %v", secrets, result.Loss)
		}
	}
}

func TestEveryRuleHasAnExample(t *testing.T) {
	rules := slices.Concat(ownRules("r1"), quiesce.Rules(quiesce.Options{Namespace: "shop"}), restoreRules("gameday-1", "nightly"), []objects.Rule{autoscaledRule(scaledExample(t))})
	shown := map[string]bool{}
	for _, example := range ruleExamples() {
		t.Run(strings.ReplaceAll(example.name+" "+example.path, "/", "_"), func(t *testing.T) {
			shown[example.name+"|"+example.path] = true
			if lost := example.lost(t, rules, ""); len(lost) > 0 {
				t.Errorf("not expected: %v", lost)
			}
			others := slices.DeleteFunc(slices.Clone(rules), func(r objects.Rule) bool { return r.Name == example.name && r.Path == example.path })
			if len(others) != len(rules)-1 {
				t.Errorf("there are %d such rules", len(rules)-len(others))
			}
			if lost := example.lost(t, others, ""); len(lost) == 0 {
				t.Error("without the rule it is expected too")
			}
			if lost := example.lost(t, rules, example.loss); len(lost) == 0 {
				t.Error("the neighbouring difference is no loss")
			}
		})
	}
	for _, rule := range rules {
		if !shown[rule.Name+"|"+rule.Path] {
			t.Errorf("rule %s %s of %v has no example", rule.Name, rule.Path, rule.Kinds)
		}
		if rule.Source == "" || rule.Why == "" {
			t.Errorf("rule %s %s has no source or no reason", rule.Name, rule.Path)
		}
	}
}

// lost compares the example, altered by a patch, by these rules.
func (e ruleExample) lost(t *testing.T, rules []objects.Rule, loss string) []objects.Difference {
	t.Helper()
	wanted, found := objects.NewSet(), objects.NewSet()
	switch {
	case e.wanted == "":
		found = objects.NewSet(merged(t, parsed(t, e.found), loss))
	case e.found == gone:
		wanted = objects.NewSet(merged(t, parsed(t, e.wanted), loss))
	default:
		restored := merged(t, merged(t, parsed(t, e.wanted), e.found), loss)
		if restored.GetNamespace() == "" {
			restored.SetName("drill")
		} else {
			restored.SetNamespace("drill")
		}
		wanted, found = objects.NewSet(parsed(t, e.wanted)), objects.NewSet(restored)
	}
	result, err := objects.Comparison{Wanted: wanted, Found: found, Namespaces: map[string]string{"shop": "drill"}, Rules: rules, Keep: 50}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result.Loss
}

// merged applies a merge patch in YAML.
func merged(t *testing.T, object *unstructured.Unstructured, patch string) *unstructured.Unstructured {
	t.Helper()
	if patch == "" {
		return object
	}
	before, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	change, err := yaml.YAMLToJSON([]byte(patch))
	if err != nil {
		t.Fatalf("%v in %s", err, patch)
	}
	after, err := jsonpatch.MergePatch(before, change)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(after))
}

func TestOnlyTheInitContainerThatAnAnnotationAsksForIsExpected(t *testing.T) {
	const prefix = "init.hook.restore.velero.io/container-"
	named := map[string]string{prefix + "image": "tool:1", prefix + "name": "hook"}
	unnamed := map[string]string{prefix + "image": "tool:1"}
	for _, c := range []struct {
		annotations map[string]string
		name, image string
		expected    bool
	}{
		{named, "hook", "tool:1", true},
		{named, "hook", "tool:2", false},
		{named, "other", "tool:1", false},
		{named, "velero-restore-init-deadfeed", "tool:1", false},
		{unnamed, "velero-restore-init-deadfeed", "tool:1", true},
		{unnamed, "other", "tool:1", false},
		{nil, "velero-restore-init-deadfeed", "", false},
		{nil, "", "", false},
	} {
		wanted := &unstructured.Unstructured{Object: map[string]any{}}
		wanted.SetAnnotations(c.annotations)
		found := map[string]any{"name": c.name, "image": c.image}
		if got := isInitHook(objects.Case{Found: found, WantedObject: wanted}); got != c.expected {
			t.Errorf("annotations %v, container %v: expected %v", c.annotations, found, got)
		}
	}
}

func scaledExample(t *testing.T) map[workload]replicas {
	t.Helper()
	scaled, err := autoscaled(t.Context(), setOf(t, []string{
		"{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {namespace: shop, name: a}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 2, maxReplicas: 5}}",
		"{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {namespace: shop, name: b}, spec: {scaleTargetRef: {apiVersion: v1, kind: ReplicationController, name: old}, maxReplicas: 3}}",
	}))
	if err != nil {
		t.Fatal(err)
	}
	return scaled
}

func TestAutoscaled(t *testing.T) {
	rule := autoscaledRule(scaledExample(t))
	of := func(group, kind, name string, found any) bool {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetName(name)
		return rule.When(objects.Case{Resource: objects.Resource{Group: group, Kind: kind}, FoundObject: object, Found: found})
	}
	for name, test := range map[string]struct{ got, want bool }{
		"the least":        {of("apps", "Deployment", "web", int64(2)), true},
		"the most":         {of("apps", "Deployment", "web", int64(5)), true},
		"too few":          {of("apps", "Deployment", "web", int64(1)), false},
		"too many":         {of("apps", "Deployment", "web", int64(6)), false},
		"no number":        {of("apps", "Deployment", "web", "3"), false},
		"another workload": {of("apps", "Deployment", "api", int64(3)), false},
		"another kind":     {of("apps", "StatefulSet", "web", int64(3)), false},
		"another group":    {of("example.org", "Deployment", "web", int64(3)), false},
		"the core group":   {of("", "ReplicationController", "old", int64(1)), true},
		"none":             {of("", "ReplicationController", "old", int64(0)), false},
	} {
		if test.got != test.want {
			t.Errorf("%s: expected is %v", name, test.got)
		}
	}
}
