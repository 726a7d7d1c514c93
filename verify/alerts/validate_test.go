package alerts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	expected := Expectation{Alert: "ShopPodDown", Step: "kill-one", Within: metav1.Duration{Duration: time.Minute}}
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   []string // fields that are refused
	}{
		{"least", func(*Spec) {}, nil},
		{"everything", func(s *Spec) {
			s.Expect[0].Labels = map[string]string{"namespace": "shop"}
			s.Expect[0].ResolvesWithin = &metav1.Duration{Duration: time.Minute}
			s.Expect[0].Proof = ProofDelivered
			s.Forbid = []Prohibition{{Except: []Exception{{Alert: "Watchdog", Reason: "always fires"}}}}
		}, nil},
		{"only forbidden", func(s *Spec) { s.Expect, s.Forbid = nil, []Prohibition{{}} }, nil},
		{"nothing", func(s *Spec) { s.Expect = nil }, []string{"alerts.expect"}},
		{"empty expectation", func(s *Spec) { s.Expect[0] = Expectation{} },
			[]string{"alerts.expect[0].alert", "alerts.expect[0].step", "alerts.expect[0].within"}},
		{"durations", func(s *Spec) {
			s.Expect[0].Within.Duration, s.Expect[0].ResolvesWithin = -1, &metav1.Duration{}
		}, []string{"alerts.expect[0].within", "alerts.expect[0].resolvesWithin"}},
		{"unknown proof", func(s *Spec) { s.Expect[0].Proof = "pending" }, []string{"alerts.expect[0].proof"}},
		{"labels of ALERTS itself", func(s *Spec) {
			s.Expect[0].Labels = map[string]string{"alertname": "X", "alertstate": "pending"}
		}, []string{"alerts.expect[0].labels[alertname]", "alerts.expect[0].labels[alertstate]"}},
		{"allowance without alert and reason", func(s *Spec) {
			s.Forbid = []Prohibition{{Except: []Exception{{Reason: " "}}}}
		}, []string{"alerts.forbid[0].except[0].alert", "alerts.forbid[0].except[0].reason"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := Spec{Expect: []Expectation{expected}}
			test.change(&spec)
			var got []string
			for _, problem := range spec.Validate(field.NewPath("alerts")) {
				got = append(got, problem.Field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("refused fields (-want +got):\n%s", diff)
			}
		})
	}
}
