package objects

import (
	"fmt"
	"maps"
	"slices"
)

// mapping leads from namespaces of the original to those that were restored,
// and back.
type mapping struct {
	there map[string]string
	back  map[string]string
	// names is Comparison.Names.
	names func(Resource) map[string]string
	// moved says that some namespace is restored under another name.
	moved bool
}

func newMapping(namespaces map[string]string) (mapping, error) {
	m := mapping{there: namespaces, back: map[string]string{}}
	for _, original := range slices.Sorted(maps.Keys(namespaces)) {
		restored := namespaces[original]
		if other, twice := m.back[restored]; twice {
			return m, fmt.Errorf("namespaces %s and %s are both restored into %s: their objects can't be told apart", other, original, restored)
		}
		m.back[restored] = original
		m.moved = m.moved || original != restored
	}
	return m, nil
}

// original gives the namespace of the original that objects of a restored one
// belong to.
func (m mapping) original(restored string) string {
	if from, ok := m.back[restored]; ok {
		return from
	}
	return restored
}

// renamed gives the names that objects of a resource have in the original, by
// those that they were restored under.
func (m mapping) renamed(r Resource) map[string]string {
	if m.names == nil {
		return nil
	}
	return m.names(r)
}

// fromFound says where an object that was found belongs in the original.
func (m mapping) fromFound(r Resource) func(place) (place, error) {
	names := m.renamed(r)
	return func(p place) (place, error) {
		if name, ok := names[p.name]; ok {
			p.name = name
		}
		if isNamespace(r) {
			p.name = m.original(p.name)
		}
		p.namespace = m.original(p.namespace)
		return p, nil
	}
}

// fromOriginal makes sure that an object of the original has a place of its
// own among the restored.
func (m mapping) fromOriginal(r Resource) func(place) (place, error) {
	return func(p place) (place, error) {
		namespace := p.namespace
		if isNamespace(r) {
			namespace = p.name
		}
		if _, mapped := m.there[namespace]; !mapped {
			if other, taken := m.back[namespace]; taken {
				return p, fmt.Errorf("namespace %s holds objects of its own and is what %s is restored into", namespace, other)
			}
		}
		return p, nil
	}
}

func isNamespace(r Resource) bool { return r.Group == "" && r.Kind == "Namespace" }
