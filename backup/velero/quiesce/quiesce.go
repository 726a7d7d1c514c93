// Package quiesce keeps a restored copy from acting on the world: its workloads
// do not run unless they are to, and whatever they do, no traffic meant for the
// original reaches the copy and none of the copy's reaches out. It says so twice:
// to Velero as resource modifiers, and to the comparison as rules that expect just
// these changes. It talks to no cluster.
package quiesce

import (
	"context"
	"encoding/json"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// mark is the label and selector that nothing else has, and so nothing acts on.
const mark = "gameday.dev/quiesced"

// nobodysClass is a class of ingresses and gateways that no controller has. It is
// another word than mark, for a class is the name of an object: no slash can be in it.
const nobodysClass = "quiesced.gameday.dev"

// source is where the rules can be read up.
const source = "docs/experiments/veleroRestore.md#the-copy-does-nothing-to-the-world"

// Options say what is restored and how much of it may act.
type Options struct {
	// Namespace is the original's.
	Namespace string
	// Start lets workloads run; traffic is kept apart all the same.
	Start bool
	// Mounts says that volumes of the pod are restored otherwise than by files, from
	// snapshots; nil of no pod. Many a storage class makes a volume only when a pod is
	// to mount it.
	Mounts func(pod string) bool
}

func (o Options) mounts(pod string) bool { return o.Mounts != nil && o.Mounts(pod) }

// changes are all but those of pods, which each pod needs its own of.
func (o Options) changes() []change {
	if o.Start {
		return traffic()
	}
	return append(traffic(), workloads()...)
}

// Modifiers gives Velero's resource modifiers for what a backup holds, as the
// text of their ConfigMap.
func Modifiers(ctx context.Context, backup *contents.Contents, options Options) (string, error) {
	rules, err := modify(ctx, backup, options.Namespace, options.changes())
	if err != nil {
		return "", err
	}
	if !options.Start {
		pods, err := pods(ctx, backup, options)
		if err != nil {
			return "", err
		}
		rules = append(rules, pods...)
	}
	text, err := json.Marshal(modifiers{Version: "v1", Rules: rules})
	return string(text), err
}

// Rules expect what Modifiers changes, and nothing else.
func Rules(options Options) []objects.Rule {
	var rules []objects.Rule
	for _, c := range options.changes() {
		rules = append(rules, c.rule())
	}
	if !options.Start {
		rules = append(rules, podRules()...)
	}
	return rules
}
