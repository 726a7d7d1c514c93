package quiesce

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// originals are what a backup holds, by their path in it.
func originals() map[string]string {
	return map[string]string{
		"deployments.apps/web": `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, template: {spec: {containers: [{name: web, image: web}]}}}}`,
		"statefulsets.apps/db": `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 2}}`,
		"replicasets.apps/web": `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: web}, spec: {replicas: 3}}`,
		"daemonsets.apps/log":  `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: log}, spec: {template: {spec: {nodeSelector: {disk: ssd}}}}}`,
		"jobs.batch/once":      `{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {completions: 1}}`,
		"cronjobs.batch/night": `{apiVersion: batch/v1, kind: CronJob, metadata: {name: night}, spec: {schedule: "0 2 * * *", suspend: false}}`,
		"pods/db-0": `{apiVersion: v1, kind: Pod, metadata: {name: db-0, labels: {app: db, tier: data},
			annotations: {post.hook.restore.velero.io/command: '["/restore"]', note: keep}},
			spec: {initContainers: [{name: restore-wait, image: old}, {name: migrate, image: db}], containers: [{name: db, image: db, command: [/db]}, {name: side, image: side, env: [{name: SIZE, value: "1"}],
				resources: {limits: {cpu: 2, nvidia.com/gpu: 1}, requests: {cpu: 500m, memory: 1Gi, nvidia.com/gpu: 1}}}],
			priorityClassName: high, preemptionPolicy: PreemptLowerPriority}}`,
		"pods/snap-0": `{apiVersion: v1, kind: Pod, metadata: {name: snap-0, labels: {app: snap}},
			spec: {initContainers: [{name: migrate, image: db, env: [{name: SIZE, value: "1"}]}, {name: warm, image: db}], containers: [{name: db, image: db}]}}`,
		"pods/web-1": `{apiVersion: v1, kind: Pod, metadata: {name: web-1, labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}`,
		"services/lb": `{apiVersion: v1, kind: Service, metadata: {name: lb, annotations: {external-dns.alpha.kubernetes.io/hostname: shop.example}},
			spec: {type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 31000, allocateLoadBalancerNodePorts: true, selector: {app: web},
			ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080, protocol: TCP}]}}`,
		"services/plain": `{apiVersion: v1, kind: Service, metadata: {name: plain}, spec: {type: ClusterIP, externalIPs: [192.0.2.1], externalTrafficPolicy: Cluster, ports: [{port: 80}]}}`,
		"ingresses.networking.k8s.io/shop": `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop, annotations: {kubernetes.io/ingress.class: nginx}},
			spec: {ingressClassName: nginx, rules: [{host: shop.example}]}}`,
		"networkpolicies.networking.k8s.io/open":     `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: open}, spec: {podSelector: {matchLabels: {app: web}}, egress: [{}]}}`,
		"httproutes.gateway.networking.k8s.io/shop":  `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [shop.example]}}`,
		"gateways.gateway.networking.k8s.io/gateway": `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: gateway}, spec: {gatewayClassName: cloud}}`,
		"configmaps/settings":                        `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: red}}`,
	}
}

type whole struct{ io.Reader }

func (whole) Err() error { return nil }

// world reads the originals as a backup.
func world(t *testing.T) (*contents.Contents, map[string]*unstructured.Unstructured) {
	t.Helper()
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	parsed := map[string]*unstructured.Unstructured{}
	for path, text := range originals() {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		object.SetNamespace("shop")
		data, err := json.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		resource, name, _ := strings.Cut(path, "/")
		if err := archive.WriteHeader(&tar.Header{Name: "resources/" + resource + "/namespaces/shop/" + name + ".json", Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &object.Object); err != nil {
			t.Fatal(err)
		}
		parsed[path] = object
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	backup, err := contents.Read(t.Context(), whole{&buffer}, t.TempDir(), "shop", func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backup.Close() })
	return backup, parsed
}

// matches says that an object holds what a rule asks for (matchConditions of Velero).
func (m modifier) matches(t *testing.T, object []byte) bool {
	t.Helper()
	for _, match := range m.Conditions.Matches {
		patch, err := jsonpatch.DecodePatch(fmt.Appendf(nil, `[{"op":"test","path":%q,"value":%s}]`, match.Path, match.Value))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := patch.Apply(object); errors.Is(err, jsonpatch.ErrTestFailed) || errors.Is(err, jsonpatch.ErrMissing) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return true
}

// apply changes an object as Velero does it (internal/resourcemodifiers): all rules
// that match the object as it was, in their order.
func apply(t *testing.T, text, resource string, object *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	var all modifiers
	if err := yaml.UnmarshalStrict([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	origin := data
	for _, rule := range all.Rules {
		if !rule.matches(t, origin) || rule.Conditions.GroupResource != resource || !slices.Contains(rule.Conditions.Namespaces, object.GetNamespace()) ||
			!regexp.MustCompile(rule.Conditions.Names).MatchString(object.GetName()) {
			continue
		}
		if len(rule.Patches) > 0 {
			var operations []string
			for _, o := range rule.Patches {
				value := o.Value
				if !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") {
					value = fmt.Sprintf("%q", value)
				}
				operations = append(operations, fmt.Sprintf(`{"op":%q,"from":%q,"path":%q,"value":%s}`, o.Operation, o.From, o.Path, value))
			}
			patch, err := jsonpatch.DecodePatch([]byte("[" + strings.Join(operations, ",") + "]"))
			if err != nil {
				t.Fatal(err)
			}
			if data, err = patch.Apply(data); err != nil {
				t.Fatalf("%s %s: %v", resource, object.GetName(), err)
			}
		}
		for _, patch := range rule.MergePatches {
			if data, err = jsonpatch.MergePatch(data, []byte(patch.Data)); err != nil {
				t.Fatalf("%s %s: %v", resource, object.GetName(), err)
			}
		}
	}
	changed := &unstructured.Unstructured{}
	if err := changed.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return changed
}

// asRestored is a pod as Velero has made it ready by then: one restore-wait, in front.
func asRestored(pod *unstructured.Unstructured, volumes bool) *unstructured.Unstructured {
	pod = pod.DeepCopy()
	spec := pod.Object["spec"].(map[string]any)
	initContainers, _ := spec["initContainers"].([]any)
	initContainers = slices.DeleteFunc(slices.Clone(initContainers), func(c any) bool { return c.(map[string]any)["name"] == "restore-wait" })
	if volumes {
		initContainers = slices.Insert(initContainers, 0, any(map[string]any{"name": "restore-wait", "image": "velero"}))
	}
	if len(initContainers) > 0 {
		spec["initContainers"] = initContainers
	}
	return pod
}

// Everything that is changed is expected, and nothing else: of every object that is
// quiesced one other field is changed too, which must be a loss.
func TestModifiersAndRulesAgree(t *testing.T) {
	for _, start := range []bool{false, true} {
		t.Run(fmt.Sprintf("start %v", start), func(t *testing.T) {
			backup, parsed := world(t)
			options := Options{Namespace: "shop", Start: start, Mounts: func(pod string) bool { return pod == "snap-0" }}
			text, err := Modifiers(t.Context(), backup, options)
			if err != nil {
				t.Fatal(err)
			}
			rules := append(Rules(options), waits())
			changed := 0
			for path, wanted := range parsed {
				resource, name, _ := strings.Cut(path, "/")
				ready := wanted
				if resource == "pods" {
					ready = asRestored(wanted, name == "db-0")
				}
				found := apply(t, text, resource, ready)
				group := found.GroupVersionKind().Group
				of := objects.Resource{Group: group, Version: found.GroupVersionKind().Version, Name: strings.TrimSuffix(resource, "."+group), Kind: found.GetKind(), Namespaced: true}
				_, differences := objects.Diff(of, wanted, found, rules...)
				for _, difference := range differences {
					if difference.Label != objects.Expected {
						t.Errorf("%s: %s", path, difference)
					}
					changed++
				}
				other := found.DeepCopy()
				if err := unstructured.SetNestedField(other.Object, "another", "spec", "another"); err != nil {
					t.Fatal(err)
				}
				other.SetAnnotations(map[string]string{"a": "b"})
				if _, differences := objects.Diff(of, wanted, other, rules...); !slices.ContainsFunc(differences, func(d objects.Difference) bool { return d.Label == objects.Loss }) {
					t.Errorf("%s: another change is not seen", path)
				}
			}
			if changed < 10 {
				t.Errorf("only %d changes", changed)
			}
		})
	}
}

// waits is Velero's own rule of the container that waits for files.
func waits() objects.Rule {
	return objects.Rule{
		Name: "waits for files", Kinds: []string{"Pod"}, Path: "spec.initContainers[*]",
		When: func(c objects.Case) bool {
			for _, container := range []any{c.Wanted, c.Found} {
				if container, ok := container.(map[string]any); ok && container["name"] != "restore-wait" {
					return false
				}
			}
			return true
		},
	}
}

func TestQuiescedPods(t *testing.T) {
	backup, parsed := world(t)
	text, err := Modifiers(t.Context(), backup, Options{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	withVolume := apply(t, text, "pods", asRestored(parsed["pods/db-0"], true))
	for _, field := range []string{"initContainers", "containers"} {
		containers, _, _ := unstructured.NestedSlice(withVolume.Object, "spec", field)
		for _, container := range containers {
			fields := container.(map[string]any)
			env, _ := fields["env"].([]any)
			if stuck := len(env) > 0 && reflect.DeepEqual(env[len(env)-1], any(variable())); stuck == velero.IsRestoreWait(fields["name"].(string)) {
				t.Errorf("%v: Velero's own container must begin, and no other", container)
			}
		}
	}
	if labels := withVolume.GetLabels(); !maps.Equal(labels, map[string]string{mark: "true"}) {
		t.Errorf("labels are %v", labels)
	}
	wanted := map[string]string{"note": "keep", asidePrefix + "label-0": "db", asidePrefix + "label-1": "data", asidePrefix + "hook-0": `["/restore"]`}
	if annotations := withVolume.GetAnnotations(); !maps.Equal(annotations, wanted) {
		t.Errorf("annotations are %v", annotations)
	}
	without := apply(t, text, "pods", asRestored(parsed["pods/web-1"], false))
	if gates, _, _ := unstructured.NestedSlice(without.Object, "spec", "schedulingGates"); len(gates) != 1 {
		t.Errorf("%v would be scheduled", without.Object)
	}
	if stranger := apply(t, text, "pods", &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"namespace": "shop", "name": "xdb-0"},
	}}); len(stranger.GetLabels()) > 0 {
		t.Error("another pod's name ends like one of the backup's and is changed")
	}
}

// A pod whose volumes are made of snapshots has no container of Velero's in front.
func TestPodsThatOnlyMountTheirVolumes(t *testing.T) {
	backup, parsed := world(t)
	text, err := Modifiers(t.Context(), backup, Options{
		Namespace: "shop", Mounts: func(pod string) bool { return pod == "snap-0" || pod == "db-0" },
	})
	if err != nil {
		t.Fatal(err)
	}
	pod := apply(t, text, "pods", parsed["pods/snap-0"])
	first, container := initContainers(pod)[0].(map[string]any), pod.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
	for _, stuck := range []map[string]any{first, container} {
		if env, _ := stuck["env"].([]any); len(env) == 0 || !reflect.DeepEqual(env[len(env)-1], any(variable())) {
			t.Errorf("%v would begin", stuck)
		}
	}
	gates := func(pod *unstructured.Unstructured) int {
		all, _, _ := unstructured.NestedSlice(pod.Object, "spec", "schedulingGates")
		return len(all)
	}
	if gates(pod) > 0 {
		t.Error("it is not scheduled")
	}
	// Velero 1.18 takes an old container of its own away, 1.16 does not; and a pod may have none.
	bare := parsed["pods/snap-0"].DeepCopy()
	unstructured.RemoveNestedField(bare.Object, "spec", "initContainers")
	barely := modifiers{Rules: append([]modifier{merge("shop", "pods", `{"metadata":{"annotations":{}}}`)}, named(quieten(bare, true, false), "snap-0")...)}
	bareText, err := json.Marshal(barely)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text  string
		ready *unstructured.Unstructured
	}{{text, parsed["pods/db-0"]}, {text, asRestored(parsed["pods/db-0"], false)}, {text, asRestored(parsed["pods/db-0"], true)}, {string(bareText), bare}} {
		found := apply(t, c.text, "pods", c.ready)
		if gates(found) > 0 {
			t.Error("it is not scheduled")
		}
		if losses := lost(c.ready, found, Options{Namespace: "shop"}); len(losses) > 0 {
			t.Errorf("%v", losses)
		}
		for _, container := range slices.Concat(initContainers(found)[:min(1, len(initContainers(found)))], found.Object["spec"].(map[string]any)["containers"].([]any)) {
			if env, _ := container.(map[string]any)["env"].([]any); len(env) == 0 || !reflect.DeepEqual(env[len(env)-1], any(variable())) {
				t.Errorf("%v would begin", container)
			}
		}
	}
}

// A label that Velero has lost can't be set aside: Velero says so, and the pod is
// quiesced all the same.
func TestWhatCannotBeSetAsideKeepsNoPodFromBeingQuiesced(t *testing.T) {
	pod := &unstructured.Unstructured{}
	pod.SetLabels(map[string]string{"app": "web"})
	steps := quieten(pod, false, false)
	if len(steps) != 3 {
		t.Fatalf("steps are %v", steps)
	}
	for _, one := range steps[1].Patches {
		if one.Operation != "add" || one.From != "" {
			t.Errorf("%v may fail", one)
		}
	}
	if len(steps[1].Conditions.Matches) > 0 {
		t.Error("some pods are not held back")
	}
}

// What is let go follows from what Velero has made of a pod, not from what was to be
// expected: a pod without its container in front would begin at once.
func TestOnlyPodsThatWaitForFilesAreLetGo(t *testing.T) {
	backup, parsed := world(t)
	text, err := Modifiers(t.Context(), backup, Options{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pods/db-0", "pods/web-1"} {
		for _, waits := range []bool{true, false} {
			found := apply(t, text, "pods", asRestored(parsed[name], waits))
			if gates, _, _ := unstructured.NestedSlice(found.Object, "spec", "schedulingGates"); (len(gates) == 0) != waits {
				t.Errorf("%s, with Velero's container %v: gates are %v", name, waits, gates)
			}
			if labels := found.GetLabels(); !maps.Equal(labels, map[string]string{mark: "true"}) {
				t.Errorf("%s: labels are %v", name, labels)
			}
			if losses := lost(parsed[name], found, Options{Namespace: "shop"}); len(losses) > 0 {
				t.Errorf("%s, with Velero's container %v: %v", name, waits, losses)
			}
		}
	}
}

// A pod that is let go takes no other's place. What it may be asked for is known by
// the LimitRange alone, and left.
func TestPodsThatAreLetGoYield(t *testing.T) {
	_, parsed := world(t)
	for limited, want := range map[bool]string{
		false: `{"limits":{"cpu":2},"requests":{"cpu":"1m","memory":"1Mi"}}`,
		true:  `{"limits":{"cpu":2,"nvidia.com/gpu":1},"requests":{"cpu":"500m","memory":"1Gi","nvidia.com/gpu":1}}`,
	} {
		text, err := json.Marshal(modifiers{Rules: named(quieten(parsed["pods/db-0"], false, limited), "db-0")})
		if err != nil {
			t.Fatal(err)
		}
		ready := asRestored(parsed["pods/db-0"], true)
		spec := apply(t, string(text), "pods", ready).Object["spec"].(map[string]any)
		for _, field := range []string{"priorityClassName", "preemptionPolicy"} {
			if spec[field] != nil {
				t.Errorf("limited %v: %s is %v", limited, field, spec[field])
			}
		}
		resources, err := json.Marshal(spec["containers"].([]any)[1].(map[string]any)["resources"])
		if err != nil || string(resources) != want {
			t.Errorf("limited %v: resources are %s, %v", limited, resources, err)
		}
	}
}

func named(steps []modifier, pod string) []modifier {
	for i := range steps {
		steps[i].Conditions.Namespaces, steps[i].Conditions.GroupResource, steps[i].Conditions.Names = []string{"shop"}, "pods", exactly([]string{pod})
	}
	return steps
}

// What a quiesced pod has lost is found: of its labels and hooks too, by the values
// that were set aside.
func TestLossesOfQuiescedPodsAreFound(t *testing.T) {
	backup, parsed := world(t)
	options := Options{Namespace: "shop"}
	text, err := Modifiers(t.Context(), backup, options)
	if err != nil {
		t.Fatal(err)
	}
	wanted := parsed["pods/db-0"]
	container := func(pod *unstructured.Unstructured, field string, i int) map[string]any {
		return pod.Object["spec"].(map[string]any)[field].([]any)[i].(map[string]any)
	}
	annotate := func(name, value string) func(*unstructured.Unstructured) {
		return func(pod *unstructured.Unstructured) {
			annotations := pod.GetAnnotations()
			annotations[name] = value
			pod.SetAnnotations(annotations)
		}
	}
	for name, lose := range map[string]func(*unstructured.Unstructured){
		"the value of a label":    annotate(asidePrefix+"label-0", "other"),
		"one label more":          annotate(asidePrefix+"label-2", "other"),
		"the command of a hook":   annotate(asidePrefix+"hook-0", "[/other]"),
		"an annotation":           annotate("note", "other"),
		"a label beside the mark": func(pod *unstructured.Unstructured) { pod.SetLabels(map[string]string{mark: "true", "app": "other"}) },
		"all that was set aside":  func(pod *unstructured.Unstructured) { pod.SetAnnotations(map[string]string{"note": "keep"}) },
		"a command":               func(pod *unstructured.Unstructured) { container(pod, "containers", 0)["command"] = []any{"/other"} },
		"no command":              func(pod *unstructured.Unstructured) { delete(container(pod, "containers", 0), "command") },
		"a variable": func(pod *unstructured.Unstructured) {
			container(pod, "containers", 1)["env"].([]any)[0].(map[string]any)["value"] = "other"
		},
		"a limit": func(pod *unstructured.Unstructured) {
			delete(container(pod, "containers", 1)["resources"].(map[string]any)["limits"].(map[string]any), "cpu")
		},
		"a request": func(pod *unstructured.Unstructured) {
			delete(container(pod, "containers", 1)["resources"].(map[string]any)["requests"].(map[string]any), "memory")
		},
		"another request": func(pod *unstructured.Unstructured) {
			container(pod, "containers", 1)["resources"].(map[string]any)["requests"].(map[string]any)["memory"] = "2Gi"
		},
		"another variable": func(pod *unstructured.Unstructured) {
			container(pod, "containers", 0)["env"].([]any)[0].(map[string]any)["name"] = "OTHER"
		},
		"an init container's image": func(pod *unstructured.Unstructured) { container(pod, "initContainers", 1)["image"] = "other" },
		"an init container": func(pod *unstructured.Unstructured) {
			spec := pod.Object["spec"].(map[string]any)
			spec["initContainers"] = spec["initContainers"].([]any)[:1]
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := apply(t, text, "pods", asRestored(wanted, true))
			if losses := lost(wanted, found, options); len(losses) > 0 {
				t.Fatalf("before: %v", losses)
			}
			lose(found)
			if len(lost(wanted, found, options)) == 0 {
				t.Error("it is not found")
			}
		})
	}
}

func lost(wanted, found *unstructured.Unstructured, options Options) []objects.Difference {
	_, differences := objects.Diff(contents.Pods(), wanted, found, append(Rules(options), waits())...)
	return slices.DeleteFunc(differences, func(d objects.Difference) bool { return d.Label != objects.Loss })
}

func TestTrafficIsKeptApartFromStartedWorkloadsToo(t *testing.T) {
	backup, parsed := world(t)
	text, err := Modifiers(t.Context(), backup, Options{Namespace: "shop", Start: true})
	if err != nil {
		t.Fatal(err)
	}
	// The API server refuses a policy for traffic from outside where there is none.
	for name, want := range map[string]string{
		"lb":    `{"ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":8080}],"selector":{"app":"web"},"type":"ClusterIP"}`,
		"plain": `{"ports":[{"port":80}],"type":"ClusterIP"}`,
	} {
		service := apply(t, text, "services", parsed["services/"+name])
		data, err := json.Marshal(service.Object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != want {
			t.Errorf("service %s is %s", name, data)
		}
	}
	if web := apply(t, text, "deployments.apps", parsed["deployments.apps/web"]); web.Object["spec"].(map[string]any)["replicas"] != int64(3) {
		t.Error("a deployment that is to start has other replicas")
	}
}

// The API server copies the zone of a node to the pod that is bound to it
// (plugin/pkg/admission/podtopologylabels).
func TestZonesOfQuiescedPods(t *testing.T) {
	backup, parsed := world(t)
	wanted := parsed["pods/db-0"]
	text, err := Modifiers(t.Context(), backup, Options{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	found := apply(t, text, "pods", asRestored(wanted, true))
	labels := found.GetLabels()
	labels["topology.kubernetes.io/zone"], labels["topology.kubernetes.io/region"] = "b", "eu"
	found.SetLabels(labels)
	of := objects.Resource{Version: "v1", Name: "pods", Kind: "Pod", Namespaced: true}
	rules := append(Rules(Options{Namespace: "shop"}), waits())
	if _, differences := objects.Diff(of, wanted, found, rules...); slices.ContainsFunc(differences, func(d objects.Difference) bool { return d.Label == objects.Loss }) {
		t.Errorf("%v", differences)
	}
}

func TestNobodysClassIsAName(t *testing.T) {
	// The API server takes nothing else as spec.ingressClassName.
	if problems := validation.IsDNS1123Subdomain(nobodysClass); len(problems) > 0 {
		t.Error(problems)
	}
}

// Velero runs the default program of a hook's image where no command is named. The
// hook's container stands before the pod's own.
func TestNoHookOfAQuiescedPodBegins(t *testing.T) {
	for _, annotations := range []map[string]string{
		{"init.hook.restore.velero.io/container-image": "tool"},
		{"init.hook.restore.velero.io/container-image": "tool", "init.hook.restore.velero.io/command": "[/tool]"},
	} {
		pod := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"initContainers": []any{map[string]any{"name": "own", "env": []any{map[string]any{"name": "A"}}}},
			"containers":     []any{map[string]any{"name": "db"}},
		}}}
		pod.SetAnnotations(annotations)
		want := operation{Operation: "add", Path: "/spec/initContainers/1/env", Value: "[" + text(variable()) + "]"}
		if got := neverBegin(pod, 1); !slices.Contains(got, want) {
			t.Errorf("with %v: %v", annotations, got)
		}
	}
}
