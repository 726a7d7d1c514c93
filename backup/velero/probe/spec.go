// Package probe lets a restored application check its own data: by a command in one
// of its pods, or by a request to one. What it prints or answers is matched and then
// forgotten, in errors too: it may be data, or a password.
package probe

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const defaultTimeout = 2 * time.Minute

// Spec is a check of the restored data by the application itself. Exactly one of
// exec and http is set.
type Spec struct {
	// Exec runs a command in a restored pod. Exit code 0 passes.
	Exec *Exec `json:"exec,omitempty"`
	// HTTP asks a restored pod through the API server.
	HTTP *HTTP `json:"http,omitempty"`
	// Timeout until which the probe is tried again. Default 2m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// Exec is a command in the first Ready pod of a selector.
type Exec struct {
	// Selector of labels, such as app=db.
	Selector string `json:"selector"`
	// Container of the pod. Default: its first.
	Container string `json:"container,omitempty"`
	// Command and its arguments; no shell is added.
	Command []string `json:"command"`
	// Expect is a regular expression that the output, or its first MiB, must match.
	Expect string `json:"expect,omitempty"`
}

// HTTP is a GET request to the first Ready pod of a selector.
type HTTP struct {
	// Selector of labels, such as app=web.
	Selector string `json:"selector"`
	// Port by number.
	Port int `json:"port"`
	// Path with its query, without any part that leads elsewhere (.., //). Default /.
	Path string `json:"path,omitempty"`
	// Expect is a regular expression that the body, or its first MiB, must match. The status must be 2xx.
	Expect string `json:"expect,omitempty"`
}

func (s *Spec) timeout() time.Duration {
	if s.Timeout == nil {
		return defaultTimeout
	}
	return s.Timeout.Duration
}
