package e2e

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestVeleroStart(t *testing.T) {
	prove(t,
		promise{says: "every kind of workload that is started becomes ready, a command in it proves its data, and nothing from outside leads to it", needs: velero, proof: func(s *scene) {
			s.everything()
			original, err := s.client.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{})
			s.must(err)
			w := s.watch(s.ns + "-answers")
			started := func(command string) string {
				return fromNow + `, start: true, control: true, volumes: {ignore: [data-store-0, own]}, probe: {timeout: 5s, exec: {selector: app=store, container: store, command: ` + command + `}}`
			}
			s.drills(restoring("answers", started(`[/shop, web, -h]`)), restoring("silent", started(`[/shop, no-such-role]`))).exits(1).
				finds("answers", "ready", "pass", "workloads are ready").finds("answers", "probe", "pass", "pod store-0").
				finds("answers", "objects", "pass").finds("answers", "control", "pass").
				breaks("silent", "probe", "fail", "did not pass within 5s", "exit")
			w.sawNoWayTo(s, original.Items)
			w.sawNoWayIn(s)
		}},
		promise{says: "a restored workload that does not become ready fails the step within its timeout, by name", needs: velero, proof: func(s *scene) {
			s.deployment("web", 1)
			s.deployment("never", 1, neverReady)
			s.drills(restoring("waits", fromNow+`, start: true, timeout: 15s`)).exits(1).
				breaks("waits", "ready", "fail", "Deployment never", "timeout of 15s")
		}},
	)
}

// sawNoWayIn wants that nothing outside the namespace ever was to lead into it, and
// that no policy of the original's let anything out of it.
func (w *witness) sawNoWayIn(s *scene) {
	s.Helper()
	seen := map[string]int{}
	for _, object := range w.all() {
		spec, _ := object.Object["spec"].(map[string]any)
		what := fmt.Sprintf("%s %s", object.GetKind(), object.GetName())
		seen[object.GetKind()]++
		switch object.GetKind() {
		case "Service":
			if kind := spec["type"]; kind != "ClusterIP" && kind != "ExternalName" {
				s.Errorf("%s of the copy was a %s", what, kind)
			}
			ports, _, err := unstructured.NestedSlice(spec, "ports")
			s.must(err)
			for _, port := range ports {
				if node := port.(map[string]any)["nodePort"]; node != nil {
					s.Errorf("%s of the copy had node port %v", what, node)
				}
			}
			if name := object.GetAnnotations()["external-dns.alpha.kubernetes.io/hostname"]; name != "" {
				s.Errorf("%s of the copy asked for the name %s", what, name)
			}
		case "Ingress":
			if spec["ingressClassName"] == "public" {
				s.Errorf("%s of the copy was of the original's class", what)
			}
		case "HTTPRoute":
			if spec["parentRefs"] != nil {
				s.Errorf("%s of the copy had %v", what, spec["parentRefs"])
			}
		case "NetworkPolicy":
			selector, _, err := unstructured.NestedMap(spec, "podSelector", "matchLabels")
			s.must(err)
			if object.GetName() == "web" && len(selector) < 2 {
				s.Errorf("%s of the copy chose pods by %v", what, selector)
			}
		}
	}
	for _, kind := range []string{"Service", "Ingress", "HTTPRoute", "NetworkPolicy"} {
		if seen[kind] == 0 {
			s.Errorf("the witness saw no %s, and proves nothing of them", kind)
		}
	}
}
