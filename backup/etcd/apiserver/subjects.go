package apiserver

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/internal/kube"
)

// subject is one resource and what is to be done about it.
type subject struct {
	name, kind string
	path       string
	// skip and untold say why nothing is listed.
	skip, untold string
	// onlyLiving and onlyRestored: the other side does not serve it.
	onlyLiving, onlyRestored bool
	// gone: its definition has left the living cluster.
	gone bool
	// schemaChanged: its definition is another in the living cluster by now.
	schemaChanged bool
}

// settling is how long a custom resource may take to be served: its definition
// is read in the background, after readyz.
const settling = 20 * time.Second

// catalog is what a side serves.
type catalog struct {
	served      map[string]served
	definitions map[string]definition
	aggregated  map[string]string
}

func (s *side) catalog(ctx context.Context) (catalog, error) {
	var c catalog
	var err error
	if c.definitions, err = s.definitions(ctx); err != nil {
		return c, err
	}
	if c.aggregated, err = s.aggregated(ctx); err != nil {
		return c, err
	}
	until := time.Now().Add(settling)
	for {
		if c.served, err = s.discover(ctx); err != nil {
			return c, err
		}
		if c.complete() || time.Now().After(until) {
			return c, nil
		}
		if err := kube.Pause(ctx, time.Second/2); err != nil {
			return c, err
		}
	}
}

// complete says whether every definition with a version to serve is served.
func (c catalog) complete() bool {
	for name, definition := range c.definitions {
		if _, served := c.served[name]; !served && definition.storage != "" {
			return false
		}
	}
	return true
}

// plan decides what is done about each resource that any side knows.
func (c *comparison) plan(ctx context.Context) ([]subject, error) {
	restored, err := c.restored.catalog(ctx)
	if err != nil {
		return nil, err
	}
	living, err := c.living.catalog(ctx)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(restored.served)
	maps.Copy(all, living.served)
	var subjects []subject
	for _, name := range slices.Sorted(maps.Keys(all)) {
		subjects = append(subjects, c.subject(name, restored, living))
	}
	return subjects, nil
}

func (c *comparison) subject(name string, restored, living catalog) subject {
	r, here := restored.served[name]
	l, there := living.served[name]
	s := subject{name: name, kind: r.kind}
	if !here {
		s.kind = l.kind
	}
	version := choose(r, l, restored.definitions[name].storage)
	by := firstOf(aggregatedBy(living, name, l), aggregatedBy(restored, name, r))
	switch {
	case view(name) != "":
		s.skip = view(name)
	case slices.Contains(c.Elsewhere, name):
		s.skip = "the living cluster keeps it in another etcd"
	case by != "":
		s.skip = "another server serves it (APIService " + by + "), and keeps it"
	case !here:
		s.onlyLiving = true
		version = choose(l, served{}, living.definitions[name].storage)
	case !there:
		s.onlyRestored = true
		_, defined := restored.definitions[name]
		_, still := living.definitions[name]
		s.gone = defined && !still
	case version == "":
		s.untold = fmt.Sprintf("the restored API server serves it at %s, the living cluster at %s", strings.Join(r.versions, ", "), strings.Join(l.versions, ", "))
	}
	s.path = firstOf(r.paths[version], l.paths[version])
	s.schemaChanged = changed(restored.definitions, living.definitions, name)
	return s
}

// choose picks the version to list at: the one objects are stored at, else the
// one that the first server prefers, of those that both serve; the other may
// serve none.
func choose(one, other served, storage string) string {
	usable := func(version string) bool {
		return other.paths == nil || other.paths[version] != ""
	}
	if storage != "" && one.paths[storage] != "" && usable(storage) {
		return storage
	}
	for _, version := range one.versions {
		if usable(version) {
			return version
		}
	}
	return ""
}

// changed says whether a custom resource is defined otherwise by now.
func changed(restored, living map[string]definition, name string) bool {
	r, defined := restored[name]
	if !defined {
		return false
	}
	l, still := living[name]
	return !still || differences(l.spec, r.spec) != ""
}

// aggregatedBy names the APIService when all versions of a resource are served
// by others.
func aggregatedBy(c catalog, name string, s served) string {
	_, group, _ := strings.Cut(name, ".")
	by := ""
	for _, version := range s.versions {
		service, elsewhere := c.aggregated[group+"/"+version]
		if !elsewhere {
			return ""
		}
		by = service
	}
	return by
}

// view says of a resource that shows what others hold why it is not listed.
func view(name string) string {
	switch name {
	case "componentstatuses":
		return "a view: nothing of it is stored"
	case "events.events.k8s.io":
		return "the same objects as events"
	default:
		return ""
	}
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
