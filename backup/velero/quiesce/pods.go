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
	alike := map[string][]string{} // names of pods that are quiesced by the same operations
	for pod, err := range backup.Objects(ctx, contents.Pods()) {
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(quieten(pod, options.need(pod)))
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
		var steps [][]operation
		if err := json.Unmarshal([]byte(text), &steps); err != nil {
			return nil, err
		}
		for _, step := range steps {
			rules = append(rules, modifier{
				Conditions: conditions{Namespaces: []string{options.Namespace}, GroupResource: "pods", Names: exactly(alike[text])},
				Patches:    step,
			})
		}
	}
	return rules, nil
}

// need is what a pod is restored for.
type need int

const (
	nothing need = iota // it need not be scheduled
	mounts              // its volumes, which are made of snapshots
	files               // its volumes, into which Velero restores files through it
)

// need says what a pod is needed for. One with an old container of Velero's that waits
// for files is not scheduled for its snapshots: Velero 1.18 takes it away and 1.16 does
// not, so that the first of its init containers can't be told.
func (o Options) need(pod *unstructured.Unstructured) need {
	switch {
	case o.Volumes(pod.GetName()):
		return files
	case o.Mounts != nil && o.Mounts(pod.GetName()) && len(ownInit(pod)) == len(initContainers(pod)):
		return mounts
	default:
		return nothing
	}
}

// quieten gives the operations on a pod, in steps of which each is done as a whole.
func quieten(pod *unstructured.Unstructured, of need) [][]operation {
	quiet := []operation{{Operation: "add", Path: "/metadata/labels", Value: fmt.Sprintf(`{%q:"true"}`, mark)}}
	if of != nothing {
		quiet = append(quiet, neverBegin(pod, of)...)
	} else {
		quiet = append(quiet, added(pod.Object["spec"], "/spec", "schedulingGates", gate()))
	}
	if aside := setAside(pod); len(aside) > 0 {
		return [][]operation{aside, quiet}
	}
	return [][]operation{quiet}
}

// neverBegin gives every container a variable that can't be had, so that a kubelet
// mounts the pod's volumes and never creates the container. Of the init containers
// the first, or the one behind Velero's own that waits for files, is enough: the next
// waits for its end. That may be one that Velero adds for a hook, which has no variables.
func neverBegin(pod *unstructured.Unstructured, of need) []operation {
	var all []operation
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	for i, container := range containers {
		all = append(all, added(container, fmt.Sprintf("/spec/containers/%d", i), "env", variable()))
	}
	init := ownInit(pod)
	if pod.GetAnnotations()[velero.InitHookImage] != "" {
		init = slices.Insert(init, 0, any(nil))
	}
	if len(init) > 0 {
		first := 0
		if of == files {
			first = 1
		}
		all = append(all, added(init[0], fmt.Sprintf("/spec/initContainers/%d", first), "env", variable()))
	}
	return all
}

func initContainers(pod *unstructured.Unstructured) []any {
	all, _, _ := unstructured.NestedSlice(pod.Object, "spec", "initContainers")
	return all
}

// ownInit are the init containers of a pod but for those of Velero's that wait for files.
func ownInit(pod *unstructured.Unstructured) []any {
	return slices.DeleteFunc(initContainers(pod), func(container any) bool {
		fields, _ := container.(map[string]any)
		name, _ := fields["name"].(string)
		return velero.IsRestoreWait(name)
	})
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
	data, _ := json.Marshal(value) // of maps of texts, which never fails
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
	for i := range rules {
		rules[i].Kinds, rules[i].Source = []string{"Pod"}, source
	}
	return rules
}
