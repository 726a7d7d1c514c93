package velero

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/verify/objects"
)

func TestOnlyTheInitContainerThatAnAnnotationAsksForIsExpected(t *testing.T) {
	const prefix = "init.hook.restore.velero.io/container-"
	named := map[string]string{prefix + "image": "tool:1", prefix + "name": "hook"}
	unnamed := map[string]string{prefix + "image": "tool:1"}
	for _, c := range []struct {
		annotations map[string]string
		name, image string
		expected    bool
	}{
		{named, "hook", "tool:1", true},
		{named, "hook", "tool:2", false},
		{named, "other", "tool:1", false},
		{named, "velero-restore-init-deadfeed", "tool:1", false},
		{unnamed, "velero-restore-init-deadfeed", "tool:1", true},
		{unnamed, "other", "tool:1", false},
		{nil, "velero-restore-init-deadfeed", "", false},
		{nil, "", "", false},
	} {
		wanted := &unstructured.Unstructured{Object: map[string]any{}}
		wanted.SetAnnotations(c.annotations)
		found := map[string]any{"name": c.name, "image": c.image}
		if got := isInitHook(objects.Case{Found: found, WantedObject: wanted}); got != c.expected {
			t.Errorf("annotations %v, container %v: expected %v", c.annotations, found, got)
		}
	}
}
