package velero

import (
	"slices"
	"testing"

	"gameday.dev/gameday/verify/objects"
)

// What Velero is told to leave out is not expected to come back, and what it is not
// told to is.
func TestWhatIsNotRestoredIsWhatIsNotExpected(t *testing.T) {
	spec := &Restore{Exclude: []string{"widgets", "gears.example.com"}}
	held := []objects.Resource{
		{Name: "pods", Kind: "Pod", Namespaced: true},
		{Name: "namespaces", Kind: "Namespace"},
		{Name: "persistentvolumes", Kind: "PersistentVolume"},
		{Group: "snapshot.storage.k8s.io", Name: "volumesnapshotcontents", Kind: "VolumeSnapshotContent"},
		{Group: "snapshot.storage.k8s.io", Name: "volumesnapshots", Kind: "VolumeSnapshot", Namespaced: true},
		{Name: "endpoints", Kind: "Endpoints", Namespaced: true},
		{Group: "events.k8s.io", Name: "events", Kind: "Event", Namespaced: true},
		{Group: "velero.io", Name: "restores", Kind: "Restore", Namespaced: true},
		{Group: "rbac.authorization.k8s.io", Name: "clusterroles", Kind: "ClusterRole"},
		{Group: "example.com", Name: "widgets", Kind: "Widget", Namespaced: true},
		{Group: "example.com", Name: "gears", Kind: "Gear", Namespaced: true},
		{Group: "example.com", Name: "springs", Kind: "Spring", Namespaced: true},
	}
	excluded := spec.excluded(held)
	var back, expected []string
	for _, resource := range held {
		name := resource.String()
		if !slices.Contains(excluded, name) && !slices.Contains(excluded, resource.Name) {
			back = append(back, name)
		}
		if spec.notRestored(resource) == "" {
			expected = append(expected, name)
		}
	}
	if want := []string{"pods", "namespaces", "volumesnapshots.snapshot.storage.k8s.io", "springs.example.com"}; !slices.Equal(expected, want) {
		t.Errorf("expected back are %v", expected)
	}
	// Volumes come with their claims, and are not compared.
	if want := []string{"pods", "namespaces", "persistentvolumes", "volumesnapshotcontents.snapshot.storage.k8s.io", "volumesnapshots.snapshot.storage.k8s.io", "springs.example.com"}; !slices.Equal(back, want) {
		t.Errorf("coming back are %v", back)
	}
	for _, always := range []string{"endpointslices.discovery.k8s.io", "priorityclasses.scheduling.k8s.io", "customresourcedefinitions.apiextensions.k8s.io"} {
		if !slices.Contains(excluded, always) {
			t.Errorf("%s is not excluded", always)
		}
	}
}
