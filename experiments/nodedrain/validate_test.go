package nodedrain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	none, all := intstr.FromInt32(0), intstr.FromString("all")
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   []string // fields that are refused
	}{
		{"least", func(*Spec) {}, nil},
		{"everything", func(s *Spec) {
			s.Count, s.Expect, s.Unmanaged, s.EmptyDirData = &all, ExpectBlocked, "evict", "delete"
			s.Timeout, s.GracePeriod = &metav1.Duration{Duration: time.Minute}, &metav1.Duration{}
		}, nil},
		{"no selector", func(s *Spec) { s.Selector = "" }, []string{"nodeDrain.selector"}},
		{"bad selector", func(s *Spec) { s.Selector = "!!zone" }, []string{"nodeDrain.selector"}},
		{"none", func(s *Spec) { s.Count = &none }, []string{"nodeDrain.count"}},
		{"durations", func(s *Spec) {
			s.Timeout, s.GracePeriod = &metav1.Duration{}, &metav1.Duration{Duration: -1}
		}, []string{"nodeDrain.timeout", "nodeDrain.gracePeriod"}},
		{"unknown choices", func(s *Spec) { s.Expect, s.Unmanaged, s.EmptyDirData = "done", "delete", "keep" },
			[]string{"nodeDrain.expect", "nodeDrain.unmanaged", "nodeDrain.emptyDirData"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Spec{Selector: "!node-role.kubernetes.io/control-plane"}
			test.change(&spec)
			var got []string
			for _, problem := range spec.Validate(field.NewPath("nodeDrain")) {
				got = append(got, problem.Field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("refused fields (-want +got):\n%s", diff)
			}
		})
	}
}
