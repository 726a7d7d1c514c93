package quiesce

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/velero"
)

// shape is what of a pod decides how it is quiesced; pods of one shape share a rule.
type shape struct {
	volumes          bool
	containers, init int
	hooks            string // annotations, each ended by a space
}

// pods are restored since volumes are restored through them. Those with volumes
// are scheduled and never begin; the others are not scheduled. Their labels are
// taken away, so that no controller adopts one and deletes it as too many.
func pods(ctx context.Context, backup *contents.Contents, options Options) ([]modifier, error) {
	byShape := map[shape][]string{}
	for pod, err := range backup.Objects(ctx, contents.Pods()) {
		if err != nil {
			return nil, err
		}
		of := shapeOf(pod, options.Volumes(pod.GetName()))
		byShape[of] = append(byShape[of], pod.GetName())
	}
	var rules []modifier
	for _, of := range slices.SortedFunc(maps.Keys(byShape), func(a, b shape) int { return strings.Compare(byShape[a][0], byShape[b][0]) }) {
		rules = append(rules, modifier{
			Conditions: conditions{Namespaces: []string{options.Namespace}, GroupResource: "pods", Names: exactly(byShape[of])},
			Patches:    of.operations(),
		})
	}
	return rules, nil
}

func shapeOf(pod *unstructured.Unstructured, volumes bool) shape {
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	initContainers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "initContainers")
	of := shape{volumes: volumes, containers: len(containers)}
	for _, container := range initContainers {
		container, _ := container.(map[string]any)
		if name, _ := container["name"].(string); !velero.IsRestoreWait(name) {
			of.init++
		}
	}
	annotations := pod.GetAnnotations()
	if annotations[velero.InitHookImage] != "" {
		of.init++ // Velero adds one of its own by then, whether the annotations name its command or not
	}
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(name, velero.PostHooks) {
			of.hooks += name + " "
		}
	}
	return of
}

func (s shape) operations() []operation {
	all := []operation{{Operation: "add", Path: "/metadata/labels", Value: fmt.Sprintf(`{%q:"true"}`, Mark)}}
	for name := range strings.FieldsSeq(s.hooks) { // Velero would wait for a container that never begins
		all = append(all, operation{Operation: "remove", Path: "/metadata/annotations/" + strings.ReplaceAll(name, "/", "~1")})
	}
	if !s.volumes {
		return append(all, operation{Operation: "add", Path: "/spec/schedulingGates", Value: fmt.Sprintf(`[{"name":%q}]`, Mark)})
	}
	for range s.init { // the first is Velero's own, which waits for the files
		all = append(all, operation{Operation: "remove", Path: "/spec/initContainers/1"})
	}
	for i := range s.containers {
		all = append(all, operation{Operation: "add", Path: fmt.Sprintf("/spec/containers/%d/command", i), Value: fmt.Sprintf(`[%q]`, noCommand)})
	}
	return all
}
