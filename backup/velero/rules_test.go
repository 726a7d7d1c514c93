package velero

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

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

// drilled compares what a backup of namespace shop holds with what a drill restored
// into namespace drill.
func drilled(t *testing.T, wanted, found []string) objects.Result {
	t.Helper()
	result, err := objects.Comparison{
		Wanted: setOf(t, wanted), Found: setOf(t, found), Namespaces: map[string]string{"shop": "drill"}, Rules: Rules("gameday-1", "nightly"),
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
