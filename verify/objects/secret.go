package objects

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// renderPair shows two values; those of a Secret never.
func (k *kind) renderPair(wanted, found any) (string, string) {
	if !k.secret {
		return renderPair(wanted, found)
	}
	return differs(wanted), differs(found)
}

func differs(value any) string {
	if value == nil {
		return ""
	}
	return "differs"
}

// prepared gives the object in the form that is compared.
func (k *kind) prepared(o *unstructured.Unstructured) map[string]any { return o.Object }
