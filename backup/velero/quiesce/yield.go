package quiesce

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// yield lets a pod that never begins take no other's place. It has no priority, and
// asks for next to nothing: policies may want it to ask for something. Of a namespace
// with a LimitRange, which may want more, it asks for what it did.
func yield(pod *unstructured.Unstructured, first int, limited bool) []operation {
	all := slices.Concat(without("/spec/priorityClassName"), without("/spec/preemptionPolicy"))
	if limited {
		return all
	}
	all = append(all, without("/spec/resources")...)
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	for i, container := range containers {
		all = append(all, askLess(container, fmt.Sprintf("/spec/containers/%d/resources", i))...)
	}
	for i, container := range initContainers(pod) {
		all = append(all, askLess(container, fmt.Sprintf("/spec/initContainers/%d/resources", first+i))...)
	}
	return all
}

// without takes a field away, whether it is there or not. The server refuses a
// preemptionPolicy that is not the class's (plugin/pkg/admission/priority); the number
// of the priority Velero leaves out itself (pkg/restore/actions/pod_action.go).
func without(path string) []operation {
	return []operation{{Operation: "add", Path: path}, {Operation: "remove", Path: path}}
}

// askLess has a container ask for the least of what there is on every node, and for
// none of its devices and huge pages.
func askLess(container any, path string) []operation {
	fields, _ := container.(map[string]any)
	requests, _, _ := unstructured.NestedMap(fields, "resources", "requests")
	limits, _, _ := unstructured.NestedMap(fields, "resources", "limits")
	var all []operation
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		at := path + "/requests/" + strings.ReplaceAll(name, "/", "~1")
		if few, is := least()[name]; is {
			all = append(all, operation{Operation: "add", Path: at, Value: few})
			continue
		}
		all = append(all, operation{Operation: "remove", Path: at})
		if limits[name] != nil {
			all = append(all, operation{Operation: "remove", Path: path + "/limits/" + strings.ReplaceAll(name, "/", "~1")})
		}
	}
	return all
}

// least is what is asked for of what every node has.
func least() map[string]string {
	return map[string]string{string(corev1.ResourceCPU): "1m", string(corev1.ResourceMemory): "1Mi", string(corev1.ResourceEphemeralStorage): "1Mi"}
}

// isLimited says that a LimitRange of the namespace may want pods to ask for resources.
func isLimited(ctx context.Context, backup *contents.Contents) (bool, error) {
	for _, err := range backup.Objects(ctx, objects.Resource{Version: "v1", Name: "limitranges", Kind: "LimitRange", Namespaced: true}) {
		return true, err
	}
	return false, nil
}

// isLetGo says that a restored pod is quiesced and scheduled all the same.
func isLetGo(c objects.Case) bool {
	gates, _, _ := unstructured.NestedSlice(c.FoundObject.Object, "spec", "schedulingGates")
	return c.FoundObject.GetLabels()[mark] == "true" && !slices.ContainsFunc(gates, func(g any) bool { return reflect.DeepEqual(g, any(gate())) })
}

func yieldRules() []objects.Rule {
	const noPriority, noResources = "quiesced: no priority", "quiesced: asks for next to nothing"
	const why = "a pod that never begins may take no other's place"
	rules := []objects.Rule{{Name: noResources, Path: "spec.resources", What: []string{objects.Missing}, When: isLetGo, Why: why}}
	for _, field := range []string{"priorityClassName", "preemptionPolicy"} {
		rules = append(rules, objects.Rule{Name: noPriority, Path: "spec." + field, When: isLetGo, Why: why + "; without a class, it gets the cluster's default"})
	}
	for _, name := range slices.Sorted(maps.Keys(least())) {
		few := least()[name]
		rules = append(rules, objects.Rule{
			Name: noResources, Path: "{podContainer}.resources.requests[" + name + "]", Why: why,
			When: func(c objects.Case) bool { return isLetGo(c) && c.Found == few },
		})
	}
	for _, names := range []string{"*/*", "hugepages-*"} {
		for _, field := range []string{"requests", "limits"} {
			rules = append(rules, objects.Rule{
				Name: noResources, Path: "{podContainer}.resources." + field + "[" + names + "]", What: []string{objects.Missing}, When: isLetGo, Why: why,
			})
		}
	}
	return rules
}
