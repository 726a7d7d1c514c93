package e2e

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/test/shop"
)

func TestVeleroStart(t *testing.T) {
	prove(t,
		promise{says: "every kind of workload that is started becomes ready, a command in it proves its data, and nothing from outside leads to it", needs: velero, proof: func(s *scene) {
			s.everything()
			w := s.watch(s.ns + "-answers")
			s.drills(restoring("answers", fromNow+`, start: true, control: true, volumes: {ignore: [data-store-0, own]},
				probe: {exec: {selector: app=store, container: store, command: [/shop, web, -h]}}`)).exits(0).
				finds("answers", "ready", "pass", "workloads are ready").finds("answers", "probe", "pass", "pod store-0")
			w.sawNoWayTo(s)
			w.sawNoWayIn(s)
			w.sawItApart(s)
		}},
		promise{says: "an application that does not become ready, or does not find its data, fails the step, and one that does passes", needs: velero, proof: func(s *scene) {
			s.deployment("web", 1)
			well := s.backedUp("well", false)
			s.deployment("never", 1, neverReady)
			ill := s.backedUp("ill", false)
			probed := func(probe string) string {
				return fromBackup(well) + `, start: true, probe: {timeout: 8s, ` + probe + `}`
			}
			s.drills(
				restoring("served", probed(`http: {selector: app=web, port: 8080, path: "/metrics?a=b", expect: "shop_ready 1"}`)),
				restoring("denied", probed(`http: {selector: app=web, port: 8080, path: /metrics, expect: no-such-metric}`)),
				restoring("broken", probed(`exec: {selector: app=web, command: [/shop, no-such-role]}`)),
				restoring("waits", fromBackup(ill)+`, start: true, timeout: 30s`),
			).exits(1).
				finds("served", "probe", "pass", "asked of pod").finds("served", "objects", "pass").
				breaks("denied", "probe", "fail", "did not pass within 8s", "no-such-metric").
				breaks("broken", "probe", "fail", "exit code 1").
				breaks("waits", "ready", "fail", "Deployment never", "timeout of 30s")
		}},
		promise{says: "restored pods that are left in Init are named with what they wait for, be they a Deployment's or nobody's", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "-h")
			s.deployment("web", 1, endsWithConf)
			s.pod("alone", endsWithConf)
			whole := s.backedUp("whole", false)
			s.drills(restoring("held", fromBackup(whole)+`, start: true, exclude: [configmaps], timeout: 45s`)).exits(1).
				breaks("held", "ready", "fail", "2 of 2 workloads", "Pod alone: phase Pending: init container hold is running",
					"Deployment web: 0 of 1 updated replicas are available; Pod web-", "timeout of 45s")
		}},
	)
}

// endsWithConf pods have an init container that ends where there is a ConfigMap conf,
// and goes on for ever where there is none.
func endsWithConf(pod *corev1.PodTemplateSpec) {
	pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{
		Name: "hold", Image: shop.Image, ImagePullPolicy: corev1.PullIfNotPresent,
		Command: []string{shop.Binary, "worker", "$(HELP)"}, // -h, or else these very letters
		Env: []corev1.EnvVar{{Name: "HELP", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "conf"}, Key: "value", Optional: new(true),
		}}}},
	})
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
