package velero

import (
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/verify/objects"
)

// What a backup was not to hold is no loss; everything else is.
func TestScope(t *testing.T) {
	web := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	db := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}
	const (
		filter   = "the backup's own resource filter"
		selector = "the backup's own label selector"
		config   = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: config, labels: {app: web}}}"
		deploy   = "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}}"
		serving  = "{apiVersion: serving.example.com/v1, kind: Service, metadata: {namespace: shop, name: web}}"
	)
	resources := map[string]objects.Resource{
		config:  {Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		serving: {Group: "serving.example.com", Version: "v1", Name: "services", Kind: "Service", Namespaced: true},
		deploy:  {Group: "apps", Version: "v1", Name: "deployments", Kind: "Deployment", Namespaced: true},
		"{apiVersion: v1, kind: Event, metadata: {namespace: shop, name: e}}":                                                                          {Version: "v1", Name: "events", Kind: "Event", Namespaced: true},
		"{apiVersion: v1, kind: Namespace, metadata: {name: shop}}":                                                                                    {Version: "v1", Name: "namespaces", Kind: "Namespace"},
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: view}}":                                                        {Group: "rbac.authorization.k8s.io", Version: "v1", Name: "clusterroles", Kind: "ClusterRole"},
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, labels: {velero.io/exclude-from-backup: 'true'}}}":                     {Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, labels: {velero.io/exclude-from-backup: 'false'}}}":                    {Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:00Z', finalizers: [x]}}":          {Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		"{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:01Z', finalizers: [x]}}":          {Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
		"{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:30Z', deletionGracePeriodSeconds: 30}}": {Version: "v1", Name: "pods", Kind: "Pod", Namespaced: true},
		"{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:31Z', deletionGracePeriodSeconds: 30}}": {Version: "v1", Name: "pods", Kind: "Pod", Namespaced: true},
		"{apiVersion: servicebus.azure.com/v1, kind: Namespace, metadata: {namespace: shop, name: orders}}":                                            {Group: "servicebus.azure.com", Version: "v1", Name: "namespaces", Kind: "Namespace", Namespaced: true},
		"{apiVersion: example.org/v1, kind: Event, metadata: {namespace: shop, name: e}}":                                                              {Group: "example.org", Version: "v1", Name: "events", Kind: "Event", Namespaced: true},
		"{apiVersion: example.org/v1, kind: Namespace, metadata: {name: orders}}":                                                                      {Group: "example.org", Version: "v1", Name: "namespaces", Kind: "Namespace"},
	}
	client := fake.NewClientset()
	client.Resources = []*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "configmaps", SingularName: "configmap", Kind: "ConfigMap", ShortNames: []string{"cm"}, Namespaced: true},
			{Name: "services", SingularName: "service", Kind: "Service", ShortNames: []string{"svc"}, Namespaced: true},
		}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "deployments", SingularName: "deployment", Kind: "Deployment", ShortNames: []string{"deploy"}, Namespaced: true}}},
		{GroupVersion: "serving.example.com/v1", APIResources: []metav1.APIResource{{Name: "services", SingularName: "service", Kind: "Service", ShortNames: []string{"ksvc"}, Namespaced: true}}},
	}
	for _, test := range []struct {
		object string
		spec   velerov1.BackupSpec
		want   string
	}{
		{object: config},
		{object: deploy},
		{object: "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"},
		{object: "{apiVersion: v1, kind: Event, metadata: {namespace: shop, name: e}}", want: "events come and go"},
		{object: "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: view}}", want: "of the cluster: a backup of namespaces holds what they refer to"},
		{object: "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, labels: {velero.io/exclude-from-backup: 'true'}}}", want: "labelled velero.io/exclude-from-backup"},
		{object: "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, labels: {velero.io/exclude-from-backup: 'false'}}}"},
		{object: "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:00Z', finalizers: [x]}}", want: "being deleted, which Velero does not back up"},
		// What is asked to be deleted when the backup has ended ought to be in it.
		{object: "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:01Z', finalizers: [x]}}"},
		{object: "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:30Z', deletionGracePeriodSeconds: 30}}", want: "being deleted, which Velero does not back up"},
		{object: "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: a, deletionTimestamp: '2026-05-12T02:00:31Z', deletionGracePeriodSeconds: 30}}"},
		// Custom resources may be called as Kubernetes' own.
		{object: "{apiVersion: servicebus.azure.com/v1, kind: Namespace, metadata: {namespace: shop, name: orders}}"},
		{object: "{apiVersion: example.org/v1, kind: Event, metadata: {namespace: shop, name: e}}"},
		{object: "{apiVersion: example.org/v1, kind: Namespace, metadata: {name: orders}}", want: "of the cluster: a backup of namespaces holds what they refer to"},

		{object: config, spec: velerov1.BackupSpec{ExcludedResources: []string{"secrets"}}},
		{object: config, spec: velerov1.BackupSpec{ExcludedResources: []string{"configmaps"}}, want: filter},
		{object: config, spec: velerov1.BackupSpec{ExcludedResources: []string{"ConfigMap"}}, want: filter},
		{object: config, spec: velerov1.BackupSpec{ExcludedNamespaceScopedResources: []string{"configmaps"}}, want: filter},
		{object: config, spec: velerov1.BackupSpec{IncludedResources: []string{"*"}}},
		{object: config, spec: velerov1.BackupSpec{IncludedResources: []string{"secrets", "configmaps"}}},
		{object: config, spec: velerov1.BackupSpec{IncludedResources: []string{"secrets"}}, want: filter},
		{object: config, spec: velerov1.BackupSpec{IncludedNamespaceScopedResources: []string{"deployments.apps"}}, want: filter},
		{object: deploy, spec: velerov1.BackupSpec{IncludedNamespaceScopedResources: []string{"deployments.apps"}}},
		{object: deploy, spec: velerov1.BackupSpec{IncludedResources: []string{"deployments"}, ExcludedResources: []string{"deployments.apps"}}, want: filter},

		{object: deploy, spec: velerov1.BackupSpec{ExcludedResources: []string{"deployments.example.com"}}},
		{object: config, spec: velerov1.BackupSpec{IncludedResources: []string{"cm"}}},
		{object: config, spec: velerov1.BackupSpec{ExcludedResources: []string{"cm"}}, want: filter},
		{object: deploy, spec: velerov1.BackupSpec{ExcludedResources: []string{"deploy"}}, want: filter},
		{object: deploy, spec: velerov1.BackupSpec{ExcludedResources: []string{"deployment.apps"}}, want: filter},

		{object: deploy, spec: velerov1.BackupSpec{IncludedResources: []string{"deploy", "po"}}},
		{object: deploy, spec: velerov1.BackupSpec{IncludedResources: []string{"deploy*"}}},
		{object: deploy, spec: velerov1.BackupSpec{IncludedResources: []string{"*.apps"}}},
		{object: config, spec: velerov1.BackupSpec{IncludedResources: []string{"*.apps"}}, want: filter},
		{object: serving, spec: velerov1.BackupSpec{ExcludedResources: []string{"services", "svc"}}}, // the core group's
		{object: serving, spec: velerov1.BackupSpec{ExcludedResources: []string{"ksvc"}}, want: filter},
		{object: config, spec: velerov1.BackupSpec{ExcludedResources: []string{"no-such-thing"}}},
		{object: config, spec: velerov1.BackupSpec{IncludedResources: []string{"no-such-thing"}}, want: filter},

		{object: config, spec: velerov1.BackupSpec{LabelSelector: web}},
		{object: config, spec: velerov1.BackupSpec{LabelSelector: db}, want: selector},
		{object: config, spec: velerov1.BackupSpec{OrLabelSelectors: []*metav1.LabelSelector{db, web}}},
		{object: config, spec: velerov1.BackupSpec{OrLabelSelectors: []*metav1.LabelSelector{db}}, want: selector},
		{object: deploy, spec: velerov1.BackupSpec{LabelSelector: web}, want: selector},
	} {
		object := parsed(t, test.object)
		scope, err := newScope(client.Discovery(), test.spec, time.Date(2026, 5, 12, 2, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if got := scope.leftOut(resources[test.object], object); got != test.want {
			t.Errorf("%s with %+v: left out %q, want %q", test.object, test.spec, got, test.want)
		}
	}
}

func TestFiltersThatAreNotUnderstoodLeaveNothingOut(t *testing.T) {
	if _, err := newScope(fake.NewClientset().Discovery(), velerov1.BackupSpec{IncludedResources: []string{"{pods,secrets}"}}, time.Time{}); err == nil {
		t.Error("it is taken")
	}
}
