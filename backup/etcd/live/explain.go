package live

import (
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/status"
)

// explain puts an answer of gRPC in words and adds the next step.
func explain(err error) error {
	if step := nextStep(err); step != "" {
		return fmt.Errorf("%w: %s", plain{err}, step)
	}
	return plain{err}
}

// explainFirst is explain for the first word of a connection. In TLS 1.3 a member
// that refuses the client's certificate, or misses one, hangs up after the client
// took the handshake for done, and whether its reason still arrives is chance.
func explainFirst(err error) error {
	text := err.Error()
	for _, hungUp := range []string{"broken pipe", "connection reset", "EOF"} {
		if strings.Contains(text, hungUp) && !strings.Contains(text, "error reading server preface") {
			return fmt.Errorf("%w: it hung up at once, as a member does that refuses the client certificate or misses one: etcd.certFile must be signed by the authority in its --trusted-ca-file", plain{err})
		}
	}
	return explain(err)
}

func nextStep(err error) string {
	known := rpctypes.Error(err)
	switch {
	case errors.Is(known, rpctypes.ErrAuthFailed):
		return "etcd.username or the password in etcd.passwordFile is wrong"
	case errors.Is(known, rpctypes.ErrUserEmpty), errors.Is(known, rpctypes.ErrInvalidAuthToken):
		return "etcd has authentication on: set etcd.username and etcd.passwordFile"
	case errors.Is(known, rpctypes.ErrPermissionDenied):
		return "its user needs the role root: etcd lets no other take snapshots"
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "remote error: tls"):
		return "the member refuses the client certificate: etcd.certFile must be signed by the authority in its --trusted-ca-file, for client authentication"
	case strings.Contains(text, "signed by unknown authority"):
		return "etcd.caFile must be the authority that signed the member's certificate"
	case strings.Contains(text, "x509: certificate is"), strings.Contains(text, "doesn't contain any IP SANs"), strings.Contains(text, "because it doesn't contain"):
		return "the member's certificate is for another name: use an endpoint that it names"
	case strings.Contains(text, "certificate has expired"):
		return "the member's certificate has expired, or this machine's clock is wrong"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "the member speaks no TLS: its endpoint begins with http"
	case strings.Contains(text, "error reading server preface"):
		return "the member may speak TLS only, or ask for a client certificate: look at http or https in its endpoint, and at etcd.certFile"
	case strings.Contains(text, "connection refused"), strings.Contains(text, "no such host"), strings.Contains(text, "no route to host"):
		return "nothing answers there: look at the endpoint, and at whether the member runs"
	default:
		return ""
	}
}

// plain is an error of gRPC without its own frame of words.
type plain struct{ err error }

func (p plain) Error() string {
	known, ok := status.FromError(p.err)
	if !ok {
		return p.err.Error()
	}
	text := known.Message()
	for _, frame := range []string{"last connection error: ", "connection error: ", "latest balancer error: "} {
		text = strings.ReplaceAll(text, frame, "")
	}
	if rest, ok := strings.CutPrefix(text, `desc = "`); ok {
		text = strings.TrimSuffix(rest, `"`)
	}
	return text
}

func (p plain) Unwrap() error { return p.err }
