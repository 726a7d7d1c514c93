package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
)

// Executor runs commands in containers, as kubectl exec does.
type Executor interface {
	// Exec runs the command to its end and streams what it prints. A command
	// that ends with another code than 0 is an *ExitError.
	Exec(ctx context.Context, command Command) error
}

// Command is a command in a container.
type Command struct {
	Namespace, Pod, Container string
	Command                   []string
	Stdout, Stderr            io.Writer // nil discards
}

// ExitError says that a command ran and failed.
type ExitError struct {
	Command []string
	Code    int
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s ended with exit code %d", strings.Join(e.Command, " "), e.Code)
}

// executor streams over WebSockets, or over SPDY where the API server is older
// than 1.31 or a proxy stands between, like kubectl.
type executor struct {
	client kubernetes.Interface
	config *rest.Config
}

// Exec implements Executor.
func (e *executor) Exec(ctx context.Context, command Command) error {
	stdout, stderr := command.Stdout, command.Stderr
	if stdout == nil {
		stdout = io.Discard
	}
	if stderr == nil {
		stderr = io.Discard
	}
	url := e.client.CoreV1().RESTClient().Post().
		Resource("pods").Namespace(command.Namespace).Name(command.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: command.Container, Command: command.Command, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec).URL()
	spdy, err := remotecommand.NewSPDYExecutor(e.config, http.MethodPost, url)
	if err != nil {
		return fmt.Errorf("preparing to run a command in pod %s/%s: %w", command.Namespace, command.Pod, err)
	}
	webSocket, err := remotecommand.NewWebSocketExecutor(e.config, http.MethodGet, url.String())
	if err != nil {
		return fmt.Errorf("preparing to run a command in pod %s/%s: %w", command.Namespace, command.Pod, err)
	}
	stream, err := remotecommand.NewFallbackExecutor(webSocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return fmt.Errorf("preparing to run a command in pod %s/%s: %w", command.Namespace, command.Pod, err)
	}
	err = stream.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: stdout, Stderr: stderr})
	var ended exec.CodeExitError
	if errors.As(err, &ended) {
		return &ExitError{Command: command.Command, Code: ended.Code}
	}
	if err != nil {
		return fmt.Errorf("running a command in pod %s/%s: %w", command.Namespace, command.Pod, err)
	}
	return nil
}
