package probe

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What a probe says ends in the address of a pod: one problem each.
func TestValidate(t *testing.T) {
	exec := func(e Exec) *Spec {
		e.Selector = "app=db"
		return &Spec{Exec: &e}
	}
	for name, test := range map[string]struct {
		spec *Spec
		at   string // where the problem is; empty when there is none
	}{
		"a command":        {exec(Exec{Command: []string{"pg_isready", ""}, Container: "db"}), ""},
		"no command":       {exec(Exec{}), "probe.exec.command"},
		"an empty command": {exec(Exec{Command: []string{""}}), "probe.exec.command"},
		"no container":     {exec(Exec{Command: []string{"true"}, Container: "a b"}), "probe.exec.container"},
	} {
		problems := test.spec.Validate(field.NewPath("probe"))
		if test.at == "" && len(problems) > 0 || test.at != "" && (len(problems) != 1 || problems[0].Field != test.at) {
			t.Errorf("%s: %v, want a problem at %q", name, problems, test.at)
		}
	}
}
