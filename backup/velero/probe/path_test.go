package probe

import (
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestProbesStayInThePod(t *testing.T) {
	for _, path := range []string{
		"orders", "//secrets", "/../../../../secrets", "/..", "/a/./b", "/a/../b", "/%2e%2e/%2E%2e/secrets", "/%2e./secrets", "/..%2f..%2fsecrets",
		"/%252e%252e/secrets", `/..\..\secrets`, "/%5c%2e%2e", "/%2fsecrets", "/a?%zz", "/a?b;c", "/%zz", "/a\nb", "/a b\x00",
	} {
		spec := &Spec{HTTP: &HTTP{Selector: "app=web", Port: 8080, Path: path}}
		problems := spec.Validate(field.NewPath("step", "probe"))
		if len(problems) != 1 || problems[0].Field != "step.probe.http.path" {
			t.Errorf("%q is taken: %v", path, problems)
		}
		asked := ""
		client := answering(t, func(_ http.ResponseWriter, r *http.Request) { asked = r.RequestURI })
		if err := probing(t, client, HTTP{Path: path}); err == nil || asked != "" {
			t.Errorf("%q: asked for %s", path, asked)
		}
	}
}
