package apiserver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// definition is a CustomResourceDefinition as far as listing its objects needs it.
type definition struct {
	// storage is the version that its objects are stored at, so that listing them
	// there needs no conversion. Empty when there is no such version or it is not served.
	storage string
	spec    json.RawMessage
}

// definitions finds the CustomResourceDefinitions, by name, which is that of
// their resource as kubectl has it.
func (s *side) definitions(ctx context.Context) (map[string]definition, error) {
	all := map[string]definition{}
	err := s.each(ctx, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", func(raw json.RawMessage) error {
		var object struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec json.RawMessage `json:"spec"`
		}
		var spec struct {
			Versions []struct {
				Name    string `json:"name"`
				Served  bool   `json:"served"`
				Storage bool   `json:"storage"`
			} `json:"versions"`
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			return err
		}
		if err := json.Unmarshal(object.Spec, &spec); err != nil {
			return err
		}
		d := definition{spec: object.Spec}
		for _, version := range spec.Versions {
			if version.Storage && version.Served {
				d.storage = version.Name
			}
		}
		all[object.Metadata.Name] = d
		return nil
	})
	return all, err
}

// aggregated finds the groups and versions that other servers serve for this
// one, "metrics.k8s.io/v1beta1", with the name of their APIService.
func (s *side) aggregated(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	err := s.each(ctx, "/apis/apiregistration.k8s.io/v1/apiservices", func(raw json.RawMessage) error {
		var object struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec struct {
				Group   string          `json:"group"`
				Version string          `json:"version"`
				Service json.RawMessage `json:"service"`
			} `json:"spec"`
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			return err
		}
		if len(object.Spec.Service) > 0 && string(object.Spec.Service) != "null" {
			all[object.Spec.Group+"/"+object.Spec.Version] = object.Metadata.Name
		}
		return nil
	})
	return all, err
}

// each goes through a list as it is now.
func (s *side) each(ctx context.Context, path string, do func(json.RawMessage) error) error {
	what := path[strings.LastIndex(path, "/")+1:]
	list := &pages{side: s, path: path}
	for {
		items, err := list.next(ctx)
		if err != nil {
			return fmt.Errorf("listing %s of %s: %w", what, s.name, err)
		}
		if items == nil {
			return nil
		}
		for _, item := range items {
			if err := do(item.raw); err != nil {
				return fmt.Errorf("reading %s of %s: %w", item.key, s.name, err)
			}
		}
	}
}
