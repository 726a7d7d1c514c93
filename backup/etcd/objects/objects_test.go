package objects_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"

	"gameday.dev/gameday/backup/etcd/objects"
)

func decoder(t testing.TB, config string) *objects.Decoder {
	t.Helper()
	d, err := objects.NewDecoder("/registry", config)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stored encodes an object as an API server does.
func stored(t testing.TB, object runtime.Object) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func secretObject(namespace, name string) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "uid-1"},
		Data:       map[string][]byte{"password": []byte("hunter2hunter2")},
	}
}

// undecodable asserts that decoding fails in the way told.
func undecodable(t *testing.T, err error, unknown bool, reason string) {
	t.Helper()
	var failed *objects.Undecodable
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an *Undecodable", err)
	}
	if failed.Unknown != unknown || !strings.Contains(failed.Reason, reason) {
		t.Fatalf("got unknown=%v %q, want unknown=%v and %q", failed.Unknown, failed.Reason, unknown, reason)
	}
}

func TestObjectsAreNamedAsPeopleDo(t *testing.T) {
	d := decoder(t, "")
	for key, want := range map[string]struct{ resource, text string }{
		"/registry/secrets/shop/db":                                         {"secrets", "Secret shop/db"},
		"/registry/deployments/shop/web":                                    {"deployments.apps", "Deployment shop/web"},
		"/registry/ingress/shop/web":                                        {"ingresses.networking.k8s.io", "Ingress shop/web"},
		"/registry/controllers/shop/web":                                    {"replicationcontrollers", "ReplicationController shop/web"},
		"/registry/minions/n1":                                              {"nodes", "Node n1"},
		"/registry/services/specs/shop/web":                                 {"services", "Service shop/web"},
		"/registry/services/endpoints/shop/web":                             {"endpoints", "Endpoints shop/web"},
		"/registry/leases/kube-node-lease/n1":                               {"leases.coordination.k8s.io", "Lease kube-node-lease/n1"},
		"/registry/clustertrustbundles/example.com:signer:abc":              {"clustertrustbundles.certificates.k8s.io", "ClusterTrustBundle example.com:signer:abc"},
		"/registry/masterleases/10.0.0.1":                                   {"masterleases", "masterleases 10.0.0.1"},
		"/registry/peerserverleases/apiserver-x":                            {"peerserverleases", "peerserverleases apiserver-x"},
		"/registry/ranges/serviceips":                                       {"ranges", "ranges serviceips"},
		"/registry/lab.io/widgets/shop/one":                                 {"widgets.lab.io", "widgets.lab.io shop/one"},
		"/registry/lab.io/gadgets/one":                                      {"gadgets.lab.io", "gadgets.lab.io one"},
		"/registry/apiregistration.k8s.io/apiservices/v1.apps":              {"apiservices.apiregistration.k8s.io", "apiservices.apiregistration.k8s.io v1.apps"},
		"/registry/apiextensions.k8s.io/customresourcedefinitions/w.lab.io": {"customresourcedefinitions.apiextensions.k8s.io", "customresourcedefinitions.apiextensions.k8s.io w.lab.io"},
		"/registry/novelties/shop/one":                                      {"novelties", "novelties shop/one"},
		"/registry/services/specs":                                          {"", "key /registry/services/specs"},
		"/registry/pods/a/b/c":                                              {"", "key /registry/pods/a/b/c"},
		"/registry/pods//b":                                                 {"", "key /registry/pods//b"},
		"/registry/lab.io":                                                  {"", "key /registry/lab.io"},
		"/registry/":                                                        {"", "key /registry/"},
		"compact_rev_key":                                                   {"", "key compact_rev_key"},
	} {
		o := d.Name([]byte(key))
		if o.Resource != want.resource || o.String() != want.text {
			t.Errorf("%s: got %q, %q; want %q, %q", key, o.Resource, o, want.resource, want.text)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for _, prefix := range []string{"kubernetes.io", "/kubernetes.io", "/kubernetes.io/"} {
		d, err := objects.NewDecoder(prefix, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Name([]byte("/kubernetes.io/pods/a/b")).String(); got != "Pod a/b" {
			t.Errorf("prefix %q: got %q", prefix, got)
		}
	}
}

func TestEphemeral(t *testing.T) {
	d := decoder(t, "")
	for key, want := range map[string]string{
		"/registry/events/shop/web.1":             "events",
		"/registry/leases/kube-system/scheduler":  "leases",
		"/registry/leasecandidates/kube-system/x": "leases",
		"/registry/masterleases/10.0.0.1":         "addresses of API servers",
		"/registry/peerserverleases/x":            "addresses of API servers",
		"/registry/pods/events/web":               "",
		"/registry/events.example/things/a":       "",
		"/elsewhere/events/shop/web.1":            "",
	} {
		if rule, ephemeral := d.Ephemeral([]byte(key)); rule != want || ephemeral != (want != "") {
			t.Errorf("%s: got %q, %v", key, rule, ephemeral)
		}
	}
}

func TestTheValueMustBeWhatItsKeySays(t *testing.T) {
	d := decoder(t, "")
	value := stored(t, secretObject("shop", "db"))
	newer := secretObject("shop", "db")
	newer.APIVersion = "v7"
	foreign := secretObject("shop", "db")
	foreign.APIVersion = "apps/v1"
	novelty := secretObject("shop", "one")
	novelty.APIVersion, novelty.Kind = "apps/v1", "Novelty"
	damaged := secretObject("shop", "one")
	damaged.APIVersion, damaged.Kind = "apps/v1", "N\x01velty"
	for _, c := range []struct {
		key     string
		value   []byte
		unknown bool
		reason  string
	}{
		{"/registry/configmaps/shop/db", value, false, "the value is a Secret of v1, the key is one of configmaps"},
		{"/registry/secrets/shop/db", stored(t, foreign), false, "the value is a Secret of apps/v1, the key is one of secrets"},
		{"/registry/secrets/shop/web", value, false, "the name in its metadata"},
		{"/registry/secrets/bank/db", value, false, "the namespace in its metadata"},
		{"/registry/secrets/db", value, false, "the namespace in its metadata"},
		{"/registry/lab.io/secrets/shop/db", value, false, "belongs to the group lab.io"},
		{"/registry/secrets/shop/db", stored(t, newer), true, "version v7 of secrets is not known to this gameday"},
		{"/registry/novelties/shop/one", stored(t, novelty), true, `kind Novelty of group "apps" is newer than this gameday`},
		{"/registry/novelties/shop/one", stored(t, damaged), false, "no names of a type"},
		{"/registry/secrets/shop/db", nil, false, "empty"},
		{"/registry/secrets/shop/db", []byte("nonsense"), false, "neither protobuf nor JSON"},
		{"/registry/secrets/shop/db", []byte("k8s\x00"), false, "does not say what it is"},
		{"/registry/secrets/shop/db", value[:len(value)-20], false, "ends too early"},
		{"/registry/secrets/shop/db", []byte(`{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db","namespace":"shop"},"data":5}`), false, "does not fit Secret of v1"},
		{"/registry/secrets/shop/db", []byte(`{"kind":"Secret","apiVersion":"v1"`), false, "is not JSON: it breaks at byte"},
		{"/registry/lab.io/widgets/shop/one", []byte(`{"kind":7,"apiVersion":"lab.io/v1"}`), false, "is not a text"},
		{"/registry/secrets/shop/db/more", value, false, "key of this layout"},
	} {
		_, err := d.Decode([]byte(c.key), c.value)
		t.Run(c.key+" "+c.reason, func(t *testing.T) { undecodable(t, err, c.unknown, c.reason) })
	}
	if o, err := d.Decode([]byte("/registry/secrets/shop/db"), value); err != nil || o.UID != "uid-1" {
		t.Errorf("the value under its own key: %+v, %v", o, err)
	}
}

// What is in the message must be unmarshalled too, not only its envelope.
func TestDamageInsideTheMessageIsSeen(t *testing.T) {
	d := decoder(t, "")
	value := stored(t, secretObject("shop", "db"))
	key := []byte("/registry/secrets/shop/db")
	at := bytes.Index(value, []byte("password"))
	value[at-1]++ // the length of the name of the entry
	_, err := d.Decode(key, value)
	undecodable(t, err, false, "damaged")
}

func TestEncodings(t *testing.T) {
	d := decoder(t, "")
	key := []byte("/registry/secrets/shop/db")
	var asJSON, asYAML, asCBOR bytes.Buffer
	for out, options := range map[*bytes.Buffer]json.SerializerOptions{&asJSON: {}, &asYAML: {Yaml: true}} {
		if err := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, options).Encode(secretObject("shop", "db"), out); err != nil {
			t.Fatal(err)
		}
	}
	if err := cbor.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(secretObject("shop", "db"), &asCBOR); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string][]byte{"JSON": asJSON.Bytes(), "YAML": asYAML.Bytes(), "CBOR": asCBOR.Bytes()} {
		t.Run(name, func(t *testing.T) {
			o, err := d.Decode(key, value)
			if err != nil || o.String() != "Secret shop/db" || o.APIVersion != "v1" || o.UID != "uid-1" {
				t.Errorf("got %+v, %v", o, err)
			}
			if _, err := d.Decode([]byte("/registry/secrets/shop/web"), value); err == nil {
				t.Error("decodes under the key of another Secret")
			}
		})
	}
	value := bytes.Replace(asCBOR.Bytes(), []byte("Data"), []byte("data"), 1)
	if _, err := d.Decode(key, value[:len(value)-1]); err == nil {
		t.Error("CBOR without its end decodes")
	}
}

func TestObjectsOfExtensions(t *testing.T) {
	d := decoder(t, "")
	widget := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "lab.io/v1", "kind": "Widget", "spec": map[string]any{"size": int64(3)},
		"metadata": map[string]any{"namespace": "shop", "name": "one", "uid": "uid-2"},
	}}
	var asJSON, asCBOR bytes.Buffer
	if err := unstructured.UnstructuredJSONScheme.Encode(widget, &asJSON); err != nil {
		t.Fatal(err)
	}
	if err := cbor.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(widget, &asCBOR); err != nil {
		t.Fatal(err)
	}
	for _, value := range [][]byte{asJSON.Bytes(), asCBOR.Bytes()} {
		o, err := d.Decode([]byte("/registry/lab.io/widgets/shop/one"), value)
		if err != nil || o.String() != "Widget shop/one" || o.Resource != "widgets.lab.io" || o.UID != "uid-2" {
			t.Errorf("got %+v, %v", o, err)
		}
		_, err = d.Decode([]byte("/registry/other.io/widgets/shop/one"), value)
		undecodable(t, err, false, "belongs to the group other.io")
		_, err = d.Decode([]byte("/registry/lab.io/widgets/shop/one"), value[:len(value)-2])
		undecodable(t, err, false, "not")
	}
}

func TestMomentOfALease(t *testing.T) {
	renewed := metav1.NewMicroTime(time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC))
	lease := &coordinationv1.Lease{
		TypeMeta:   metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: "n1"},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &renewed},
	}
	d := decoder(t, "")
	key, value := []byte("/registry/leases/kube-node-lease/n1"), stored(t, lease)
	lease.Spec.RenewTime = nil
	without := stored(t, lease)
	for range 100 { // objects are used again, and must not remember
		o, err := d.Decode(key, value)
		if err != nil || !o.At.Equal(renewed.Time) {
			t.Fatalf("got %v, %v", o.At, err)
		}
		if o, err = d.Decode(key, without); err != nil || !o.At.IsZero() {
			t.Fatalf("a Lease without renewTime: got %v, %v", o.At, err)
		}
	}
}

// An API server keeps its own addresses in objects without metadata.
func TestInternalObjectsHaveNoMetadata(t *testing.T) {
	d := decoder(t, "")
	address := &corev1.Endpoints{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Endpoints"}} //nolint:staticcheck // API servers still keep their addresses so
	if _, err := d.Decode([]byte("/registry/masterleases/10.0.0.1"), stored(t, address)); err != nil {
		t.Error(err)
	}
	_, err := d.Decode([]byte("/registry/services/endpoints/shop/web"), stored(t, address))
	undecodable(t, err, false, "the namespace in its metadata")
	_, err = d.Decode([]byte("/registry/ranges/serviceips"), stored(t, address))
	undecodable(t, err, false, "the value is a Endpoints of v1")
}

// Whatever one byte does to a value, Decode answers, and never with its content.
func TestFlippedAndTruncatedValues(t *testing.T) {
	d := decoder(t, "")
	key := []byte("/registry/secrets/shop/db")
	var asJSON bytes.Buffer
	if err := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{}).Encode(secretObject("shop", "db"), &asJSON); err != nil {
		t.Fatal(err)
	}
	for _, value := range [][]byte{stored(t, secretObject("shop", "db")), asJSON.Bytes()} {
		for i := range value {
			if _, err := d.Decode(key, value[:i]); err == nil && i < len(value)-4 {
				t.Errorf("the first %d of %d bytes decode", i, len(value))
			} else if err != nil && strings.Contains(err.Error(), "hunter") {
				t.Fatalf("the message holds the content: %v", err)
			}
			for _, flip := range []byte{0x01, 0x80, 0xff} {
				damaged := bytes.Clone(value)
				damaged[i] ^= flip
				if _, err := d.Decode(key, damaged); err != nil && (strings.Contains(err.Error(), "hunter") || strings.Contains(fmt.Sprintf("%+v", err), "uid")) {
					t.Fatalf("the message holds the content: %v", err)
				}
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	d := decoder(f, "")
	f.Add([]byte("/registry/secrets/shop/db"), stored(f, secretObject("shop", "db")))
	f.Add([]byte("/registry/lab.io/widgets/shop/one"), []byte(`{"apiVersion":"lab.io/v1","kind":"Widget","metadata":{"name":"one","namespace":"shop"}}`))
	f.Add([]byte("/registry/lab.io/widgets/one"), []byte("\xd9\xd9\xf7\xa1\x4akind\x46Widget"))
	f.Add([]byte("/registry/secrets/shop/db"), []byte("apiVersion: v1\nkind: Secret\n"))
	f.Add([]byte("/registry/secrets/shop/db"), []byte("k8s:enc:aescbc:v1:key1:0123456789abcdef0123456789abcdef"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		o, err := d.Decode(key, value)
		if named := d.Name(key); err == nil && (o.Namespace != named.Namespace || o.Name != named.Name) {
			t.Errorf("decoded as %s, the key names %s", o, named)
		}
		if err == nil && (o.Kind == "" || o.Resource == "" || o.APIVersion == "") {
			t.Errorf("decoded without its type: %+v", o)
		}
		d.Ephemeral(key)
	})
}

func BenchmarkDecode(b *testing.B) {
	d := decoder(b, "")
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-3", Labels: map[string]string{"app": "web", "team": "shop"}},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "web", Image: "registry.example/shop/web:1"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady}}},
	}
	config := &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-4"},
		Data:       map[string]string{"app.yaml": strings.Repeat("color: blue\n", 80)},
	}
	for key, object := range map[string]runtime.Object{"/registry/pods/shop/web": pod, "/registry/configmaps/shop/web": config} {
		b.Run(object.GetObjectKind().GroupVersionKind().Kind, func(b *testing.B) {
			value := stored(b, object)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode([]byte(key), value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
