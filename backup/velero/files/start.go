package files

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/internal/kube"
)

// readers are the pods of one comparison, by node.
type readers struct {
	options Options
	pods    map[string]kube.PodRef
}

// byNode gives the readers in the order of their nodes' names.
func (r *readers) byNode() iter.Seq2[string, kube.PodRef] {
	return func(yield func(string, kube.PodRef) bool) {
		for _, node := range slices.Sorted(maps.Keys(r.pods)) {
			if !yield(node, r.pods[node]) {
				return
			}
		}
	}
}

// start makes a reader on each node and returns when all run, or when one never will.
func start(ctx context.Context, options Options) (*readers, error) {
	r := &readers{options: options, pods: map[string]kube.PodRef{}}
	nodes, pods := podsByNode(options.Pairs)
	for _, node := range nodes {
		made, err := r.create(ctx, readerPod(options, node, pods[node]))
		if err != nil {
			return r, fmt.Errorf("making a reader on node %s: %w", node, explainCreate(err, options))
		}
		r.pods[node] = kube.RefOf(made)
	}
	return r, r.wait(ctx)
}

// create does not give up in the middle: a pod that was made and is not known
// would be left to Remove.
func (r *readers) create(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	lingering, stop := kube.Linger(ctx)
	defer stop()
	return r.options.Client.CoreV1().Pods(pod.Namespace).Create(lingering, pod, metav1.CreateOptions{})
}

func explainCreate(err error, options Options) error {
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "violates PodSecurity"):
		return fmt.Errorf("%w: readers need hostPath volumes: kubectl label namespace %s pod-security.kubernetes.io/enforce=privileged --overwrite", err, options.Namespace)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: is there a namespace %s?", err, options.Namespace)
	default:
		return err
	}
}

// remove deletes the readers of this comparison and does not wait for them to go.
func (r *readers) remove(ctx context.Context) error {
	var problems []error
	for node, pod := range r.pods {
		err := r.options.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &pod.UID},
		})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			problems = append(problems, fmt.Errorf("deleting reader %s on node %s: %w", pod, node, err))
		}
	}
	return errors.Join(problems...)
}

// wait waits until every reader runs.
func (r *readers) wait(ctx context.Context) error {
	cancelled, cancel := context.WithCancelCause(ctx)
	limited, stop := context.WithTimeoutCause(cancelled, r.options.Start, errSlow)
	defer stop()
	events := &warnings{of: map[string]string{}}
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	watching.Go(func() { r.watchWarnings(limited, events, cancel) })

	last := map[types.UID]condition{}
	var hopeless error
	err := kube.Follow(limited, r.options.Client.CoreV1().Pods(r.options.Namespace),
		kube.FollowOptions{LabelSelector: readersOf(r.options.RunID)},
		func(pod *corev1.Pod) (condition, bool) { return conditionOf(pod), true },
		func(view map[types.UID]condition) bool {
			running := 0
			for node, pod := range r.byNode() {
				now, there := view[pod.UID]
				switch {
				case there && now.hopeless:
					hopeless = r.explain(node, now.why)
					return true
				case there && now.running:
					running++
				case !there: // the first list is newer than what was made before it
					hopeless = r.explain(node, "it was deleted by somebody else: is the node still there?")
					return true
				}
				last[pod.UID] = now
			}
			return running == len(r.pods)
		})
	switch {
	case hopeless != nil:
		return hopeless
	case err == nil:
		return nil
	case cancelled.Err() != nil && ctx.Err() == nil:
		return context.Cause(cancelled)
	case !errors.Is(err, errSlow):
		return fmt.Errorf("waiting for the readers: %w", err)
	}
	return r.tooSlow(last, events)
}

var errSlow = errors.New("it took too long")

// tooSlow names the readers that do not run and the last that was heard of each.
func (r *readers) tooSlow(last map[types.UID]condition, events *warnings) error {
	var problems []error
	for node, pod := range r.byNode() {
		now := last[pod.UID]
		if now.running {
			continue
		}
		why := now.why
		if said := events.get(pod.Name); said != "" {
			why += ": " + said
		}
		problems = append(problems, r.explain(node, fmt.Sprintf("not running after %s: %s", r.options.Start, why)))
	}
	return errors.Join(problems...)
}

func (r *readers) explain(node, why string) error {
	return fmt.Errorf("starting reader %s on node %s: %s", r.pods[node], node, why)
}

// condition is what matters of a reader that is to run.
type condition struct {
	running  bool
	hopeless bool // waiting longer does not help
	why      string
}

// neverMind are the reasons for waiting that end by themselves.
func neverMind(reason string) bool {
	return reason == "" || reason == "ContainerCreating" || reason == "PodInitializing"
}

func conditionOf(pod *corev1.Pod) condition {
	for _, container := range pod.Status.ContainerStatuses {
		switch state := container.State; {
		case state.Terminated != nil:
			return condition{hopeless: true, why: fmt.Sprintf("its container has ended: %s, exit code %d: %s%s",
				state.Terminated.Reason, state.Terminated.ExitCode, strings.TrimSpace(state.Terminated.Message), hintOnEnd(state.Terminated.Message))}
		case state.Waiting != nil && !neverMind(state.Waiting.Reason):
			return condition{hopeless: true, why: fmt.Sprintf("%s: %s%s", state.Waiting.Reason, state.Waiting.Message, hintOnWaiting(state.Waiting.Reason))}
		case state.Running != nil && pod.DeletionTimestamp == nil:
			return condition{running: true}
		case state.Waiting != nil:
			return condition{why: state.Waiting.Reason}
		}
	}
	switch {
	case pod.Status.Phase == corev1.PodFailed:
		return condition{hopeless: true, why: fmt.Sprintf("%s: %s", pod.Status.Reason, pod.Status.Message)}
	case pod.DeletionTimestamp != nil:
		return condition{hopeless: true, why: "it was deleted by somebody else: is the node still there?"}
	default:
		return condition{why: "no kubelet has taken it: is the node up?"}
	}
}

func hintOnWaiting(reason string) string {
	if strings.Contains(reason, "Image") {
		return ": nodes must be able to pull the image: set image in the Environment, or --image"
	}
	return ""
}

func hintOnEnd(message string) string {
	if strings.Contains(message, helperCommand) && strings.Contains(message, "unknown command") {
		return ": the image holds another version of gameday: use that of this one"
	}
	if strings.Contains(message, program) && strings.Contains(message, "no such file") {
		return ": the image must have gameday at " + program + ": set image in the Environment, or --image"
	}
	return ""
}

// warnings are the last events of each reader.
type warnings struct {
	mu sync.Mutex
	of map[string]string
}

func (w *warnings) set(pod, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of[pod] = message
}

func (w *warnings) get(pod string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of[pod]
}

// watchWarnings listens to what kubelets say while readers start; a kubelet tries
// to mount for ever. Without the permission nothing is heard, and the timeout comes.
func (r *readers) watchWarnings(ctx context.Context, events *warnings, giveUp context.CancelCauseFunc) {
	ours := map[string]string{}
	for node, pod := range r.pods {
		ours[pod.Name] = node
	}
	err := kube.Follow(ctx, r.options.Client.CoreV1().Events(r.options.Namespace),
		kube.FollowOptions{FieldSelector: "type=Warning"},
		func(event *corev1.Event) (struct{}, bool) {
			node, mine := ours[event.InvolvedObject.Name]
			if !mine {
				return struct{}{}, false
			}
			events.set(event.InvolvedObject.Name, event.Reason+": "+event.Message)
			if event.Reason == "FailedMount" && strings.Contains(event.Message, "hostPath type check failed") {
				giveUp(r.explain(node, "the volumes of a pod are not on the node: the pod is gone, or the kubelet's --root-dir is not "+
					r.options.KubeletRoot+": "+event.Message))
			}
			return struct{}{}, true
		},
		func(map[types.UID]struct{}) bool { return false })
	_ = err // it only would have told more
}
