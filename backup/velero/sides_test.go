package velero

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	discoveryfake "k8s.io/client-go/discovery/fake"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// serving is what a cluster says that it serves: by group and version, the names of
// resources, each followed by its kind.
func serving(t *testing.T, lists map[string]map[string]string) catalogue {
	t.Helper()
	client := &discoveryfake.FakeDiscovery{Fake: &clienttesting.Fake{}}
	for version, resources := range lists {
		list := &metav1.APIResourceList{GroupVersion: version}
		for name, kind := range resources {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: name, Kind: kind, Namespaced: true, Verbs: []string{"get", "list", "create", "delete"}})
		}
		client.Resources = append(client.Resources, list)
	}
	served, err := discover(client)
	if err != nil {
		t.Fatal(err)
	}
	return served
}

// What a Secret is called decides what of it is shown.
func TestABackupIsOfTheClustersKinds(t *testing.T) {
	served := serving(t, map[string]map[string]string{"v1": {"secrets": "Secret"}})
	secret := objects.Resource{Version: "v1", Name: "secrets", Kind: "Secret", Namespaced: true}
	gone := objects.Resource{Group: "example.org", Version: "v1", Name: "widgets", Kind: "Widget", Namespaced: true}
	if err := served.agree([]objects.Resource{secret, gone}); err != nil {
		t.Error(err)
	}
	secret.Kind = "secret"
	err := served.agree([]objects.Resource{secret})
	var damage *contents.Damage
	if !errors.As(err, &damage) || !strings.Contains(err.Error(), "secrets of kind secret") {
		t.Errorf("%v", err)
	}
}

// A cluster is listed for all that a namespace can hold, each resource once and in the
// version of the backup as long as that is served, and of its own for what the backup holds.
func TestWhatIsListed(t *testing.T) {
	all := []string{"get", "list", "create", "delete"}
	resource := func(name, kind string, namespaced bool, verbs []string) metav1.APIResource {
		return metav1.APIResource{Name: name, Kind: kind, Namespaced: namespaced, Verbs: verbs}
	}
	client := &discoveryfake.FakeDiscovery{Fake: &clienttesting.Fake{}}
	client.Resources = []*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{
			resource("pods", "Pod", true, all), resource("pods/status", "Pod", true, all), resource("namespaces", "Namespace", false, all),
			resource("bindings", "Binding", true, []string{"create"}), resource("nodes", "Node", false, all),
		}},
		{GroupVersion: "metrics.k8s.io/v1beta1", APIResources: []metav1.APIResource{resource("pods", "PodMetrics", true, []string{"get", "list"})}},
		{GroupVersion: "example.com/v2", APIResources: []metav1.APIResource{resource("widgets", "Widget", true, all), resource("widgets/status", "Widget", true, all)}},
		{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{resource("widgets", "Widget", true, all), resource("gadgets", "Gadget", false, all)}},
	}
	served, err := discover(client)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		held []objects.Resource
		want string
	}{
		"a backup of nothing":      {nil, "v1 pods, example.com/v2 widgets"},
		"of the preferred version": {[]objects.Resource{{Group: "example.com", Version: "v2", Name: "widgets"}}, "v1 pods, example.com/v2 widgets"},
		"of an older version":      {[]objects.Resource{{Group: "example.com", Version: "v1", Name: "widgets"}}, "v1 pods, example.com/v1 widgets"},
		"of one that is gone":      {[]objects.Resource{{Group: "example.com", Version: "v0", Name: "widgets"}}, "v1 pods, example.com/v2 widgets"},
		"with the cluster's own":   {[]objects.Resource{{Version: "v1", Name: "namespaces"}, {Group: "example.com", Version: "v1", Name: "gadgets"}}, "example.com/v1 gadgets, v1 namespaces, v1 pods, example.com/v2 widgets"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range served.compared(test.held) {
				got = append(got, strings.TrimPrefix(r.Group+"/", "/")+r.Version+" "+r.Name)
			}
			if strings.Join(got, ", ") != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
	held := []objects.Resource{{Group: "example.com", Version: "v1", Name: "widgets"}, {Group: "example.com", Version: "v1", Name: "gadgets"}, {Version: "v1", Name: "pods"}}
	served.mark(held)
	if held[0].PlainStatus || !held[1].PlainStatus || held[2].PlainStatus {
		t.Errorf("of a custom resource without a subresource the status is declared, of no other: %+v", held)
	}
}

// Custom resources are in groups under k8s.io too, such as those of the vertical pod
// autoscaler, whose checkpoints are all status.
func TestPlainStatusIsWhatHasNoSubresource(t *testing.T) {
	served := serving(t, map[string]map[string]string{"autoscaling.k8s.io/v1": {
		"verticalpodautoscalers": "VerticalPodAutoscaler", "verticalpodautoscalers/status": "VerticalPodAutoscaler", "verticalpodautoscalercheckpoints": "VerticalPodAutoscalerCheckpoint",
	}})
	wanted := []objects.Resource{{Group: "autoscaling.k8s.io", Version: "v1", Name: "verticalpodautoscalers"}, {Group: "autoscaling.k8s.io", Version: "v1", Name: "verticalpodautoscalercheckpoints"}}
	served.mark(wanted)
	if wanted[0].PlainStatus || !wanted[1].PlainStatus {
		t.Errorf("%+v", wanted)
	}
}

// Custom resources may be of kind Namespace too, as three of Azure's are.
func TestANamespaceOfAnotherGroupIsNoNamespace(t *testing.T) {
	bus := objects.Resource{Group: "servicebus.azure.com", Version: "v1", Name: "namespaces", Kind: "Namespace", Namespaced: true}
	client := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{{Group: bus.Group, Version: bus.Version, Resource: bus.Name}: "NamespaceList"},
		parsed(t, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"),
		parsed(t, "{apiVersion: servicebus.azure.com/v1, kind: Namespace, metadata: {namespace: shop, name: orders}}"))
	shop := side{objects.Listed{Client: client, Namespaces: []string{"shop"}}, "shop"}
	for resource, want := range map[objects.Resource]string{bus: "orders", {Version: "v1", Name: "namespaces", Kind: "Namespace"}: "shop"} {
		for object, err := range shop.Objects(t.Context(), resource) {
			if err != nil || object.GetName() != want {
				t.Errorf("%s: %v, %v", resource, object, err)
			}
		}
	}
	if why := (&Restore{}).notRestored(objects.Resource{Group: "example.org", Name: "namespaces", Kind: "Namespace"}); why == "" {
		t.Error("one of the cluster's is expected back")
	}
}
