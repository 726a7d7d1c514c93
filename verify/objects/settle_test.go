package objects

import (
	"maps"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// presenceExample is about whole objects: what each side has, as short YAML,
// and what is counted by which rule or told as a loss.
type presenceExample struct {
	name          string
	wanted, found []string
	expected      map[string]int64
	loss          []string // beginnings of lines
}

const (
	rs  = "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {namespace: shop, name: web-1, uid: rs, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: dep, controller: true}]}}"
	pod = "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web-1-a, uid: pod, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-1, uid: rs, controller: true}]}}"
	dep = "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web, uid: dep}}"
	pvc = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data, uid: pvc}}"
	pv  = "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-1, annotations: {pv.kubernetes.io/provisioned-by: csi}}, spec: {claimRef: {namespace: shop, name: data}}}"
)

func presenceExamples() []presenceExample {
	other := strings.NewReplacer("web-1-a", "web-1-b", "uid: pod", "uid: other").Replace(pod)
	short := func(apiVersion, kind, metadata string) string {
		return "{apiVersion: " + apiVersion + ", kind: " + kind + ", metadata: " + metadata + "}"
	}
	token := func(account, name string) string {
		return "{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {namespace: shop, name: " + name + ", annotations: {kubernetes.io/service-account.name: " + account + "}}}"
	}
	return []presenceExample{
		{"missing", []string{dep}, nil, nil, []string{"Deployment shop/web: missing"}},
		{"extra", nil, []string{dep}, nil, []string{"Deployment shop/web: extra"}},
		{"made by its controller, at the second remove", []string{dep}, []string{dep, rs, pod}, map[string]int64{"made by its controller": 2}, nil},
		{"made by a controller that nobody wanted", nil, []string{rs, pod}, nil, []string{"ReplicaSet shop/web-1: extra", "Pod shop/web-1-a: extra"}},
		{"an owner that is no controller", []string{dep}, []string{dep, strings.Replace(rs, "controller: true", "controller: false", 1)}, nil, []string{"ReplicaSet shop/web-1: extra"}},
		{"a controller of the same name but another uid", []string{dep}, []string{strings.Replace(dep, "uid: dep", "uid: new", 1), rs}, nil, []string{"ReplicaSet shop/web-1: extra"}},
		{"a pod replaced by its controller", []string{dep, rs, pod}, []string{dep, rs, other}, map[string]int64{"pods of a controller": 1, "made by its controller": 1}, nil},
		{"a pod missing with its controller", []string{dep, rs, pod}, []string{dep}, nil, []string{"ReplicaSet shop/web-1: missing", "Pod shop/web-1-a: missing"}},
		{"a volume under another name", []string{pvc, pv}, []string{pvc, strings.Replace(pv, "pvc-1", "pvc-2", 1)}, map[string]int64{"provisioned volumes": 2}, nil},
		{"a volume missing with its claim", []string{pvc, pv}, nil, nil, []string{"PersistentVolumeClaim shop/data: missing", "PersistentVolume pvc-1: missing"}},
		{"a volume that nobody provisioned", []string{pvc, strings.Replace(pv, "provisioned-by", "made-by", 1)}, []string{pvc}, nil, []string{"PersistentVolume pvc-1: missing"}},
		{"contents of a snapshot", []string{
			short("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "{namespace: shop, name: s}"),
			"{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshotContent, metadata: {name: snapcontent-1}, spec: {volumeSnapshotRef: {namespace: shop, name: s}}}",
		}, []string{
			short("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "{namespace: shop, name: s}"),
			"{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshotContent, metadata: {name: ours}, spec: {volumeSnapshotRef: {namespace: shop, name: s}}}",
		}, map[string]int64{"contents of snapshots": 1}, []string{"VolumeSnapshotContent ours: extra"}},
		{"made in each namespace", nil, []string{
			short("v1", "ConfigMap", "{namespace: shop, name: kube-root-ca.crt}"), short("v1", "ConfigMap", "{namespace: shop, name: other}"),
			short("v1", "ServiceAccount", "{namespace: shop, name: default}"), short("v1", "ServiceAccount", "{namespace: shop, name: other}"),
			short("v1", "ConfigMap", "{namespace: shop, name: openshift-service-ca.crt}"), short("v1", "ConfigMap", "{namespace: shop, name: istio-ca-root-cert}"),
			short("rbac.authorization.k8s.io/v1", "RoleBinding", "{namespace: shop, name: 'system:image-pullers'}"), short("rbac.authorization.k8s.io/v1", "RoleBinding", "{namespace: shop, name: 'system:other'}"),
		}, map[string]int64{"made in each namespace": 5}, []string{"ConfigMap shop/other: extra", "ServiceAccount shop/other: extra", "RoleBinding shop/system:other: extra"}},
		{"account token", nil, []string{
			"{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {namespace: shop, name: a}}",
			"{apiVersion: v1, kind: Secret, type: Opaque, metadata: {namespace: shop, name: b}}",
		}, map[string]int64{"account token": 1}, []string{"Secret shop/b: extra"}},
		{"account token under another name", []string{token("ci", "ci-token-x7k2p"), token("other", "other-token-x7k2p"), token("ci", "ci-token-github")}, []string{token("ci", "ci-token-bc9df")},
			map[string]int64{"account token": 2}, []string{"Secret shop/other-token-x7k2p: missing", "Secret shop/ci-token-github: missing"}},
		{"account token beside one that is there", []string{token("ci", "ci-token-x7k2p"), token("ci", "ci-more")}, []string{token("ci", "ci-more")},
			nil, []string{"Secret shop/ci-token-x7k2p: missing"}},
		{"addresses of pods", []string{
			short("discovery.k8s.io/v1", "EndpointSlice", "{namespace: shop, name: web-a, labels: {endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}"),
			short("discovery.k8s.io/v1", "EndpointSlice", "{namespace: shop, name: ours, labels: {endpointslice.kubernetes.io/managed-by: us}}"),
		}, nil, map[string]int64{"addresses of pods": 1}, []string{"EndpointSlice shop/ours: missing"}},
		{"addresses of services", []string{
			short("networking.k8s.io/v1", "IPAddress", "{name: 10.0.0.1, labels: {ipaddress.kubernetes.io/managed-by: ipallocator.k8s.io}}"), short("networking.k8s.io/v1", "IPAddress", "{name: 10.0.0.2}"),
		}, nil, map[string]int64{"addresses of services": 1}, []string{"IPAddress 10.0.0.2: missing"}},
		{"made by the API server", nil, []string{
			short("apiregistration.k8s.io/v1", "APIService", "{name: v1.apps, labels: {kube-aggregator.kubernetes.io/automanaged: onstart}}"), short("apiregistration.k8s.io/v1", "APIService", "{name: v1.ours}"),
			short("scheduling.k8s.io/v1", "PriorityClass", "{name: system-node-critical}"), short("scheduling.k8s.io/v1", "PriorityClass", "{name: ours}"),
			short("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "{name: exempt, annotations: {apf.kubernetes.io/autoupdate-spec: 'true'}}"), short("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "{name: ours}"),
			short("rbac.authorization.k8s.io/v1", "ClusterRole", "{name: view, labels: {kubernetes.io/bootstrapping: rbac-defaults}}"), short("rbac.authorization.k8s.io/v1", "ClusterRole", "{name: ours}"),
		}, map[string]int64{"made by the API server": 4}, []string{"APIService v1.ours", "PriorityClass ours", "FlowSchema ours", "ClusterRole ours"}},
		{"static pods", []string{short("v1", "Pod", "{namespace: shop, name: etcd-n1, annotations: {kubernetes.io/config.mirror: x}}"), short("v1", "Pod", "{namespace: shop, name: lonely}")}, nil,
			map[string]int64{"static pods": 1}, []string{"Pod shop/lonely: missing"}},
		{"attachments", []string{short("storage.k8s.io/v1", "VolumeAttachment", "{name: a}"), short("storage.k8s.io/v1", "CSIDriver", "{name: a}")}, nil, map[string]int64{"attachments": 1}, []string{"CSIDriver a: missing"}},
		{"certificate requests", []string{short("certificates.k8s.io/v1", "CertificateSigningRequest", "{name: a}")}, []string{short("certificates.k8s.io/v1", "CertificateSigningRequest", "{name: b}")},
			map[string]int64{"certificate requests": 1}, []string{"CertificateSigningRequest b: extra"}},
		{"events", []string{short("v1", "Event", "{namespace: shop, name: a}")}, []string{short("events.k8s.io/v1", "Event", "{namespace: shop, name: b}"), short("example.org/v1", "Event", "{namespace: shop, name: c}")},
			map[string]int64{"events": 2}, []string{"Event shop/c: extra"}},
		{"leases", []string{short("coordination.k8s.io/v1", "Lease", "{namespace: shop, name: a}")}, []string{short("coordination.k8s.io/v1", "Lease", "{namespace: shop, name: b}"), short("example.org/v1", "Lease", "{namespace: shop, name: c}")},
			map[string]int64{"leases": 2}, []string{"Lease shop/c: extra"}},
	}
}

func TestPresence(t *testing.T) {
	used := map[string]bool{}
	for _, test := range presenceExamples() {
		t.Run(test.name, func(t *testing.T) {
			result, err := Comparison{Wanted: setOf(t, test.wanted...), Found: setOf(t, test.found...), Keep: 100}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			delete(result.Expected, "metadata of the server")
			delete(result.Expected, "uid of an owner")
			if len(result.Expected) != len(test.expected) || !maps.Equal(result.Expected, test.expected) && test.expected != nil {
				t.Errorf("expected %v, want %v", result.Expected, test.expected)
			}
			for rule := range result.Expected {
				used[rule] = true
			}
			if len(result.Loss) != len(test.loss) || result.LossCount != int64(len(test.loss)) {
				t.Errorf("%d losses: %v", result.LossCount, result.Loss)
			}
			for _, want := range test.loss {
				found := false
				for _, d := range result.Loss {
					found = found || strings.HasPrefix(d.String(), want)
				}
				if !found {
					t.Errorf("no %q in %v", want, result.Loss)
				}
			}
		})
	}
	for _, rule := range Rules() {
		if rule.Path == "" && !used[rule.Name] {
			t.Errorf("rule %s has no example", rule.Name)
		}
	}
}

// With one resource only, nothing is known of owners.
func TestOnlyOneResource(t *testing.T) {
	only := resourceOf(parse(t, pod))
	result, err := Comparison{Wanted: setOf(t, dep), Found: setOf(t, rs, pod), Only: &only, Keep: 10}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Loss) > 0 || result.Expected["made by its controller"] != 1 || len(result.Counts) != 1 {
		t.Errorf("%+v", result)
	}
}

func setOf(t testing.TB, texts ...string) Set {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, text := range texts {
		all = append(all, parse(t, text))
	}
	return NewSet(all...)
}
