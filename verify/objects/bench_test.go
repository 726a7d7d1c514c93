package objects

import (
	"fmt"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// many are copies of the examples under other names, in one namespace.
func many(tb testing.TB, n int) []*unstructured.Unstructured {
	tb.Helper()
	base := examples(tb)
	all := make([]*unstructured.Unstructured, 0, n)
	for i := range n {
		o := base[i%len(base)].DeepCopy()
		o.SetName(fmt.Sprintf("%s-%06d", o.GetName(), i))
		metadata := o.Object["metadata"].(map[string]any)
		metadata["uid"] = fmt.Sprintf("original-%d", i)
		all = append(all, o)
	}
	return all
}

// restoredAs is what a restore would make of them.
func restoredAs(objects []*unstructured.Unstructured, namespace string) []*unstructured.Unstructured {
	restored := make([]*unstructured.Unstructured, 0, len(objects))
	for i, o := range objects {
		o = o.DeepCopy()
		metadata := o.Object["metadata"].(map[string]any)
		if metadata["namespace"] != nil {
			metadata["namespace"] = namespace
		}
		metadata["uid"] = fmt.Sprintf("restored-%d", i)
		metadata["resourceVersion"] = strconv.Itoa(1000000 + i)
		metadata["creationTimestamp"] = "2026-12-01T00:00:00Z"
		delete(metadata, "managedFields")
		delete(o.Object, "status")
		restored = append(restored, o)
	}
	return restored
}

// BenchmarkCompare compares 10,000 mixed objects on three sides.
func BenchmarkCompare(b *testing.B) {
	wanted := many(b, 10000)
	comparison := Comparison{
		Wanted: NewSet(wanted...), Found: NewSet(restoredAs(wanted, "drill")...), Live: NewSet(wanted...),
		Namespaces: map[string]string{"shop": "drill"}, Keep: 20,
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := comparison.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(wanted))*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
