package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/e2e-framework/klient/wait"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
)

// scene is where one promise is shown: a namespace and a directory of its own.
type scene struct {
	*testing.T
	*world
	ctx context.Context
	ns  string
	dir string // where gameday is called
}

func newScene(ctx context.Context, t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, world: theWorld, ctx: ctx, ns: envconf.RandomName("e2e", 10), dir: t.TempDir()}
	_, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.ns, Labels: map[string]string{reserved: "scene"}}}, metav1.CreateOptions{})
	s.must(err)
	t.Cleanup(func() {
		// The namespace first, so that no controller brings its pods back. They
		// are waited for, since the next scene may drain their node.
		now := int64(0)
		s.must(s.client.CoreV1().Namespaces().Delete(ctx, s.ns, metav1.DeleteOptions{}))
		s.eventually("the scene's pods are gone", func() (bool, string) {
			pods := s.client.CoreV1().Pods(s.ns)
			_ = pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{})
			left, err := pods.List(ctx, metav1.ListOptions{})
			return err == nil && len(left.Items) == 0, fmt.Sprintf("%d are left, %v", len(left.Items), err)
		})
		s.leaveNodesAsTheyWere()
	})
	return s
}

// leaveNodesAsTheyWere keeps a broken promise from breaking the next ones.
func (s *scene) leaveNodesAsTheyWere() {
	for _, name := range []string{s.stage, s.wing} {
		node := s.node(name)
		if _, ours := node.Labels[labelRun]; ours {
			s.Errorf("node %s still carries the mark of a run: %v", name, node.Labels)
		}
		if node.Spec.Unschedulable {
			s.Errorf("node %s is left cordoned", name)
			s.cordon(name, false)
		}
	}
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// eventually waits until ok says yes; otherwise it says why not. It is for what must
// come, however busy the machine is: how long that takes is no promise.
func (s *scene) eventually(what string, ok func() (done bool, why string)) {
	s.Helper()
	s.within(4*time.Minute, what, ok)
}

// within waits for what must come, and by then.
func (s *scene) within(patience time.Duration, what string, ok func() (done bool, why string)) {
	s.Helper()
	why := ""
	err := wait.For(func(context.Context) (done bool, err error) {
		done, why = ok()
		return done, nil
	}, wait.WithContext(s.ctx), wait.WithTimeout(patience), wait.WithInterval(50*time.Millisecond), wait.WithImmediate())
	if err != nil {
		s.Fatalf("waiting until %s: %v: %s", what, err, why)
	}
}

// drill is what a promise cares about in a scenario; the rest is the same for
// all. ${ns} and ${node} are the scene's namespace and the stage.
type drill struct {
	limits  string
	checks  string
	steps   string
	timeout string
	// proofs says that the steps disturb nothing: limits and checks may be left out.
	proofs bool
}

const scenarioText = `apiVersion: gameday.dev/v1alpha1
kind: Scenario
metadata: {name: drill}
spec:
  seed: 7
  timeout: %s
  parameters: [{name: ns}, {name: node}]
  limits: %s
  checks: %s
  steps: %s
`

const proofText = `apiVersion: gameday.dev/v1alpha1
kind: Scenario
metadata: {name: drill}
spec:
  seed: 7
  timeout: %s
  parameters: [{name: ns}, {name: node}]
  steps: %s
`

// file writes the scenario as a user would and returns its path.
func (s *scene) file(d drill) string {
	s.Helper()
	if d.timeout == "" {
		d.timeout = "3m"
	}
	if d.proofs {
		text := fmt.Sprintf(proofText, d.timeout, d.steps)
		if d.checks != "" {
			text += "  checks: " + d.checks + "\n"
		}
		return s.write("drill.yaml", text)
	}
	if d.limits == "" {
		d.limits = `{namespaces: ["${ns}"], maxNodes: 1}`
	}
	if d.checks == "" {
		d.checks = `[{name: watch, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}, minAvailable: 0, recoverWithin: 1m}}]`
	}
	return s.write("drill.yaml", fmt.Sprintf(scenarioText, d.timeout, d.limits, d.checks, d.steps))
}

func (s *scene) write(name, text string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	s.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
