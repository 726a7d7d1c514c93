package velero

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

var errNothingToAlter = errors.New("no restored object has a field that could be changed without harm")

// mostControls bounds how many objects are tried: some refuse to be changed.
const mostControls = 20

// control is the last rung: one restored object is changed by the smallest amount,
// and the same comparison must find that, in that object. A comparison that could not
// fail would prove nothing by passing.
func (c *climb) control(ctx context.Context) backup.Rung {
	if c.compared == nil {
		return backup.Unsure("nothing was compared")
	}
	random := rand.New(rand.NewPCG(c.plan.Seed, 0))
	candidates := slices.Clone(c.compared.result.Candidates)
	random.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	why := errNothingToAlter
	for _, candidate := range candidates[:min(len(candidates), mostControls)] {
		what, err := c.alter(ctx, candidate, random)
		if err != nil {
			why = err
			continue
		}
		return c.look(ctx, candidate, what)
	}
	return backup.Unsure("the comparison could not be tried: %v", why)
}

// alter changes one object of the scratch namespace.
func (c *climb) alter(ctx context.Context, candidate objects.Candidate, random *rand.Rand) (string, error) {
	if candidate.Namespace != c.plan.Into {
		return "", fmt.Errorf("%s %s is not in the scratch namespace", candidate.Resource.Kind, candidate.Name)
	}
	r := candidate.Resource
	all := c.env.Dynamic.Resource(schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name}).Namespace(candidate.Namespace)
	object, err := all.Get(ctx, candidate.Name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	altered, what, ok := objects.Alter(object, random)
	if !ok || strings.Contains(what, velero.Group) { // what Velero wrote was not backed up
		return "", errNothingToAlter
	}
	if _, err := all.Update(ctx, altered, metav1.UpdateOptions{}); err != nil {
		return "", fmt.Errorf("changing %s %s: %w", r.Kind, candidate.Name, err)
	}
	return what, nil
}

// keptByControl is enough differences to have the one that is looked for among them.
const keptByControl = 10_000

// look compares the resource again. What differs in another field was not made by the
// control, and says nothing of what the comparison sees.
func (c *climb) look(ctx context.Context, candidate objects.Candidate, what string) backup.Rung {
	again := c.compared.comparison
	again.Only, again.Keep = &candidate.Resource, keptByControl
	result, err := again.Run(ctx)
	if err != nil {
		return backup.Unsure("comparing again: %v", err)
	}
	changed := fmt.Sprintf("%s %s, %s", candidate.Resource.Kind, candidate.Name, what)
	at := what[:max(0, strings.LastIndex(what, ": "))] // the field alone, without the byte
	own := func(loss objects.Difference) bool {
		if loss.Resource != candidate.Resource.String() || loss.Name != candidate.Name {
			return false
		}
		switch loss.What {
		case objects.Changed:
			return loss.Path == at
		case objects.Extra: // what only the copy has, such as what was set aside, or all of the map that it is in
			return loss.Path == at || strings.HasPrefix(at, loss.Path+"[")
		default:
			return false
		}
	}
	before := slices.ContainsFunc(c.compared.result.Loss, own)
	switch {
	case !before && slices.ContainsFunc(result.Loss, own):
		return backup.Held("the comparison sees a change made on purpose: %s", changed)
	case before || result.LossCount > int64(len(result.Loss)):
		return backup.Unsure("whether the comparison sees a change made on purpose can't be told among %d losses: %s", result.LossCount, changed)
	default:
		return backup.Broken("the comparison is blind: it does not see a change made on purpose: %s", changed)
	}
}
