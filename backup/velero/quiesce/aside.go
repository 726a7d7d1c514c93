package quiesce

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// asidePrefix begins the annotations of a quiesced pod that hold the values of what
// was set aside: of its labels, label-0 and so on in the order of their names, and of
// the hooks that Velero would run in it, hook-0 and so on.
const asidePrefix = nobodysClass + "/"

// entry is a label or an annotation that is set aside.
type entry struct {
	field, name string // "labels", "app"
	as          string // the annotation that holds its value
	value       string
}

func entries(pod *unstructured.Unstructured) []entry {
	var all []entry
	labels := pod.GetLabels()
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, entry{"labels", name, fmt.Sprintf("%slabel-%d", asidePrefix, i), labels[name]})
	}
	annotations, hooks := pod.GetAnnotations(), 0
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(name, velero.PostHooks) {
			all = append(all, entry{"annotations", name, fmt.Sprintf("%shook-%d", asidePrefix, hooks), annotations[name]})
			hooks++
		}
	}
	return all
}

// setAside moves labels and hooks out of the way. Of one that is not there any more
// when Velero restores the pod, Velero says so.
func setAside(pod *unstructured.Unstructured) []operation {
	pointer := func(field, name string) string {
		return "/metadata/" + field + "/" + strings.ReplaceAll(name, "/", "~1")
	}
	var all []operation
	for _, e := range entries(pod) {
		all = append(all, operation{Operation: "move", From: pointer(e.field, e.name), Path: pointer("annotations", e.as)})
	}
	return all
}

// remembers says that a restored pod is marked, and that what was set aside has the
// values of the backup, no more and no less.
func remembers(c objects.Case) bool {
	wanted, found := map[string]string{}, c.FoundObject.GetAnnotations()
	for _, e := range entries(c.WantedObject) {
		wanted[e.as] = e.value
	}
	maps.DeleteFunc(found, func(name, _ string) bool { return !strings.HasPrefix(name, asidePrefix) })
	return c.FoundObject.GetLabels()[mark] == "true" && maps.Equal(wanted, found)
}
