package velero

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	discoveryfake "k8s.io/client-go/discovery/fake"
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
