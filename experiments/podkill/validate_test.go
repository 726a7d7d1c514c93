package podkill

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	count := func(text string) *intstr.IntOrString {
		value := intstr.Parse(text)
		return &value
	}
	seconds := func(n int) *metav1.Duration {
		return &metav1.Duration{Duration: time.Duration(n) * time.Second}
	}
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   []string // fields that are refused
	}{
		{"least", func(*Spec) {}, nil},
		{"everything", func(s *Spec) {
			s.Exclude, s.Count, s.Method, s.Expect = "canary=true", count("50%"), MethodEvict, "blocked"
			s.GracePeriod, s.Timeout = seconds(0), seconds(30)
		}, nil},
		{"nothing", func(s *Spec) { *s = Spec{} }, []string{"podKill.namespace", "podKill.selector"}},
		{"bad namespace", func(s *Spec) { s.Namespace = "Shop" }, []string{"podKill.namespace"}},
		{"bad selector", func(s *Spec) { s.Selector = "app in" }, []string{"podKill.selector"}},
		{"bad exclude", func(s *Spec) { s.Exclude = "app in" }, []string{"podKill.exclude"}},
		{"none", func(s *Spec) { s.Count = count("0") }, []string{"podKill.count"}},
		{"unknown method", func(s *Spec) { s.Method = "kill" }, []string{"podKill.method"}},
		{"unknown expectation", func(s *Spec) { s.Expect = "drained" }, []string{"podKill.expect"}},
		{"a delete cannot be blocked", func(s *Spec) { s.Expect = "blocked" }, []string{"podKill.expect"}},
		{"durations", func(s *Spec) { s.GracePeriod, s.Timeout = seconds(-1), seconds(0) },
			[]string{"podKill.gracePeriod", "podKill.timeout"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Spec{Namespace: "shop", Selector: "app=web"}
			test.change(&spec)
			var got []string
			for _, problem := range spec.Validate(field.NewPath("podKill")) {
				got = append(got, problem.Field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("refused fields (-want +got):\n%s", diff)
			}
		})
	}
}
