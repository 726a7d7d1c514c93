package objects

import (
	"reflect"
	"regexp"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1alpha2 "k8s.io/api/coordination/v1alpha2"
	coordinationv1beta1 "k8s.io/api/coordination/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

// typeName is what a stored value calls its type.
type typeName struct{ apiVersion, kind string }

// knownType is a type of this build.
type knownType struct {
	typeName            // the build's own strings: no value is kept alive by them
	spare    *sync.Pool // of objects: the large ones cost as much to make as to read
}

// typed is an object that this build can unmarshal whole.
type typed interface {
	metav1.Object
	Reset()
	Unmarshal(data []byte) error
}

// fresh gives an empty object, which done takes back.
func (t *knownType) fresh() typed { return t.spare.Get().(typed) }

func (t *knownType) done(object typed) {
	object.Reset()
	t.spare.Put(object)
}

// knownTypes gives every type of client-go's scheme that can be stored.
func knownTypes() map[typeName]*knownType {
	types := map[typeName]*knownType{}
	object := reflect.TypeFor[typed]()
	for gvk, goType := range scheme.Scheme.AllKnownTypes() {
		if !reflect.PointerTo(goType).Implements(object) {
			continue // lists and options are never stored
		}
		name := typeName{gvk.GroupVersion().String(), gvk.Kind}
		types[name] = &knownType{typeName: name, spare: &sync.Pool{New: func() any { return reflect.New(goType).Interface() }}}
	}
	return types
}

// moment is the newest one that the object speaks of and its owner keeps current.
func moment(object typed) time.Time {
	switch o := object.(type) {
	case *coordinationv1.Lease:
		return instant(o.Spec.RenewTime)
	case *coordinationv1beta1.Lease:
		return instant(o.Spec.RenewTime)
	case *coordinationv1beta1.LeaseCandidate:
		return instant(o.Spec.RenewTime)
	case *coordinationv1alpha2.LeaseCandidate:
		return instant(o.Spec.RenewTime)
	case *corev1.Node:
		var newest time.Time
		for _, condition := range o.Status.Conditions {
			if at := condition.LastHeartbeatTime.Time; at.After(newest) {
				newest = at
			}
		}
		return newest
	}
	return time.Time{}
}

func instant(at *metav1.MicroTime) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.Time
}

// What names of types look like. Whatever does not look so is damage, and is
// not repeated in a message.
type shapes struct{ kind, group, version *regexp.Regexp }

func shapesOfNames() shapes {
	return shapes{
		kind:    regexp.MustCompile(`^[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$`),
		group:   regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$`),
		version: regexp.MustCompile(`^v[1-9][0-9]{0,3}((alpha|beta)[1-9][0-9]{0,3})?$`),
	}
}

// plausible says whether the name could be that of a type that this build has
// not heard of.
func (n typeName) plausible() bool {
	shapes := shapesOfNames()
	group, version := n.split()
	return shapes.kind.MatchString(n.kind) && shapes.group.MatchString(group) && shapes.version.MatchString(version)
}
