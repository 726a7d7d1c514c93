package probe

import (
	"context"
	"errors"
	"fmt"

	"gameday.dev/gameday/internal/kube"
)

func (e *Exec) try(ctx context.Context, options Options) (string, error) {
	pod, err := options.readyPod(ctx, e.Selector)
	if err != nil {
		return "", err
	}
	container := e.Container
	if container == "" {
		container = pod.Spec.Containers[0].Name
	}
	output := &limited{most: mostOutput}
	err = options.Exec.Exec(ctx, kube.Command{Namespace: pod.Namespace, Pod: pod.Name, Container: container, Command: e.Command, Stdout: output})
	var ended *kube.ExitError
	if errors.As(err, &ended) { // its arguments may be nobody's to read
		return "", fmt.Errorf("the command ended with exit code %d in pod %s", ended.Code, pod.Name)
	}
	if err != nil {
		return "", withoutURL(err)
	}
	return "in pod " + pod.Name, expect(e.Expect, output.Bytes())
}
