package velero

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/internal/velerotest"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify/objects"
)

// comparedWith is a climb that has compared what a backup holds with what a cluster has
// in the original's namespace and in the drill's.
func comparedWith(t *testing.T, held []string, cluster ...string) *climb {
	t.Helper()
	var all []runtime.Object
	for _, text := range cluster {
		all = append(all, parsed(t, text))
	}
	c := &climb{
		Teller: backup.Teller{Record: &velerotest.Recorder{}}, plan: restorePlan{Source: "shop", Into: "drill", Backup: "nightly-1"}, contents: backedUp(t, held...),
		env: experiments.Env{Dynamic: dynamicfake.NewSimpleDynamicClient(scheme.Scheme, all...), Artifacts: filepath.Join(t.TempDir(), "artifacts")},
	}
	if err := os.Mkdir(c.env.Artifacts, 0o755); err != nil {
		t.Fatal(err)
	}
	of := []objects.Resource{{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true}, {Version: "v1", Name: "secrets", Kind: "Secret", Namespaced: true}}
	side := func(namespace string) objects.Listed {
		return objects.Listed{Client: c.env.Dynamic, Namespaces: []string{namespace}, Of: of}
	}
	comparison := objects.Comparison{Wanted: c.contents, Found: side("drill"), Live: side("shop"), Namespaces: map[string]string{"shop": "drill"}, Keep: kept}
	result, err := comparison.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.compared = &compared{comparison, result}
	return c
}

// told is the file of a climb, and what its rung says of it.
func (c *climb) told(t *testing.T) (file string, rung backup.Rung) {
	t.Helper()
	c.tellDifferences(t.Context(), &rung)
	text, err := os.ReadFile(filepath.Join(c.env.Artifacts, "objects-drill.diff"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), rung
}

func TestDifferencesAreShownLineByLine(t *testing.T) {
	const hush, other = "aHVzaA==", "b3RoZXI="
	configMap := func(namespace, name, version, data string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {namespace: %s, name: %s, uid: %s, resourceVersion: '%s'}, data: {%s}}", namespace, name, namespace+name, version, data)
	}
	secret := func(namespace, value string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {namespace: %s, name: db, uid: %s}, data: {password: %s, same: aGk=}}", namespace, namespace, value)
	}
	c := comparedWith(t,
		[]string{configMap("shop", "conf", "7", "color: red, size: big"), configMap("shop", "gone", "8", "a: b"), configMap("shop", "altered", "9", "k: forged"), secret("shop", hush)},
		configMap("drill", "conf", "70", "color: green, size: big"), configMap("drill", "altered", "71", "k: forged"), configMap("drill", "stranger", "72", "x: why"), secret("drill", other),
		configMap("shop", "conf", "7", "color: red, size: big"), configMap("shop", "gone", "8", "a: b"), configMap("shop", "altered", "9", "k: true story"), secret("shop", hush),
	)
	text, rung := c.told(t)
	if len(rung.Notes) != 1 || !strings.Contains(rung.Notes[0], "artifacts/objects-drill.diff in the run's directory shows 5 of") || rung.ProblemCount != 0 {
		t.Errorf("%+v", rung)
	}
	for _, want := range []string{
		"What backup nightly-1 holds (-)", `# ConfigMap shop/conf: data.color: wanted "red", found "green"`, "\n-  color: red\n+  color: green\n   size: big\n",
		"# ConfigMap shop/gone: missing", "\n-  a: b\n", "# ConfigMap shop/stranger: extra", "\n+  x: why\n",
		"# ConfigMap shop/altered: data.k: backup altered", "\n-  k: forged\n+  k: true story\n",
		"# Secret shop/db: data.password", "\n-  password: (not shown; wanted differs)\n+  password: (not shown; found differs)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	for _, not := range []string{hush, other, "aGk=", "Not shown:", "namespace: drill", "uid:"} {
		if strings.Contains(text, not) {
			t.Errorf("%q is in:\n%s", not, text)
		}
	}
	if info, err := os.Stat(filepath.Join(c.env.Artifacts, "objects-drill.diff")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestDifferencesAreBounded(t *testing.T) {
	var held, cluster []string
	for i := range 60 {
		text := fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {namespace: NS, name: conf-%02d, uid: NS%d}, data: {a: %s}}", i, i, strings.Repeat("x ", 50_000))
		held = append(held, strings.ReplaceAll(text, "NS", "shop"))
		cluster = append(cluster, strings.ReplaceAll(text, "NS", "shop"), strings.ReplaceAll(strings.ReplaceAll(text, "NS", "drill"), "x ", "y "))
	}
	c := comparedWith(t, held, cluster...)
	text, rung := c.told(t)
	if len(text) > (mostShown+1)*longestShown || !strings.Contains(text, "# cut: ") || !strings.HasSuffix(text, "# Not shown: 30 more objects of the first 50 losses; there are 60 losses in all.\n") {
		t.Errorf("%d bytes, ending %q", len(text), text[max(0, len(text)-200):])
	}
	if !strings.Contains(rung.Notes[0], "shows 20 of") {
		t.Errorf("%v", rung.Notes)
	}
}

// A file that can't be written is no verdict.
func TestDifferencesThatCannotBeShown(t *testing.T) {
	lost := []string{"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: gone}}"}
	c := comparedWith(t, lost, lost...)
	c.env.Artifacts = filepath.Join(c.env.Artifacts, "nowhere")
	var rung backup.Rung
	if c.tellDifferences(t.Context(), &rung); len(rung.Notes) > 0 {
		t.Errorf("%v", rung.Notes)
	}
	whole := comparedWith(t, nil)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, one := range []struct {
		of  *climb
		ctx context.Context
	}{{whole, t.Context()}, {comparedWith(t, lost, lost...), over}} {
		one.of.tellDifferences(one.ctx, &rung)
		if files, err := os.ReadDir(one.of.env.Artifacts); err != nil || len(files) > 0 || len(rung.Notes) > 0 {
			t.Errorf("%v, %v, %v", files, rung.Notes, err)
		}
	}
}
