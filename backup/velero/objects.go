package velero

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify/objects"
)

// eventCompared is what the comparison of objects found, for people and tools; the
// rung is what is judged.
const eventCompared = "velero.compared" // payload objects.Result

// mostNotes bounds how many notes a rung that holds tells.
const mostNotes = 5

// kept is how many differences of each label are kept in the record.
const kept = 50

// compared is a comparison that can be made again.
type compared struct {
	comparison objects.Comparison
	result     objects.Result
}

// compareObjects is the rung that looks at every object on three sides.
func (c *climb) compareObjects(ctx context.Context) backup.Rung {
	comparison, err := c.comparison(ctx)
	if err != nil {
		return blame(err)
	}
	result, err := comparison.Run(ctx)
	c.compared = &compared{comparison, result}
	c.env.Record.Record(eventCompared, result)
	c.Found(backup.Found{Counts: wantedCounts(result)})
	if err != nil {
		found := backup.Unsure("%v", err)
		if result.LossCount > 0 { // what was found until then is lost whatever the rest is like
			found = weigh(result)
		}
		tellUnlisted(&found, c.unlisted)
		return found
	}
	found := weigh(result)
	tellUnlisted(&found, c.unlisted)
	if c.spec.Canary != nil {
		if at, err := c.canary(ctx); err != nil {
			found.Verdict = backup.Broken("").Verdict
			found.Problems = append(found.Problems, err.Error())
			found.ProblemCount++
		} else {
			source := fmt.Sprintf("canary in ConfigMap %s", c.spec.Canary.ConfigMap)
			c.Found(backup.Found{At: at, AtSource: source})
		}
	}
	return found
}

// weigh says what a comparison means.
func weigh(result objects.Result) backup.Rung {
	expected := int64(0)
	for _, n := range result.Expected {
		expected += n
	}
	if result.LossCount > 0 {
		found := backup.Broken("%d losses; %d objects came back as they were backed up", result.LossCount, result.Equal)
		for _, loss := range result.Loss[:min(len(result.Loss), mostProblems)] {
			found.Problems = append(found.Problems, loss.String())
		}
		found.ProblemCount = result.LossCount
		return found
	}
	if result.Objects == 0 || result.Equal == 0 {
		return backup.Unsure("no object could be compared")
	}
	found := backup.Held("%d objects in %d resources came back as they were backed up; %d differences are expected by rule, %d are changes of the original since",
		result.Equal, len(wantedCounts(result)), expected, result.DriftCount)
	for _, note := range result.Notes[:min(len(result.Notes), mostNotes)] {
		found.Problems = append(found.Problems, "note: "+note.String())
	}
	return found
}

func wantedCounts(result objects.Result) map[string]int64 {
	counts := map[string]int64{}
	for resource, count := range result.Counts {
		if count.Wanted > 0 {
			counts[resource] = count.Wanted
		}
	}
	return counts
}

// comparison sets the three sides up.
func (c *climb) comparison(ctx context.Context) (objects.Comparison, error) {
	wanted, err := c.contents.Resources(ctx)
	if err != nil {
		return objects.Comparison{}, err
	}
	served, err := discover(c.env.Client.Discovery())
	if err != nil {
		return objects.Comparison{}, err
	}
	if err := served.agree(wanted); err != nil {
		return objects.Comparison{}, err
	}
	served.mark(wanted)
	of := served.compared(wanted)
	if c.unlisted, err = c.mayNotList(ctx, of); err != nil {
		return objects.Comparison{}, err
	}
	wanted, of = without(wanted, c.unlisted), without(of, c.unlisted)
	tell := backup.NowAndThen(func(n int64) { c.Progress("%d objects compared", n) })
	return objects.Comparison{
		Wanted:      known{c.contents, wanted},
		Found:       side{objects.Listed{Client: c.env.Dynamic, Namespaces: []string{c.plan.Into}, Of: namespaced(of)}, c.plan.Into},
		Live:        side{objects.Listed{Client: c.env.Dynamic, Namespaces: []string{c.plan.Source}, Of: of}, c.plan.Source},
		Namespaces:  map[string]string{c.plan.Source: c.plan.Into},
		Rules:       rulesOf(c.env.RunID, c.plan.Own, c.plan.Backup, c.quiescing()),
		TakenAt:     takenAt(c.backup),
		NotRestored: c.spec.notRestored,
		WhyMissing:  whyMissing,
		NotBackedUp: c.scope().leftOut,
		Keep:        kept,
		Progress:    tell,
	}, nil
}

// takenAt is when the backup began by the clock of the API server. A backup that was
// made here was created just before it began; one that was synchronized from the
// object store was created later, and there Velero's own clock has to do.
func takenAt(b *velerov1.Backup) time.Time {
	at := b.CreationTimestamp.Time
	if start := b.Status.StartTimestamp; start != nil && start.Time.Before(at) {
		at = start.Time
	}
	return at
}

// canary reads the moment of the newest write that was restored.
func (c *climb) canary(ctx context.Context) (time.Time, error) {
	canary := c.spec.Canary
	object, err := c.env.Client.CoreV1().ConfigMaps(c.plan.Into).Get(ctx, canary.ConfigMap, metav1.GetOptions{})
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the canary: %w", err)
	}
	text := strings.TrimSpace(object.Data[canary.Key])
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 1e9 && seconds < 1e11 {
		return time.UnixMilli(int64(seconds * 1e3)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("reading the canary: key %s of ConfigMap %s holds no moment (RFC 3339, or seconds since 1970)", canary.Key, canary.ConfigMap)
}

// scope is what the backup was to hold.
type scope struct{ spec velerov1.BackupSpec }

func (c *climb) scope() scope { return scope{c.backup.Spec} }

// leftOut says why a living object is not expected in the backup; empty when it is.
func (s scope) leftOut(resource objects.Resource, object *unstructured.Unstructured) string {
	switch {
	case !resource.Namespaced && resource.Kind != "Namespace":
		return "of the cluster: a backup of namespaces holds what they refer to"
	case object.GetLabels()[velerov1.ExcludeFromBackupLabel] == "true":
		return "labelled " + velerov1.ExcludeFromBackupLabel
	case object.GetDeletionTimestamp() != nil:
		return "being deleted, which Velero does not back up"
	case resource.Kind == "Event":
		return "events come and go"
	case !s.includes(resource):
		return "the backup's own resource filter"
	case !s.selects(object):
		return "the backup's own label selector"
	default:
		return ""
	}
}

// includes applies the filters of resources, the older ones and those by scope.
func (s scope) includes(resource objects.Resource) bool {
	excluded := slices.Concat(s.spec.ExcludedResources, s.spec.ExcludedNamespaceScopedResources)
	included := slices.Concat(s.spec.IncludedResources, s.spec.IncludedNamespaceScopedResources)
	names := func(name string) bool {
		name = strings.ToLower(name)
		return name == "*" || name == resource.String() || name == resource.Name || name == strings.ToLower(resource.Kind)
	}
	return !slices.ContainsFunc(excluded, names) && (len(included) == 0 || slices.ContainsFunc(included, names))
}

func (s scope) selects(object *unstructured.Unstructured) bool {
	if s.spec.LabelSelector == nil && len(s.spec.OrLabelSelectors) == 0 {
		return true
	}
	for _, one := range append(slices.Clone(s.spec.OrLabelSelectors), s.spec.LabelSelector) {
		if one == nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(one)
		if err == nil && selector.Matches(labelSet(object.GetLabels())) {
			return true
		}
	}
	return false
}
