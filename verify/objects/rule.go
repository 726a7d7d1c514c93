package objects

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Rule says of a difference that it is expected, and why.
type Rule struct {
	// Name is what Result.Expected counts by: "service: allocated addresses".
	Name string
	// Kinds are those it is about: "Pod", "Deployment.apps", or "*" for all.
	Kinds []string
	// Path is the field that may differ, with everything below it:
	//
	//	metadata.uid
	//	spec.ports[*].nodePort                           each item of a list
	//	spec.template.spec.containers[name=web].image    the item with that key
	//	metadata.labels[batch.kubernetes.io/job-name]    a key with dots in it
	//	metadata.annotations[deployment.kubernetes.io/*] * stands for any text within one step
	//	{pod}.nodeName                                   the PodSpec of a Pod, or of the template of a workload
	//	{podMetadata}.labels                             the metadata beside it
	//	{podContainer}.image                             each of its containers, init containers and ephemeral containers
	//
	// The empty path is the object itself: see What.
	Path string
	// What are the kinds of difference that it is about: what happened to the value
	// at Path itself. Whatever differs below a value that both sides have is to it a
	// change. Empty means Changed, Missing, Extra and Order. To expect a whole
	// object to be missing, extra, not backed up, gone, new or recreated, leave Path
	// empty and say so here. Such a rule is about fields only when it also says
	// Changed (or Moved, BackupAltered), and then about all of them.
	What []string
	// When decides by the case; nil is always.
	When func(Case) bool
	// Why is for people: "the scheduler chose another node".
	Why string
	// Source is where that can be read up: a URL, or a file of Kubernetes.
	Source string

	// settle is for rules that need to know other objects, and are decided when
	// all have been read.
	settle settle
	// silent is for references that a controller writes anew: nobody needs to know.
	silent bool
}

// Case is a difference that a rule is asked about.
type Case struct {
	Resource Resource
	// Wanted and Found are the values at the rule's own path, nil where there is none.
	Wanted, Found any
	// WantedObject and FoundObject are the whole objects; one of them is nil when
	// the object itself is missing or extra.
	WantedObject, FoundObject *unstructured.Unstructured
	// Namespaces are those of the comparison: of the original to restored.
	Namespaces map[string]string
}

// Mapped says that Found is what the mapping of namespaces makes of Wanted.
func (c Case) Mapped() bool {
	wanted, ok := c.Wanted.(string)
	if !ok {
		return false
	}
	found, ok := c.Found.(string)
	target, mapped := c.Namespaces[wanted]
	return ok && mapped && found == target
}

// about says whether the rule is about objects of that kind.
func (r *Rule) about(kind string) bool {
	return slices.Contains(r.Kinds, kind) || slices.Contains(r.Kinds, "*")
}

// covers says whether the rule is about that sort of difference.
func (r *Rule) covers(what string) bool {
	if len(r.What) > 0 {
		return slices.Contains(r.What, what)
	}
	switch what {
	case Changed, Missing, Extra, Order:
		return r.Path != ""
	default:
		return false
	}
}
