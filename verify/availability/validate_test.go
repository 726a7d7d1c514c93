package availability

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	half, all := intstr.FromString("50%"), intstr.FromString("all")
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   []string // fields that are refused
	}{
		{"least", func(*Spec) {}, nil},
		{"everything", func(s *Spec) {
			s.MinAvailable = &half
			s.MaxUnavailableFor, s.RecoverWithin = &metav1.Duration{}, &metav1.Duration{Duration: time.Minute}
		}, nil},
		{"no workload", func(s *Spec) { s.Workload = Workload{} },
			[]string{"availability.workload.kind", "availability.workload.namespace", "availability.workload.name"}},
		{"unknown kind", func(s *Spec) { s.Workload.Kind = "deployment" }, []string{"availability.workload.kind"}},
		{"bad floor", func(s *Spec) { s.MinAvailable = &all }, []string{"availability.minAvailable"}},
		{"durations", func(s *Spec) {
			s.MaxUnavailableFor, s.RecoverWithin = &metav1.Duration{Duration: -1}, &metav1.Duration{}
		}, []string{"availability.maxUnavailableFor", "availability.recoverWithin"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Spec{Workload: Workload{Kind: "Deployment", Namespace: "shop", Name: "web"}}
			test.change(&spec)
			var got []string
			for _, problem := range spec.Validate(field.NewPath("availability")) {
				got = append(got, problem.Field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("refused fields (-want +got):\n%s", diff)
			}
		})
	}
}
