package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apidiscovery "k8s.io/api/apidiscovery/v2"
)

// aggregatedDiscovery asks for everything a server serves in one document; both
// versions of it have the same shape. Kubernetes has it from 1.27 on.
const aggregatedDiscovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

// served is a resource that a server lists.
type served struct {
	kind string
	// paths by version.
	paths map[string]string
	// versions in the server's order of preference.
	versions []string
}

// discover finds every resource that the server can list, by the name kubectl
// gives it. Groups whose own server does not answer are left out.
func (s *side) discover(ctx context.Context) (map[string]served, error) {
	all := map[string]served{}
	for _, root := range []string{"/api", "/apis"} {
		body, err := s.get(ctx, root, nil, aggregatedDiscovery)
		if err != nil {
			return nil, fmt.Errorf("asking %s what it serves: %w", s.name, err)
		}
		var groups apidiscovery.APIGroupDiscoveryList
		if err := json.Unmarshal(body, &groups); err != nil || groups.Kind != "APIGroupDiscoveryList" {
			return nil, fmt.Errorf("asking %s what it serves: it knows no aggregated discovery, which Kubernetes has from 1.27 on", s.name)
		}
		for _, group := range groups.Items {
			for _, version := range group.Versions {
				for _, resource := range version.Resources {
					if !slices.Contains(resource.Verbs, "list") {
						continue
					}
					name := qualified(resource.Resource, group.Name)
					entry := all[name]
					if entry.paths == nil {
						entry.paths = map[string]string{}
					}
					if resource.ResponseKind != nil {
						entry.kind = resource.ResponseKind.Kind
					}
					entry.versions = append(entry.versions, version.Version)
					entry.paths[version.Version] = listPath(group.Name, version.Version, resource.Resource)
					all[name] = entry
				}
			}
		}
	}
	return all, nil
}

func listPath(group, version, resource string) string {
	if group == "" {
		return "/api/" + version + "/" + resource
	}
	return "/apis/" + group + "/" + version + "/" + resource
}

// qualified is how kubectl names a resource: pods, deployments.apps.
func qualified(resource, group string) string {
	if group == "" {
		return resource
	}
	return resource + "." + group
}
