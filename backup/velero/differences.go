package velero

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/verify/objects"
)

// mostShown bounds how many objects are shown line by line, longestShown how many bytes
// are of each: it is for people to look at.
const (
	mostShown    = 20
	longestShown = 64 << 10
)

// lossy is an object with losses.
type lossy struct {
	resource objects.Resource
	losses   []objects.Difference
}

// tellDifferences writes a file for people with what the backup holds and what was found
// of each object with a loss, line by line, and says in the rung where it is. No value of
// a Secret is in it. The verdict needs nothing of it.
func (c *climb) tellDifferences(ctx context.Context, found *backup.Rung) {
	if c.env.Artifacts == "" || c.compared.result.LossCount == 0 || ctx.Err() != nil {
		return
	}
	name := "objects-" + c.plan.Into + ".diff"
	text, shown, err := c.differences(ctx)
	if err == nil {
		err = os.WriteFile(filepath.Join(c.env.Artifacts, name), []byte(text), 0o600)
	}
	if err != nil {
		c.Progress("what differs can't be shown line by line: %v", err)
		return
	}
	found.Notes = append(found.Notes, fmt.Sprintf("%s in the run's directory shows %d of the objects with losses line by line",
		filepath.Join(filepath.Base(c.env.Artifacts), name), shown))
}

// differences gives the text of the file, and how many objects it shows.
func (c *climb) differences(ctx context.Context) (text string, shown int, err error) {
	all, err := c.lossyObjects(ctx)
	if err != nil {
		return "", 0, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What backup %s holds (-) and what was found (+): restored into %s or, where the backup itself is\n"+
		"# at fault, living in %s. Differences that a rule expects show too; what is lost stands above each\n"+
		"# object. Values of Secrets are not shown.\n", c.plan.Backup, c.plan.Into, c.plan.Source)
	for _, one := range all[:min(len(all), mostShown)] {
		shown++
		b.WriteString("\n")
		for _, loss := range one.losses {
			b.WriteString("# " + loss.String() + "\n")
		}
		b.WriteString(c.show(ctx, one))
	}
	if result := c.compared.result; len(all) > shown || result.LossCount > int64(len(result.Loss)) {
		fmt.Fprintf(&b, "\n# Not shown: %d more objects of the first %d losses; there are %d losses in all.\n", len(all)-shown, len(result.Loss), result.LossCount)
	}
	return b.String(), shown, nil
}

// lossyObjects are the objects of the losses that were kept, in their order.
func (c *climb) lossyObjects(ctx context.Context) ([]lossy, error) {
	known := map[string]objects.Resource{}
	for _, side := range []objects.Set{c.compared.comparison.Wanted, c.compared.comparison.Live} { // the living side last: it says what is served
		resources, err := side.Resources(ctx)
		if err != nil {
			return nil, err
		}
		for _, resource := range resources {
			known[resource.String()] = resource
		}
	}
	var all []lossy
	at := map[[3]string]int{}
	for _, loss := range c.compared.result.Loss {
		object := [3]string{loss.Resource, loss.Namespace, loss.Name}
		if _, there := at[object]; !there {
			at[object] = len(all)
			all = append(all, lossy{resource: known[loss.Resource]})
		}
		one := &all[at[object]]
		one.losses = append(one.losses, loss)
	}
	return all, nil
}

// show gives one object as a unified diff.
func (c *climb) show(ctx context.Context, one lossy) string {
	loss := one.losses[0]
	wanted, err := c.contents.Get(one.resource.String(), loss.Namespace, loss.Name)
	if err != nil {
		return "# it can't be shown: " + oneLine(err) + "\n"
	}
	found, err := c.counterpart(ctx, one.resource, loss)
	if err != nil {
		return "# it can't be shown: " + oneLine(err) + "\n"
	}
	if found != nil { // under the original's name, or that would differ in each
		found.SetNamespace(loss.Namespace)
		found.SetName(loss.Name)
	}
	text, _ := objects.Diff(one.resource, wanted, found)
	switch {
	case text == "":
		return "# by now it shows no difference\n"
	case len(text) > longestShown:
		return text[:strings.LastIndexByte(text[:longestShown], '\n')+1] + fmt.Sprintf("# cut: %d bytes in all\n", len(text))
	default:
		return text
	}
}

// counterpart is what an object of the backup was compared with when it was found lost;
// nil when there is none.
func (c *climb) counterpart(ctx context.Context, resource objects.Resource, loss objects.Difference) (*unstructured.Unstructured, error) {
	namespace, name := loss.Namespace, loss.Name
	if loss.What != objects.NotBackedUp && loss.What != objects.BackupAltered {
		if namespace == c.plan.Source {
			namespace = c.plan.Into
		}
		if isNamespaces(resource) && name == c.plan.Source {
			name = c.plan.Into
		}
	}
	all := c.env.Dynamic.Resource(schema.GroupVersionResource{Group: resource.Group, Version: resource.Version, Resource: resource.Name})
	object, err := all.Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return object, err
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
