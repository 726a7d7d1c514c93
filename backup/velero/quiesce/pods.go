package quiesce

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// pods are restored since volumes are restored through them. Those that are needed
// are scheduled and never begin; the others are not scheduled. Their labels are
// set aside, so that no controller adopts one and deletes it as too many.
func pods(ctx context.Context, backup *contents.Contents, options Options) ([]modifier, error) {
	limited, err := isLimited(ctx, backup)
	if err != nil {
		return nil, err
	}
	alike := map[string][]string{} // names of pods that are quiesced in the same way
	for pod, err := range backup.Objects(ctx, contents.Pods()) {
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(quieten(pod, options.mounts(pod.GetName()), limited))
		if err != nil {
			return nil, fmt.Errorf("quiescing pod %s: %w", pod.GetName(), err)
		}
		alike[string(text)] = append(alike[string(text)], pod.GetName())
	}
	if len(alike) == 0 {
		return nil, nil
	}
	rules := []modifier{merge(options.Namespace, "pods", `{"metadata":{"annotations":{}}}`)} // to write into
	for _, text := range slices.SortedFunc(maps.Keys(alike), func(a, b string) int { return strings.Compare(alike[a][0], alike[b][0]) }) {
		var steps []modifier
		if err := json.Unmarshal([]byte(text), &steps); err != nil {
			return nil, err
		}
		for _, step := range steps {
			step.Conditions.Namespaces, step.Conditions.GroupResource, step.Conditions.Names = []string{options.Namespace}, "pods", exactly(alike[text])
			rules = append(rules, step)
		}
	}
	return rules, nil
}

// quieten gives what is done to a pod, in steps of which each is done as a whole or
// not at all. Every pod is held back first, which can't fail. Those that are needed are
// let go at last: all that Velero restores files through, and those that are to mount
// what was made of snapshots. By the init container that Velero has in front it is
// known which it is, whatever was to be expected.
func quieten(pod *unstructured.Unstructured, mounts, limited bool) []modifier {
	var all []modifier
	if aside := setAside(pod); len(aside) > 0 {
		all = append(all, modifier{Patches: aside})
	}
	all = append(all, modifier{Patches: []operation{
		{Operation: "add", Path: "/metadata/labels", Value: fmt.Sprintf(`{%q:"true"}`, mark)},
		added(pod.Object["spec"], "/spec", "schedulingGates", gate()),
	}})
	inFront := match{Path: "/spec/initContainers/0/name", Value: text(velero.RestoreWait)}
	all = append(all, letGo(pod, inFront, 1, limited))
	if mounts {
		if init := initContainers(pod); len(init) == 0 {
			inFront = match{Path: "/spec/initContainers", Value: "null"}
		} else if name := nameOf(init[0]); name == "" {
			return all // of a hook whose container gets any name
		} else {
			inFront.Value = text(name)
		}
		all = append(all, letGo(pod, inFront, 0, limited))
	}
	return all
}

// letGo takes the gate away again, so that a pod's volumes are mounted. first is the
// place of the first of its own init containers.
func letGo(pod *unstructured.Unstructured, inFront match, first int, limited bool) modifier {
	gates, _, _ := unstructured.NestedSlice(pod.Object, "spec", "schedulingGates")
	ungate := operation{Operation: "remove", Path: "/spec/schedulingGates"}
	if len(gates) > 0 {
		ungate.Path = fmt.Sprintf("/spec/schedulingGates/%d", len(gates))
	}
	return modifier{
		Conditions: conditions{Matches: []match{inFront}},
		Patches:    slices.Concat(neverBegin(pod, first), yield(pod, first, limited), []operation{ungate}),
	}
}

// neverBegin gives every container a variable that can't be had, so that a kubelet
// mounts the pod's volumes and never creates the container. Of the init containers
// the first, or the one behind Velero's own that waits for files, is enough: the next
// waits for its end. That may be one that Velero adds for a hook, which has no variables.
func neverBegin(pod *unstructured.Unstructured, first int) []operation {
	var all []operation
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	for i, container := range containers {
		all = append(all, added(container, fmt.Sprintf("/spec/containers/%d", i), "env", variable()))
	}
	if init := initContainers(pod); len(init) > 0 {
		all = append(all, added(init[0], fmt.Sprintf("/spec/initContainers/%d", first), "env", variable()))
	}
	return all
}

// initContainers are those of a pod but for Velero's that wait for files. In front is
// the one that Velero adds for a hook, by its name alone: empty where it gets any.
func initContainers(pod *unstructured.Unstructured) []any {
	all, _, _ := unstructured.NestedSlice(pod.Object, "spec", "initContainers")
	all = slices.DeleteFunc(all, func(container any) bool { return velero.IsRestoreWait(nameOf(container)) })
	if annotations := pod.GetAnnotations(); annotations[velero.InitHookImage] != "" {
		all = slices.Insert(all, 0, any(map[string]any{"name": annotations[velero.InitHookName]}))
	}
	return all
}

func nameOf(container any) string {
	fields, _ := container.(map[string]any)
	name, _ := fields["name"].(string)
	return name
}

// added is the operation that adds an item to a list of an object at a path.
func added(object any, path, list string, item any) operation {
	fields, _ := object.(map[string]any)
	path += "/" + list
	if items, _ := fields[list].([]any); len(items) > 0 {
		return operation{Operation: "add", Path: path + "/-", Value: text(item)}
	}
	return operation{Operation: "add", Path: path, Value: "[" + text(item) + "]"}
}

func text(value any) string {
	data, _ := json.Marshal(value) // of texts and maps of them, which never fails
	return string(data)
}

// gate keeps a pod from being scheduled: nobody takes it away.
func gate() map[string]any { return map[string]any{"name": mark} }

// variable is to come from a ConfigMap that nobody has, so that its container can't
// be created.
func variable() map[string]any {
	return map[string]any{
		"name": variableName,
		"valueFrom": map[string]any{"configMapKeyRef": map[string]any{
			"name": "gameday-quiesced", "key": "never",
		}},
	}
}

// variableName is that of a variable which no image reads.
const variableName = "GAMEDAY_QUIESCED"

func podRules() []objects.Rule {
	const why = "restored pods do not run unless the step says start"
	rules := []objects.Rule{
		{
			Name: "quiesced: marked", Path: "metadata.labels[" + mark + "]", What: []string{objects.Extra},
			When: func(c objects.Case) bool { return c.Found == "true" }, Why: "by this label a quiesced pod is known",
		},
		{
			Name: "quiesced: labels are set aside", Path: "metadata.labels[*]", What: []string{objects.Missing},
			When: remembers, Why: "a controller without replicas would delete the pod whose volumes are restored",
		},
		{
			Name: "quiesced: no hooks", Path: "metadata.annotations[" + velero.PostHooks + "*]", What: []string{objects.Missing},
			When: remembers, Why: "Velero would wait for a container that never begins",
		},
		{
			Name: "quiesced: what was set aside", Path: "metadata.annotations[" + asidePrefix + "*]", What: []string{objects.Extra},
			When: remembers, Why: "the values of labels and of hooks, to compare them by",
		},
		{
			Name: "quiesced: not scheduled", Path: "spec.schedulingGates[*]", What: []string{objects.Extra},
			When: func(c objects.Case) bool { return reflect.DeepEqual(c.Found, any(gate())) }, Why: why,
		},
		{
			Name: "quiesced: not begun", Path: "{podContainer}.env[*]", What: []string{objects.Extra},
			When: func(c objects.Case) bool { return reflect.DeepEqual(c.Found, any(variable())) }, Why: why,
		},
	}
	rules = append(rules, yieldRules()...)
	for i := range rules {
		rules[i].Kinds, rules[i].Source = []string{"Pod"}, source
	}
	return rules
}
