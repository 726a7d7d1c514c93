package objects

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
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

// stream decodes its objects anew each time, as a Set that reads a file or a
// cluster does, and keeps none.
type stream struct {
	resources []Resource
	objects   map[Resource][][]byte // some of each resource, sorted by name
	each      int                   // copies of each, under names of their own
	namespace string
	uid       string
}

func newStream(tb testing.TB, total int, namespace, uid string) *stream {
	s := &stream{objects: map[Resource][][]byte{}, namespace: namespace, uid: uid}
	base := examples(tb)
	for _, o := range base {
		r := resourceOf(o)
		if s.objects[r] != nil {
			continue // one of each resource is enough
		}
		s.resources = append(s.resources, r)
		s.objects[r] = append(s.objects[r], must(o.MarshalJSON()))
	}
	s.each = total / len(s.resources)
	return s
}

func (s *stream) Resources(context.Context) ([]Resource, error) { return s.resources, nil }

func (s *stream) Objects(_ context.Context, r Resource) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		for i := range s.each {
			o := &unstructured.Unstructured{}
			if err := o.UnmarshalJSON(s.objects[r][0]); err != nil {
				yield(nil, err)
				return
			}
			metadata := o.Object["metadata"].(map[string]any)
			metadata["name"] = fmt.Sprintf("o%06d", i)
			metadata["uid"] = fmt.Sprintf("%s-%s-%d", s.uid, r.Kind, i)
			if r.Namespaced {
				metadata["namespace"] = s.namespace
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// BenchmarkHundredThousand compares a hundred thousand objects on three sides,
// decoding included, and reports the memory of the whole process.
func BenchmarkHundredThousand(b *testing.B) {
	comparison := Comparison{
		Wanted: newStream(b, 100_000, "shop", "original"), Found: newStream(b, 100_000, "drill", "restored"), Live: newStream(b, 100_000, "shop", "original"),
		Namespaces: map[string]string{"shop": "drill"}, Keep: 20,
	}
	b.ReportAllocs()
	for b.Loop() {
		result, err := comparison.Run(b.Context())
		if err != nil || result.Objects < 99_000 {
			b.Fatalf("%d objects, %v", result.Objects, err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("there is no /proc")
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(peak), " kB"), 64)
			b.ReportMetric(kilobytes/1024, "peak-MB")
		}
	}
}

// objectsBy is as Listed has it: there is one namespace only.
func (s *stream) objectsBy(ctx context.Context, r Resource, _ func(string) string) iter.Seq2[*unstructured.Unstructured, error] {
	return s.Objects(ctx, r)
}
