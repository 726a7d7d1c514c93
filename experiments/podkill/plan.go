package podkill

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
)

// data is the experiment's own part of the plan: what has to come back.
type data struct {
	Workloads []kube.Workload `json:"workloads"`
	// Strays says that some of the pods belong to none of the workloads.
	Strays bool `json:"strays,omitempty"`
	// Newest is when the youngest pod that the selector matches was created;
	// whatever is younger is a replacement.
	Newest metav1.Time `json:"newest"`
}

// Plan chooses the pods. It refuses when it can't take exactly as many as the
// step asks for.
func (s *Spec) Plan(ctx context.Context, env experiments.Env) (experiments.Plan, error) {
	if err := env.Limits.AllowNamespace(s.Namespace); err != nil {
		return experiments.Plan{}, err
	}
	matched, err := s.match(ctx, env)
	if err != nil {
		return experiments.Plan{}, err
	}
	chosen, err := s.choose(env, matched)
	if err != nil {
		return experiments.Plan{}, err
	}
	if err := env.Limits.AllowPods(len(chosen), matched.alive()); err != nil {
		return experiments.Plan{}, err
	}

	plan := experiments.Plan{Pods: len(chosen), Matched: matched.alive()}
	own := data{Newest: matched.newest}
	for _, pod := range chosen {
		plan.Targets = append(plan.Targets, journal.Target{
			Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID), Node: pod.Spec.NodeName,
		})
		own.Strays = own.Strays || kube.Stray(pod)
		if metav1.GetControllerOf(pod) == nil {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s has no controller: nothing will bring it back", kube.RefOf(pod)))
		}
	}
	plan.Notes = append(plan.Notes, fmt.Sprintf("takes %d of %d candidates%s", len(chosen), len(matched.candidates), matched.leftOut()))
	if s.method() == MethodEvict {
		if err := s.forecast(ctx, env, chosen, &plan); err != nil {
			return experiments.Plan{}, err
		}
	}
	if own.Workloads, err = kube.Workloads(ctx, env.Client, chosen); err != nil {
		return experiments.Plan{}, err
	}
	return plan, plan.SetData(own)
}

// choose draws from the candidates in the order of their names, so that a seed
// gives the same pods whatever order the API server lists them in.
func (s *Spec) choose(env experiments.Env, matched matched) ([]*corev1.Pod, error) {
	candidates := slices.SortedFunc(slices.Values(matched.candidates), func(a, b *corev1.Pod) int {
		return strings.Compare(a.Name, b.Name)
	})
	count, err := kube.Count(s.Count, len(candidates))
	if err != nil {
		return nil, err
	}
	if count > len(candidates) || len(candidates) == 0 {
		var names []string
		for _, pod := range candidates {
			names = append(names, pod.Name)
		}
		reason := fmt.Sprintf("%q in namespace %s matches %d candidates, the step wants %d", s.Selector, s.Namespace, len(candidates), count)
		if len(names) > 0 {
			reason += ": " + strings.Join(names, ", ")
		}
		return nil, refusal.New("lower count, widen the selector, or wait until more pods run", "%s%s", reason, matched.leftOut())
	}
	if count == len(candidates) {
		return candidates, nil
	}
	env.Rand.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	return candidates[:count], nil
}

// forecast adds what the budgets would say, and refuses pods that can't be evicted at all.
func (s *Spec) forecast(ctx context.Context, env experiments.Env, pods []*corev1.Pod, plan *experiments.Plan) error {
	budgets, err := kube.ListBudgets(ctx, env.Client, s.Namespace)
	if err != nil {
		return err
	}
	forecast, err := kube.ForecastEvictions(ctx, env.Client, budgets, pods)
	if err != nil {
		return err
	}
	plan.Notes = append(plan.Notes, forecast.Notes...)
	plan.Warnings = append(plan.Warnings, forecast.Warnings...)
	if len(forecast.Impossible) == 0 {
		return nil
	}
	why := "more than one PodDisruptionBudget selects " + strings.Join(forecast.Impossible, ", ")
	if s.Expect == ExpectBlocked {
		plan.Warnings = append(plan.Warnings, why)
		return nil
	}
	return refusal.New("the eviction API supports one budget for each pod: narrow the budgets' selectors, or use method: delete", "%s", why)
}

// matched is what the selector matches, and why some of it is no candidate.
type matched struct {
	candidates  []*corev1.Pod
	excluded    int
	terminating int
	finished    int
	static      int // mirror pods: deleting one kills nothing
	newest      metav1.Time
}

// alive counts the pods a blast radius in percent refers to. Pods that are on
// their way out, or finished long ago, would only make it larger.
func (m matched) alive() int { return len(m.candidates) + m.excluded }

// leftOut says what matched and is no candidate, as the end of a sentence.
func (m matched) leftOut() string {
	var parts []string
	for _, part := range []struct {
		count int
		what  string
	}{{m.terminating, "terminating"}, {m.finished, "finished"}, {m.static, "static"}, {m.excluded, "excluded"}} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (left out: " + strings.Join(parts, ", ") + ")"
}

func (s *Spec) match(ctx context.Context, env experiments.Env) (matched, error) {
	exclude := labels.Nothing()
	if s.Exclude != "" {
		var err error
		if exclude, err = labels.Parse(s.Exclude); err != nil {
			return matched{}, fmt.Errorf("reading exclude %q: %w", s.Exclude, err)
		}
	}
	selector, err := labels.Parse(s.Selector)
	if err != nil {
		return matched{}, fmt.Errorf("reading selector %q: %w", s.Selector, err)
	}
	var found matched
	seen := map[string]bool{}
	_, err = kube.Each(ctx, env.Client.CoreV1().Pods(s.Namespace), metav1.ListOptions{LabelSelector: selector.String()}, func(pod *corev1.Pod) error {
		if seen[string(pod.UID)] {
			return nil
		}
		seen[string(pod.UID)] = true
		if found.newest.Before(&pod.CreationTimestamp) {
			found.newest = pod.CreationTimestamp
		}
		switch {
		case kube.Mirror(pod):
			found.static++
		case kube.Terminating(pod):
			found.terminating++
		case kube.Finished(pod):
			found.finished++
		case exclude.Matches(labels.Set(pod.Labels)):
			found.excluded++
		default:
			found.candidates = append(found.candidates, pod)
		}
		return nil
	})
	if err != nil {
		return matched{}, fmt.Errorf("listing pods in %s: %w", s.Namespace, err)
	}
	if len(seen) == 0 {
		return matched{}, s.matchesNothing(ctx, env, selector)
	}
	return found, nil
}
