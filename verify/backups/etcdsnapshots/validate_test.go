package backups

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	hour := metav1.Duration{Duration: time.Hour}
	tests := []struct {
		name string
		spec Spec
		want string
	}{
		{"whole", Spec{EtcdSnapshots: &EtcdSnapshots{Directory: "/var/backups", MaxAge: hour, MinKept: 14}}, ""},
		{"least", Spec{EtcdSnapshots: &EtcdSnapshots{MaxAge: hour}}, ""},
		{"no kind", Spec{}, "backups: Required value: say which backups: etcdSnapshots"},
		{"no age", Spec{EtcdSnapshots: &EtcdSnapshots{}}, "backups.etcdSnapshots.maxAge: Required value: how old the newest may be, such as 26h for one a day"},
		{"negative", Spec{EtcdSnapshots: &EtcdSnapshots{MaxAge: metav1.Duration{Duration: -1}, MinKept: -1}},
			`[backups.etcdSnapshots.maxAge: Invalid value: "-1ns": must be longer than 0s, backups.etcdSnapshots.minKept: Invalid value: -1: must be a number from 1]`},
	}
	for _, test := range tests {
		got := ""
		if err := test.spec.Validate(field.NewPath("backups")).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s\n  want %s", test.name, got, test.want)
		}
	}
}
