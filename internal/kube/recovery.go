package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Recovery is the way back of workloads that lost pods: every pod taken is
// gone for good, and each workload has as many Ready pods as before, with
// other UIDs.
type Recovery struct {
	Client    kubernetes.Interface
	Workloads []Workload
	// Taken are the pods the fault meant to take. One that is still there and
	// well was never taken and counts like any other.
	Taken []PodRef
	// Strays says that some of Taken belong to none of the workloads.
	Strays bool
	// Newest is when the youngest pod of the workloads was created before the
	// fault. Ready pods younger than that are named as replacements; with a zero
	// time they are only counted.
	Newest metav1.Time
}

// Recovered says how far the workloads have come.
type Recovered struct {
	// Whole is true when nothing is missing.
	Whole bool
	// Replacements are the Ready pods that were not there before, sorted.
	Replacements []string
	// Missing says what is still awaited: "Deployment shop/web has 1 of 3 Ready".
	Missing []string
}

// Wait watches until everything is whole or ctx ends; it asks nothing
// repeatedly. The error is about seeing, not about recovering: when ctx ends
// first, Wait returns what is missing and no error.
func (r Recovery) Wait(ctx context.Context) (Recovered, error) {
	spaces := r.byNamespace()
	results := make([]Recovered, len(spaces))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, space := range spaces {
		group.Go(func() error {
			err := Follow(groupCtx, r.Client.CoreV1().Pods(space.name), FollowOptions{LabelSelector: space.selector()},
				space.keep, func(view map[types.UID]podState) bool {
					results[i] = space.compare(view)
					return results[i].Whole
				})
			if ctx.Err() != nil {
				return nil //nolint:nilerr // time is up: what is missing is the answer
			}
			if err != nil {
				return fmt.Errorf("watching pods in %s: %w", space.name, err)
			}
			return nil
		})
	}
	err := group.Wait()
	total := Recovered{Whole: err == nil}
	for i, result := range results {
		if !result.Whole && len(result.Missing) == 0 { // ctx ended before the first look
			result.Missing = []string{"the pods of namespace " + spaces[i].name + " could not be seen"}
		}
		total.Whole = total.Whole && result.Whole
		total.Replacements = append(total.Replacements, result.Replacements...)
		total.Missing = append(total.Missing, result.Missing...)
	}
	slices.Sort(total.Replacements)
	return total, err
}

func (r Recovery) byNamespace() []*recoverySpace {
	var spaces []*recoverySpace
	space := func(name string) *recoverySpace {
		for _, s := range spaces {
			if s.name == name {
				return s
			}
		}
		s := &recoverySpace{name: name, taken: map[types.UID]PodRef{}, newest: r.Newest, strays: r.Strays}
		spaces = append(spaces, s)
		return s
	}
	for _, workload := range r.Workloads {
		s := space(workload.Namespace)
		selector, err := labels.Parse(workload.Selector)
		if err != nil || workload.Selector == "" {
			selector = labels.Nothing()
		}
		s.workloads = append(s.workloads, workload)
		s.selectors = append(s.selectors, selector)
	}
	for _, pod := range r.Taken {
		space(pod.Namespace).taken[pod.UID] = pod
	}
	return spaces
}

// recoverySpace is the recovery within one namespace.
type recoverySpace struct {
	name      string
	workloads []Workload
	selectors []labels.Selector // same order
	taken     map[types.UID]PodRef
	newest    metav1.Time
	strays    bool
}

// podState is all that recovery needs to remember of a pod.
type podState struct {
	name     string
	workload int // index, or -1 for a pod that nothing brings back
	ready    bool
	leaving  bool
	created  metav1.Time
}

// selector narrows the watch where the API server can do it for us; otherwise
// one watch of the namespace is cheaper than one for each workload.
func (s *recoverySpace) selector() string {
	if len(s.workloads) == 1 && !s.strays {
		return s.workloads[0].Selector
	}
	return ""
}

func (s *recoverySpace) keep(pod *corev1.Pod) (podState, bool) {
	state := podState{name: pod.Name, workload: -1, ready: Ready(pod), leaving: Terminating(pod), created: pod.CreationTimestamp}
	for i, workload := range s.workloads {
		if workload.owns(pod, s.selectors[i]) {
			state.workload = i
			break
		}
	}
	_, taken := s.taken[pod.UID]
	return state, taken || state.workload >= 0
}

func (s *recoverySpace) compare(view map[types.UID]podState) Recovered {
	var result Recovered
	ready := make([]int, len(s.workloads))
	for uid, pod := range view {
		_, taken := s.taken[uid]
		switch {
		case taken && pod.leaving:
			result.Missing = append(result.Missing, s.name+"/"+pod.name+" is still terminating")
		case pod.ready && pod.workload >= 0:
			ready[pod.workload]++
			if !s.newest.IsZero() && s.newest.Before(&pod.created) {
				result.Replacements = append(result.Replacements, pod.name)
			}
		}
	}
	for i, workload := range s.workloads {
		if ready[i] < workload.Ready {
			result.Missing = append(result.Missing, fmt.Sprintf("%s has %d of %d Ready", workload, ready[i], workload.Ready))
		}
	}
	slices.SortFunc(result.Missing, strings.Compare)
	result.Whole = len(result.Missing) == 0
	return result
}
