package velero

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/kube"
)

// mostOutput bounds what is kept of what a probe prints: a pattern is looked for
// in it, and nothing of it is reported, since it may be data.
const mostOutput = 1 << 20

// probe is the application's own check of its data. It is tried until it passes or
// its time is over: a database takes its time to recover.
func (c *climb) probe(ctx context.Context) backup.Rung {
	limit := orDefault(c.spec.Probe.Timeout, defaultProbeTimeout)
	began := time.Now()
	trying, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	why := errors.New("it was not tried")
	for tries := 1; ; tries++ {
		answered, err := c.tryProbe(trying)
		if err == nil {
			return backup.Held("the probe passed at try %d, %s", tries, answered)
		}
		if trying.Err() == nil || tries == 1 {
			why = err // the try that was cut short says less
		}
		if kube.Pause(trying, lookAgain) != nil {
			return backup.Broken("the probe did not pass within %s: %v", time.Since(began).Round(time.Second), why)
		}
	}
}

func (c *climb) tryProbe(ctx context.Context) (answered string, err error) {
	if probe := c.spec.Probe.Exec; probe != nil {
		return c.probeExec(ctx, probe)
	}
	return c.probeHTTP(ctx, c.spec.Probe.HTTP)
}

func (c *climb) probeExec(ctx context.Context, probe *ExecProbe) (string, error) {
	pod, err := c.readyPod(ctx, probe.Selector)
	if err != nil {
		return "", err
	}
	container := probe.Container
	if container == "" {
		container = pod.Spec.Containers[0].Name
	}
	output := &limited{most: mostOutput}
	err = c.env.Exec.Exec(ctx, kube.Command{Namespace: pod.Namespace, Pod: pod.Name, Container: container, Command: probe.Command, Stdout: output})
	var ended *kube.ExitError
	if errors.As(err, &ended) { // its arguments may be nobody's to read
		return "", fmt.Errorf("the command ended with exit code %d in pod %s", ended.Code, pod.Name)
	}
	if err != nil {
		return "", withoutURL(err)
	}
	return "in pod " + pod.Name, expect(probe.Expect, output.Bytes())
}

// readyPod is the first Ready pod by name.
func (c *climb) readyPod(ctx context.Context, selector string) (*corev1.Pod, error) {
	var first *corev1.Pod
	all := 0
	_, err := kube.Each(ctx, c.env.Client.CoreV1().Pods(c.plan.Into), metav1.ListOptions{LabelSelector: selector}, func(pod *corev1.Pod) error {
		all++
		if isReady(pod) && (first == nil || pod.Name < first.Name) {
			first = pod
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for a pod to ask: %w", err)
	}
	if first == nil {
		return nil, fmt.Errorf("none of %d pods with %s is Ready", all, selector)
	}
	return first, nil
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
	})
}

func expect(pattern string, output []byte) error {
	matched, err := regexp.Match(pattern, output)
	if err != nil {
		return err
	}
	if !matched {
		return fmt.Errorf("the answer of %d bytes does not match %q", len(output), pattern)
	}
	return nil
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(data []byte) (int, error) {
	l.Buffer.Write(data[:min(len(data), max(0, l.most-l.Len()))])
	return len(data), nil
}
