package quiesce

import (
	"context"
	"encoding/json"
	"slices"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// modify makes changes as Velero's resource modifiers: one for each resource, and
// one for each object that a change chooses.
func modify(ctx context.Context, backup *contents.Contents, namespace string, changes []change) ([]modifier, error) {
	var rules []modifier
	for _, target := range targets(changes) {
		ours := slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return !slices.Contains(c.of, target) })
		all, err := modifyAll(namespace, target, ours)
		if err != nil {
			return nil, err
		}
		chosen, err := modifyChosen(ctx, backup, namespace, target, ours)
		if err != nil {
			return nil, err
		}
		rules = append(rules, slices.Concat(all, chosen)...)
	}
	return rules, nil
}

// targets are all that changes are about, in their order.
func targets(changes []change) []target {
	var all []target
	for _, c := range changes {
		for _, target := range c.of {
			if !slices.Contains(all, target) {
				all = append(all, target)
			}
		}
	}
	return all
}

// modifyAll makes the changes that choose no object.
func modifyAll(namespace string, of target, changes []change) ([]modifier, error) {
	patch := map[string]any{}
	for _, c := range changes {
		if c.where == nil {
			patch = together(patch, c.patch(nil))
		}
	}
	if len(patch) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(patch)
	return []modifier{merge(namespace, of.resource(), string(text))}, err
}

// modifyChosen makes those that do.
func modifyChosen(ctx context.Context, backup *contents.Contents, namespace string, of target, changes []change) ([]modifier, error) {
	choosing := slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return c.where == nil })
	if len(choosing) == 0 {
		return nil, nil
	}
	var rules []modifier
	for object, err := range backup.Objects(ctx, objects.Resource{Group: of.group, Name: of.plural}) {
		if err != nil {
			return nil, err
		}
		patch := map[string]any{}
		for _, c := range choosing {
			if c.where(object.Object) {
				patch = together(patch, c.patch(object.Object))
			}
		}
		if len(patch) == 0 {
			continue
		}
		text, err := json.Marshal(patch)
		if err != nil {
			return nil, err
		}
		rules = append(rules, merge(namespace, of.resource(), string(text), object.GetName()))
	}
	return rules, nil
}
