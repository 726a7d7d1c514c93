package backups

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/etcdsnapshots"
	"gameday.dev/gameday/verify/backups/veleroschedules"
)

func TestValidate(t *testing.T) {
	hour := metav1.Duration{Duration: time.Hour}
	tests := map[string]struct {
		spec Spec
		want string
	}{
		"snapshots": {Spec{EtcdSnapshots: &etcdsnapshots.Spec{MaxAge: hour}}, ""},
		"schedules": {Spec{VeleroSchedules: &veleroschedules.Spec{MaxAge: hour}}, ""},
		"neither":   {Spec{}, "backups: Required value: set one of etcdSnapshots, veleroSchedules"},
		"both": {Spec{EtcdSnapshots: &etcdsnapshots.Spec{MaxAge: hour}, VeleroSchedules: &veleroschedules.Spec{MaxAge: hour}},
			"backups: Forbidden: etcdSnapshots and veleroSchedules exclude each other: make it two checks, each with a name"},
		"no age of snapshots": {Spec{EtcdSnapshots: &etcdsnapshots.Spec{}},
			"backups.etcdSnapshots.maxAge: Required value: how old the newest may be, such as 26h for one a day"},
		"no age of backups": {Spec{VeleroSchedules: &veleroschedules.Spec{}},
			"backups.veleroSchedules.maxAge: Required value: how old the newest backup may be, such as 26h for one a day"},
	}
	for name, test := range tests {
		got := ""
		if err := test.spec.Validate(field.NewPath("backups")).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s\n  want %s", name, got, test.want)
		}
	}
}

// Each kind makes its own check; none makes one that can tell nothing.
func TestNew(t *testing.T) {
	hour := metav1.Duration{Duration: time.Hour}
	for name, test := range map[string]struct {
		spec        Spec
		permissions int
	}{
		"snapshots": {Spec{EtcdSnapshots: &etcdsnapshots.Spec{MaxAge: hour}}, 0},
		"schedules": {Spec{VeleroSchedules: &veleroschedules.Spec{MaxAge: hour}}, 1},
		"neither":   {Spec{}, 0},
	} {
		check := New(name, test.spec)
		if got := len(check.Permissions()); got != test.permissions {
			t.Errorf("%s: %d permissions, want %d", name, got, test.permissions)
		}
		if _, ok := check.(verify.Preflight); !ok {
			t.Errorf("%s: plan can tell nothing", name)
		}
	}
}
