package etcdsnapshots

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
		{"whole", Spec{Directory: "/var/backups", MaxAge: hour, MinKept: 14}, ""},
		{"least", Spec{MaxAge: hour}, ""},
		{"no age", Spec{}, "etcdSnapshots.maxAge: Required value: how old the newest may be, such as 26h for one a day"},
		{"negative", Spec{MaxAge: metav1.Duration{Duration: -1}, MinKept: -1},
			`[etcdSnapshots.maxAge: Invalid value: "-1ns": must be longer than 0s, etcdSnapshots.minKept: Invalid value: -1: must be a number from 1]`},
	}
	for _, test := range tests {
		got := ""
		if err := test.spec.Validate(field.NewPath("etcdSnapshots")).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s\n  want %s", test.name, got, test.want)
		}
	}
}
