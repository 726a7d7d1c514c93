package veleroschedules

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidate(t *testing.T) {
	hour := metav1.Duration{Duration: time.Hour}
	share := func(text string) *intstr.IntOrString {
		parsed := intstr.Parse(text)
		return &parsed
	}
	tests := map[string]struct {
		spec Spec
		want string
	}{
		"whole":                          {Spec{Schedules: []string{"nightly", "weekly"}, MaxAge: hour, MaxShrink: share("10%"), AllowPaused: []string{"weekly"}}, ""},
		"least":                          {Spec{MaxAge: hour}, ""},
		"all but one that may be paused": {Spec{MaxAge: hour, AllowPaused: []string{"weekly"}}, ""},
		"no shrink, and any":             {Spec{MaxAge: hour, MaxShrink: share("0")}, ""},
		"no age":                         {Spec{}, "veleroSchedules.maxAge: Required value: how old the newest backup may be, such as 26h for one a day"},
		"negative": {Spec{MaxAge: metav1.Duration{Duration: -1}, MaxShrink: share("-1")},
			`[veleroSchedules.maxAge: Invalid value: "-1ns": must be longer than 0s, veleroSchedules.maxShrink: Invalid value: -1: must be a number from 0, or a percent from 0% to 100%]`},
		"no percent": {Spec{MaxAge: hour, MaxShrink: share("half")},
			`veleroSchedules.maxShrink: Invalid value: "half": must be a number from 0, or a percent from 0% to 100%`},
		"names": {Spec{MaxAge: hour, Schedules: []string{"nightly", "Nightly", "nightly", ""}},
			`[veleroSchedules.schedules[1]: Invalid value: "Nightly": must be lower case letters, digits, dashes and dots, at most 253, with a letter or digit at either end, veleroSchedules.schedules[2]: Duplicate value: "nightly", veleroSchedules.schedules[3]: Required value]`},
		"none": {Spec{MaxAge: hour, Schedules: []string{}, AllowPaused: []string{}},
			"[veleroSchedules.schedules: Required value: name one, or leave it out, veleroSchedules.allowPaused: Required value: name one, or leave it out]"},
		"one that is not looked at may be paused": {Spec{MaxAge: hour, Schedules: []string{"nightly"}, AllowPaused: []string{"weekly"}},
			`veleroSchedules.allowPaused[0]: Invalid value: "weekly": is not among the schedules that are looked at`},
	}
	for name, test := range tests {
		got := ""
		if err := test.spec.Validate(field.NewPath("veleroSchedules")).ToAggregate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s\n  want %s", name, got, test.want)
		}
	}
}
