package velero

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	discoveryfake "k8s.io/client-go/discovery/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
)

func TestPlanExclude(t *testing.T) {
	kept := metav1.Verbs{"get", "list", "create", "delete"}
	widgets := metav1.APIResource{Name: "widgets", SingularName: "widget", Kind: "Widget", ShortNames: []string{"wi"}, Verbs: kept}
	client := &discoveryfake.FakeDiscovery{Fake: &clienttesting.Fake{Resources: []*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: "configmaps", Kind: "ConfigMap", Verbs: kept}, {Name: "pods", Kind: "Pod", Verbs: kept}}},
		{GroupVersion: "batch/v1", APIResources: []metav1.APIResource{{Name: "jobs", Kind: "Job", Verbs: kept}, {Name: "jobs/status", Kind: "Job", Verbs: kept}}},
		{GroupVersion: "batch/v1beta1", APIResources: []metav1.APIResource{{Name: "jobs", Kind: "Job", Verbs: kept}}},
		{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{widgets}},
		{GroupVersion: "example.org/v1", APIResources: []metav1.APIResource{widgets}},
		{GroupVersion: "metrics.k8s.io/v1beta1", APIResources: []metav1.APIResource{{Name: "pods", Kind: "PodMetrics", Verbs: metav1.Verbs{"get", "list"}}}},
	}}}
	for name, test := range map[string]struct{ reason, hint, warning string }{
		"configmaps":          {},
		"jobs":                {},
		"jobs.batch":          {},
		"pods":                {},
		"widgets.example.com": {},
		"widgets":             {reason: "the name of 2 resources", hint: "widgets.example.com, widgets.example.org"},
		"widget.example.com":  {reason: "not the plural name", hint: "widgets.example.com"},
		"configmap":           {reason: "not the plural name", hint: "configmaps"},
		"wi":                  {reason: "not the plural name", hint: "widgets.example.com, widgets.example.org"},
		"gears.example.com":   {warning: "exclude gears.example.com: the cluster has no such resource"},
	} {
		var plan experiments.Plan
		err := (&Restore{Exclude: []string{name}}).planExclude(client, &plan)
		refused, ok := refusal.As(err)
		switch {
		case test.reason == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.reason != "" && (!ok || !strings.Contains(refused.Reason, test.reason) || !strings.HasSuffix(refused.Hint, ": "+test.hint)):
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(plan.Warnings, "; "); got != test.warning {
			t.Errorf("%s: warned %q", name, got)
		}
	}
}
