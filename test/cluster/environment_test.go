package cluster

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		name, want string // want: part of the error
		env        map[string]string
	}{
		{"nothing is local", "", nil},
		{"kwok", "", map[string]string{"CLUSTER": "kwok", "NODES": "50"}},
		{"existing without a context", "needs CONTEXT", map[string]string{"CLUSTER": "existing"}},
		{"kind with its own image", "", map[string]string{"CLUSTER": "kind", "NODES": "4"}},
		{"kind and a version without an image", "set KIND_IMAGE", map[string]string{"CLUSTER": "kind", "KUBERNETES": "1.35.4"}},
		{"unknown", "choose local, kwok, kind or existing", map[string]string{"CLUSTER": "gke"}},
		{"bad number", "not a number", map[string]string{"NODES": "many"}},
	} {
		_, err := fromEnvironment(Options{}, func(name string) string { return test.env[name] }, io.Discard)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		}
	}
}

// A suite that asks for Velero can run on nodes that pretend; it has none there.
func TestVeleroOnlyWherePodsHaveData(t *testing.T) {
	for flavour, want := range map[string]bool{"": true, "local": true, "kwok": false} {
		p, err := fromEnvironment(Options{Velero: true}, func(name string) string { return map[string]string{"CLUSTER": flavour}[name] }, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		o := p.(*provider).options
		if err := o.validate(); err != nil || o.Velero != want {
			t.Errorf("CLUSTER=%s: Velero is %t, %v", flavour, o.Velero, err)
		}
	}
}

const twoClusters = `
apiVersion: v1
kind: Config
current-context: production
clusters:
- {name: a, cluster: {server: "https://production.example"}}
- {name: b, cluster: {server: "https://sandbox.example"}}
users:
- {name: a, user: {token: secret}}
- {name: b, user: {token: other}}
contexts:
- {name: production, context: {cluster: a, user: a}}
- {name: sandbox, context: {cluster: b, user: b}}
`

// The suite is given the named context and cannot even see the current one.
func TestExistingClusterIsOnlyTheNamedOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(twoClusters), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"CLUSTER": "existing", "CONTEXT": "sandbox", "KUBECONFIG": file}
	p, err := fromEnvironment(Options{}, func(name string) string { return env[name] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "production") || strings.Contains(string(text), "secret") {
		t.Errorf("the other context is in the suite's kubeconfig:\n%s", text)
	}
	if config := p.KubernetesRestConfig(); config == nil || config.Host != "https://sandbox.example" {
		t.Errorf("the suite would talk to %+v", config)
	}
	if err := p.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(kubeconfig); err == nil {
		t.Errorf("the copy of the kubeconfig is left")
	}

	env["CONTEXT"] = "nowhere"
	p, err = fromEnvironment(Options{}, func(name string) string { return env[name] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Create(t.Context()); err == nil || !strings.Contains(err.Error(), "CONTEXT=nowhere") {
		t.Errorf("a context that is not there: %v", err)
	}
}
