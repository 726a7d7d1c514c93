package nodedrain

import (
	"errors"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

func ref(name string) kube.PodRef {
	return kube.PodRef{Namespace: "shop", Name: name, UID: types.UID("uid-" + name)}
}

func TestAdmit(t *testing.T) {
	look := func(name string, class class) resident {
		return resident{pod: ref(name), node: "n1", class: class, why: "no controller brings it back"}
	}
	d := &drain{
		spec:    &Spec{},
		env:     testEnv(),
		tracker: newTracker([]cordon{{Name: "n1"}}),
		planned: map[types.UID]bool{"uid-planned": true},
		handled: map[types.UID]bool{"uid-handled": true},
		pods:    1,
	}
	d.env.Limits.MaxPods = value("2")
	d.tracker.nodes["n1"] = map[types.UID]resident{}
	for _, r := range []resident{
		look("planned", evict), look("handled", evict), look("going", leaving),
		look("late-1", evict), look("late-2", evict), look("late-bare", refused),
	} {
		d.tracker.nodes["n1"][r.pod.UID] = r
	}
	admitted, kept := d.admit()
	var names []string
	for _, r := range admitted {
		names = append(names, r.pod.Name)
	}
	// One more fits below the limit, the next does not.
	if want := []string{"late-1", "planned"}; !slices.Equal(names, want) {
		t.Errorf("admitted %v, want %v", names, want)
	}
	if want := []string{"shop/late-2 (limits.maxPods allows no more)", "shop/late-bare (no controller brings it back)"}; !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
}

func TestOutcome(t *testing.T) {
	evicted := kube.Eviction{Pod: ref("a"), Asked: true, Last: kube.Answer{Kind: kube.Evicted}}
	hold := kube.Answer{Kind: kube.BudgetHolds, Budget: "web", Words: "needs 2 healthy, has 2"}
	held := kube.Eviction{Pod: ref("b"), Asked: true, Last: hold, Held: &hold, Waited: 40 * time.Second}
	waited := held
	waited.Last, waited.Waited = kube.Answer{Kind: kube.Evicted}, 18*time.Second
	several := kube.Eviction{Pod: ref("c"), Asked: true, Last: kube.Answer{Kind: kube.SeveralBudgets}}
	denied := kube.Eviction{Pod: ref("d"), Asked: true, Last: kube.Answer{Kind: kube.Refused, Words: "denied by policy"}}
	jammed := resident{pod: ref("a"), class: leaving, finalizers: []string{"example.com/hold"}}
	slow := resident{pod: ref("a"), class: leaving, grace: 300}

	tests := map[string]struct {
		drain    drain
		expect   string
		state    journal.State
		expected bool
		summary  string
	}{
		"drained": {drain{evictions: []kube.Eviction{evicted, waited}}, "", journal.Done, true,
			"n1 drained in 41s: 2 pods evicted, 1 waited 18s for PDB shop/web"},
		"drained, though it should not": {drain{evictions: []kube.Eviction{evicted}}, ExpectBlocked, journal.Done, false,
			"n1 drained in 41s: 1 pod evicted"},
		"held": {drain{evictions: []kube.Eviction{evicted, held}, end: errTimeout}, "", journal.Blocked, false,
			"n1 not drained after 41s: 1 pod evicted, 1 waited 40s for PDB shop/web; shop/b held back: PDB shop/web needs 2 healthy, has 2"},
		"held as expected": {drain{evictions: []kube.Eviction{held}, end: errTimeout}, ExpectBlocked, journal.Blocked, true,
			"n1 not drained after 41s: 0 pods evicted, 1 waited 40s for PDB shop/web; shop/b held back: PDB shop/web needs 2 healthy, has 2"},
		"several budgets": {drain{evictions: []kube.Eviction{several}}, "", journal.Blocked, false,
			"n1 not drained after 41s: 0 pods evicted; shop/c held back: more than one PodDisruptionBudget selects it, which the eviction API does not support"},
		"denied": {drain{evictions: []kube.Eviction{held, denied}}, ExpectBlocked, journal.Failed, false,
			"n1 not drained after 41s: 0 pods evicted, 1 waited 40s for PDB shop/web; shop/b held back: PDB shop/web needs 2 healthy, has 2; shop/d can't be evicted: denied by policy"},
		"finalizers": {drain{evictions: []kube.Eviction{evicted}, left: []resident{jammed}, end: errTimeout}, "", journal.Failed, false,
			"n1 not drained after 41s: 1 pod evicted; shop/a waits for its finalizers example.com/hold"},
		"long grace": {drain{evictions: []kube.Eviction{evicted}, left: []resident{slow}, end: errTimeout}, "", journal.Failed, false,
			"n1 not drained after 41s: 1 pod evicted; shop/a is still terminating (grace period 300s)"},
		"volumes": {drain{evictions: []kube.Eviction{evicted}, attached: []string{"pv-1 on n1"}, end: errTimeout}, "", journal.Failed, false,
			"n1 not drained after 41s: 1 pod evicted; still attached: volume pv-1 on n1"},
		"came after the plan": {drain{kept: []string{"shop/x (limits.maxPods allows no more)"}}, "", journal.Failed, false,
			"n1 not drained after 41s: 0 pods evicted; came after the plan and stays: shop/x (limits.maxPods allows no more)"},
		"came meanwhile": {drain{evictions: []kube.Eviction{evicted}, left: []resident{{pod: ref("x")}}}, "", journal.Done, true,
			"n1 drained in 41s: 1 pod evicted, came meanwhile and not chased: shop/x"},
		"never seen": {drain{end: errors.New("the drain's timeout has passed")}, "", journal.Failed, false,
			"n1 not drained after 41s: 0 pods evicted; the drain's timeout has passed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.drain.spec = &Spec{Expect: test.expect}
			test.drain.own.Nodes = []cordon{{Name: "n1"}}
			got := test.drain.outcome(41 * time.Second)
			if got.State != test.state || got.Expected != test.expected || got.Summary != test.summary {
				t.Errorf("got  %+v\nwant %s %v %s", got, test.state, test.expected, test.summary)
			}
		})
	}
}
