package probe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
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

// failing is a command that could not be run.
type failing struct{ why error }

func (f failing) Exec(context.Context, kube.Command) error { return f.why }

// The API server and client-go quote the address of a command, which has its arguments.
func TestAddressesOfAProbeAreNotTold(t *testing.T) {
	const asked = "https://10.0.0.5:10250/exec/shop-drill/web-1/web?command=psql&command=postgres%3A%2F%2Fshop%3Ahunter2%40db"
	for name, why := range map[string]error{
		"from the API server": errors.New(`error sending request: Post "` + asked + `": dial tcp 10.0.0.5:10250: connect: connection refused`),
		"from a stream":       errors.New(`unable to upgrade connection: error sending request: Post "` + asked + `": connection refused`),
		"from client-go":      &url.Error{Op: "Post", URL: asked, Err: errors.New("connection refused")},
		"bare":                errors.New("asking wss://10.0.0.5/exec?command=hunter2 was refused: connection refused"),
	} {
		spec := &Spec{Exec: &Exec{Selector: "app=web", Command: []string{"psql", "postgres://shop:hunter2@db"}}}
		_, err := spec.try(t.Context(), Options{Client: answering(t, nil), Exec: failing{why}, Namespace: "shop-drill"})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommandsOfAProbeAreNotTold(t *testing.T) {
	spec := &Spec{Exec: &Exec{Selector: "app=web", Command: []string{"psql", "postgres://shop:hunter2@db"}}}
	_, err := spec.try(t.Context(), Options{Client: answering(t, nil), Exec: saying{3}, Namespace: "shop-drill"})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "exit code 3") {
		t.Error(err)
	}
}
