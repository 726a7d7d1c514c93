package gobuild

import (
	"slices"
	"strings"
	"testing"
)

func TestSumsOfReplacements(t *testing.T) {
	const sums = `example.com/fork v1.0.0 h1:one=
example.com/fork v1.0.0/go.mod h1:two=
example.com/fork v1.1.0 h1:three=
example.com/other v1.0.0 h1:four=
`
	got := string(sumsOf(map[string]Module{"example.com/original": {Path: "example.com/fork", Version: "v1.0.0"}}, []byte(sums)))
	if want := "example.com/fork v1.0.0 h1:one=\nexample.com/fork v1.0.0/go.mod h1:two=\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStagingReplaces(t *testing.T) {
	got := stagingReplaces(`module k8s.io/kubernetes

replace k8s.io/alone => ./staging/src/k8s.io/alone

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/client-go => ./staging/src/k8s.io/client-go
	example.com/other => example.com/fork v1.0.0
)
`)
	if want := []string{"k8s.io/alone", "k8s.io/api", "k8s.io/client-go"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestModuleFile(t *testing.T) {
	c := Component{Name: "kubernetes", Version: "1.36.3", StagingVersion: "v0.36.3"}
	text := string(moduleFile(c, []string{"k8s.io/api"}))
	for _, want := range []string{"module cluster/kubernetes\n", "\nreplace k8s.io/api => k8s.io/api v0.36.3\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the module lacks %q:\n%s", want, text)
		}
	}
	forked := Component{
		Name:     "forked",
		Requires: []Module{{"example.com/newer", "v1.1.0"}},
		Replaces: map[string]Module{"example.com/upstream": {"example.com/fork", "v0.2.0"}},
	}
	text = string(moduleFile(forked, nil))
	for _, want := range []string{"\nrequire example.com/newer v1.1.0\n", "\nreplace example.com/upstream => example.com/fork v0.2.0\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the module lacks %q:\n%s", want, text)
		}
	}
	if text := string(moduleFile(Component{Name: "etcd"}, nil)); strings.Contains(text, "replace") {
		t.Errorf("a module without staging replaces something:\n%s", text)
	}
}

func TestRequirements(t *testing.T) {
	c := Component{
		Modules: []Module{{"example.com/server", "v1.0.0"}, {"example.com/client", "v1.1.0"}},
		Packages: map[string]string{
			"server": "example.com/server",
			"client": "example.com/client/cmd",
		},
	}
	if got, want := c.requirements(), []string{"example.com/client/cmd@v1.1.0", "example.com/server@v1.0.0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	c.Main = "package main"
	if got, want := c.requirements(), []string{"example.com/server@v1.0.0", "example.com/client@v1.1.0"}; !slices.Equal(got, want) {
		t.Errorf("with a generated main: got %v, want %v", got, want)
	}
}

// Whatever changes what is built changes where it is kept.
func TestKeyFollowsInputs(t *testing.T) {
	base := Component{Name: "a", Version: "v1", Modules: []Module{{"m", "v1"}}, Packages: map[string]string{"p": "m/p"}}
	keys := map[string]string{base.key(): "base"}
	for what, change := range map[string]func(*Component){
		"version": func(c *Component) { c.Modules = []Module{{"m", "v2"}} },
		"tags":    func(c *Component) { c.Tags = []string{"x"} },
		"flags":   func(c *Component) { c.LDFlags = []string{"-X", "a=b"} },
		"main":    func(c *Component) { c.Main = "package main" },
		"staging": func(c *Component) { c.StagingVersion = "v0.1.0" },
		"require": func(c *Component) { c.Requires = []Module{{"n", "v1"}} },
		"replace": func(c *Component) { c.Replaces = map[string]Module{"m": {"fork", "v1"}} },
	} {
		c := base
		change(&c)
		if other, ok := keys[c.key()]; ok {
			t.Errorf("a change of %s is kept where %s is", what, other)
		}
		keys[c.key()] = what
	}
	if again := base; again.key() != base.key() {
		t.Errorf("the key of equal inputs differs")
	}
}
