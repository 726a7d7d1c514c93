package probe

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gameday.dev/gameday/internal/kube"
)

// saying is a command that ends so.
type saying struct{ code int }

func (s saying) Exec(_ context.Context, command kube.Command) error {
	fmt.Fprint(command.Stdout, "hunter2")
	return &kube.ExitError{Command: command.Command, Code: s.code}
}

func TestCommandsOfAProbeAreNotTold(t *testing.T) {
	spec := &Spec{Exec: &Exec{Selector: "app=web", Command: []string{"psql", "postgres://shop:hunter2@db"}}}
	_, err := spec.try(t.Context(), Options{Client: answering(t, nil), Exec: saying{3}, Namespace: "shop-drill"})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "exit code 3") {
		t.Error(err)
	}
}
