package velero

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/verify/objects"
)

// workload is what an autoscaler scales.
type workload struct{ group, kind, name string }

// replicas are the least and the most that an autoscaler gives to a workload.
type replicas struct{ least, most int64 }

func autoscalers() objects.Resource {
	return objects.Resource{Group: "autoscaling", Version: "v2", Name: "horizontalpodautoscalers", Kind: "HorizontalPodAutoscaler", Namespaced: true}
}

// autoscaled reads from a backup what its HorizontalPodAutoscalers scale.
func autoscaled(ctx context.Context, backup objects.Set) (map[workload]replicas, error) {
	scaled := map[workload]replicas{}
	for scaler, err := range backup.Objects(ctx, autoscalers()) {
		if err != nil {
			return nil, err
		}
		least, set, _ := unstructured.NestedInt64(scaler.Object, "spec", "minReplicas")
		if !set {
			least = 1
		}
		most, _, _ := unstructured.NestedInt64(scaler.Object, "spec", "maxReplicas")
		version, _ := schema.ParseGroupVersion(textAt(scaler.Object, "spec", "scaleTargetRef", "apiVersion"))
		target := workload{version.Group, textAt(scaler.Object, "spec", "scaleTargetRef", "kind"), textAt(scaler.Object, "spec", "scaleTargetRef", "name")}
		scaled[target] = replicas{least, most}
	}
	return scaled, nil
}

// autoscaledRule expects that a workload which was started has by now as many replicas
// as its restored autoscaler wants.
func autoscaledRule(scaled map[workload]replicas) objects.Rule {
	return objects.Rule{
		Name: "started: scaled by its autoscaler", Kinds: []string{"*"}, Path: "spec.replicas", What: []string{objects.Changed},
		When: func(c objects.Case) bool {
			found, whole := c.Found.(int64)
			by, is := scaled[workload{c.Resource.Group, c.Resource.Kind, c.FoundObject.GetName()}]
			return is && whole && by.least <= found && found <= by.most
		},
		Why: "with start, a HorizontalPodAutoscaler was restored with it and is at work", Source: "https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/",
	}
}
