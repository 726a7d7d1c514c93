package files

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/kube"
)

// ahead is how many entries a side may be ahead of the other.
const ahead = 1024

// removing bounds how long a comparison cleans up after itself; what it can't,
// Remove does.
const removing = 20 * time.Second

func compare(ctx context.Context, options Options) (result Result, err error) {
	if err := options.check(); err != nil {
		return result, err
	}
	r, err := start(ctx, options)
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), removing)
		defer cancel()
		err = errors.Join(err, r.remove(ending))
	}()
	if err != nil {
		return result, err
	}
	var problems []error
	for i, pair := range options.Pairs {
		found := PairResult{Source: pair.Source, Restored: pair.Restored, NotComparable: pair.notComparable(), Empty: pair.Empty}
		if found.NotComparable == "" {
			began := time.Now()
			err := r.compare(ctx, i, &found)
			found.Seconds = time.Since(began).Seconds()
			if err != nil {
				found.Error = err.Error()
				problems = append(problems, err)
			}
		}
		result.Pairs = append(result.Pairs, found)
		if ctx.Err() != nil {
			break
		}
	}
	return result, errors.Join(problems...)
}

func (o Options) check() error {
	if o.Image == "" {
		return errors.New("comparing volumes: no image is known for the pods that read them: set image in the Environment, or --image")
	}
	if o.Namespace == "" || o.RunID == "" {
		return errors.New("comparing volumes: no namespace for the readers, or no run to label them with")
	}
	for _, pair := range o.Pairs {
		if pair.notComparable() != "" {
			continue
		}
		if err := pair.check(); err != nil {
			return err
		}
	}
	return nil
}

// compare compares one pair: both sides are read at once.
func (r *readers) compare(ctx context.Context, index int, found *PairResult) error {
	pair := r.options.Pairs[index]
	source := newStream(r.options.Exec, r.pods[pair.Source.Node], pair.Source)
	restored := newStream(r.options.Exec, r.pods[pair.Restored.Node], pair.Restored)
	err := mergeStreams(ctx, source, restored, newJudge(pair, r.options.Examples, found), func() {
		if r.options.Progress != nil {
			r.options.Progress(Progress{Pair: index, Source: source.progress(found.InSource), Restored: restored.progress(found.InRestored)})
		}
	})
	if source.start.Remote {
		found.Notes = append(found.Notes, "the source is on a file server, whose clock its times are of: drift and loss are told apart as well as that agrees with the node's")
	}
	return r.explainPair(ctx, err, source, restored)
}

func mergeStreams(ctx context.Context, source, restored *stream, j judge, report func()) error {
	var group errgroup.Group
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	run := func(s *stream) <-chan told {
		lines := make(chan told, ahead)
		group.Go(func() error {
			err := s.run(ctx, lines)
			if err != nil {
				cancel(err) // the other side need not go on
			}
			return err
		})
		return lines
	}
	err := newMerger(j, run(source), run(restored), report).run(ctx)
	if err == nil {
		return group.Wait()
	}
	cause := context.Cause(ctx)
	cancel(err)
	if ran := group.Wait(); errors.Is(err, errCut) && ran != nil {
		return ran
	}
	if cause != nil {
		return cause
	}
	return err
}

// explainPair adds what the reader's pod says, where a stream broke because that is gone.
func (r *readers) explainPair(ctx context.Context, err error, streams ...*stream) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, s := range streams {
		if why := r.ended(ctx, s.reader); why != "" {
			return fmt.Errorf("%w: reader %s on node %s: %s", err, s.reader, s.volume.Node, why)
		}
	}
	return explainExec(err, r.options.Namespace)
}

// ended says why a reader does not run any more, empty when it does or nobody knows.
func (r *readers) ended(ctx context.Context, reader kube.PodRef) string {
	pod, err := r.options.Client.CoreV1().Pods(reader.Namespace).Get(ctx, reader.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), err == nil && pod.UID != reader.UID:
		return "it is gone: was its node lost?"
	case err != nil:
		return ""
	case kube.Finished(pod):
		return fmt.Sprintf("it has ended: %s %s", pod.Status.Reason, pod.Status.Message)
	default:
		return ""
	}
}

// explainExec adds the next step to a refusal.
func explainExec(err error, namespace string) error {
	if text := err.Error(); strings.Contains(text, "is forbidden") || strings.Contains(text, "403 Forbidden") {
		return fmt.Errorf("%w: allow create and get of pods/exec in namespace %s", err, namespace)
	}
	return err
}
