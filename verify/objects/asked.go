package objects

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// lastApplied is where kubectl apply keeps what it was given.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// asked says whether somebody asked for a field, and the API server did not
// choose its value: it is in what kubectl applied, or a client owns it in
// managedFields. Items of lists on the way are all looked at.
func asked(o *unstructured.Unstructured, path ...string) bool {
	if text := annotation(o, lastApplied); text != "" {
		var applied map[string]any
		if json.Unmarshal([]byte(text), &applied) == nil && holds(applied, path, "") {
			return true
		}
	}
	metadata, _ := o.Object["metadata"].(map[string]any)
	managers, _ := metadata["managedFields"].([]any)
	for _, manager := range managers {
		entry, _ := manager.(map[string]any)
		if textOf(entry["subresource"]) == "" && holds(entry["fieldsV1"], path, "f:") {
			return true
		}
	}
	return false
}

// holds says whether there is a value at the path: in an object, or with the
// prefix "f:" in a set of fields, whose items of lists are called "k:{…}".
func holds(value any, path []string, prefix string) bool {
	if len(path) == 0 {
		return value != nil && value != ""
	}
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			if holds(item, path, prefix) {
				return true
			}
		}
	case map[string]any:
		if inside, ok := v[prefix+path[0]]; ok && holds(inside, path[1:], prefix) {
			return true
		}
		for name, item := range v {
			if prefix != "" && strings.HasPrefix(name, "k:") && holds(item, path, prefix) {
				return true
			}
		}
	}
	return false
}
