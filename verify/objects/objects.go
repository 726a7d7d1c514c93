// Package objects compares sets of Kubernetes objects: what a backup holds with
// what was restored, and with the original as it is now. Each difference gets a
// label, and an unknown one is a loss until a rule says otherwise.
//
// It knows what Kubernetes itself does to an object that is created anew; what
// the tool does that restored it, its caller has to say in rules of its own. It
// reads objects through Set alone, judges no run, and shows no value of a
// Secret to anybody.
package objects

import (
	"context"
	"iter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource is one resource of the API.
type Resource struct {
	Group   string // "apps", "" for the core group
	Version string // "v1"
	Name    string // the plural in URLs: "deployments"
	Kind    string // "Deployment"
	// Namespaced says that its objects live in namespaces.
	Namespaced bool
	// PlainStatus says that status is no subresource of it, so that it is part of
	// what was declared and is compared. Of Kubernetes' own resources those without
	// that subresource have no status; custom resources may have one.
	PlainStatus bool
}

// String names the resource as kubectl does: "deployments.apps", "pods".
func (r Resource) String() string { return qualified(r.Name, r.Group) }

// kindName names the kind as Rule.Kinds does: "Deployment.apps", "Pod".
func (r Resource) kindName() string { return qualified(r.Kind, r.Group) }

// isSecret says that no value of its objects may be shown. Either name is enough,
// since the other may be what a forged backup says of itself.
func (r Resource) isSecret() bool {
	return r.Group == "" && (r.Name == "secrets" || r.Kind == "Secret")
}

func (r Resource) gvk() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

func qualified(name, group string) string {
	if group == "" {
		return name
	}
	return name + "." + group
}

// Set is one side of a comparison.
type Set interface {
	// Resources lists what this side can hold, in any order, each resource in one
	// version only.
	Resources(ctx context.Context) ([]Resource, error)
	// Objects yields every object of the resource, sorted by namespace, then by
	// name, bytewise, and exactly once. An error ends it. What was yielded is the
	// receiver's: the Set must not change it afterwards.
	Objects(ctx context.Context, r Resource) iter.Seq2[*unstructured.Unstructured, error]
}

// place is where an object is; Namespace is empty for those that are in none.
type place struct{ namespace, name string }

func placeOf(o *unstructured.Unstructured) place {
	metadata, _ := o.Object["metadata"].(map[string]any)
	return place{namespace: textOf(metadata["namespace"]), name: textOf(metadata["name"])}
}

// before is the order of Set.Objects.
func (p place) before(other place) bool {
	if p.namespace != other.namespace {
		return p.namespace < other.namespace
	}
	return p.name < other.name
}

// String gives it as people write it: "shop/web", or "web".
func (p place) String() string {
	if p.namespace == "" {
		return p.name
	}
	return p.namespace + "/" + p.name
}

// textOf gives a value that ought to be a string; "" when it is none.
func textOf(value any) string {
	text, _ := value.(string)
	return text
}
