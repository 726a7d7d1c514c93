package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gameday.dev/gameday/verify"
)

func TestEnvironment(t *testing.T) {
	data, err := os.ReadFile("testdata/environment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	environment, err := LoadEnvironment(Source{Name: "conf/gameday.yaml", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	spec := environment.Spec
	for _, test := range []struct{ what, got, want string }{
		{"absolute path", spec.Prometheus.BearerTokenFile, "/var/run/token"},
		{"relative path", spec.Prometheus.CAFile, "conf/ca.crt"},
		{"path upwards", spec.Kubeconfig, "kubeconfig"},
		{"header file", spec.Alertmanager.HeaderFiles["Authorization"], "conf/basic"},
		{"etcd", spec.Etcd.EncryptionConfig, "conf/enc.yaml"},
		{"velero", spec.Velero.Namespace, "velero"},
		{"header", spec.Prometheus.Headers["X-Scope-OrgID"], "shop"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, test.got, test.want)
		}
	}
}

func TestEndpointForChecks(t *testing.T) {
	endpoint := &Endpoint{URL: "http://a", CAFile: "ca", Headers: Headers{"A": "1"}, HeaderFiles: map[string]string{"B": "b"}}
	got, err := endpoint.ForChecks(func(path string) ([]byte, error) { return []byte("from " + path + "\n"), nil })
	if err != nil {
		t.Fatal(err)
	}
	want := &verify.Endpoint{URL: "http://a", CAFile: "ca", Headers: map[string]string{"A": "1", "B": "from b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("endpoint (-want +got):\n%s", diff)
	}
	if len(endpoint.Headers) != 1 {
		t.Error("the environment itself was changed")
	}
	_, err = endpoint.ForChecks(func(string) ([]byte, error) { return nil, errors.New("gone") })
	if err == nil || err.Error() != "reading header B of http://a: gone" {
		t.Errorf("got %v", err)
	}
	var none *Endpoint
	if got, err := none.ForChecks(nil); got != nil || err != nil {
		t.Errorf("no endpoint became %v, %v", got, err)
	}
}

func TestHeaderValuesStayHidden(t *testing.T) {
	environment := Environment{Spec: EnvironmentSpec{Prometheus: &Endpoint{Headers: Headers{"Authorization": "s3cret"}}}}
	document, err := json.Marshal(environment)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(document),
		fmt.Sprint(environment.Spec.Prometheus), fmt.Sprintf("%+v", *environment.Spec.Prometheus),
		fmt.Sprintf("%#v", *environment.Spec.Prometheus), fmt.Sprintf("%q", environment.Spec.Prometheus.Headers),
	} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "Authorization") {
			t.Errorf("got %s", text)
		}
	}
}

func TestEnvironmentProblems(t *testing.T) {
	data, err := os.ReadFile("testdata/environment-problems.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source := Source{Name: "gameday.yaml", Data: data}
	environment, err := LoadEnvironment(source)
	var problems *LoadError
	if !errors.As(err, &problems) || environment != nil {
		t.Fatalf("got %v and error %v, want a *LoadError alone", environment, err)
	}
	checkGolden(t, "testdata/environment-problems.golden", err.Error()+"\n")
	checkPlaces(t, source, problems)
	if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "4711") {
		t.Error("a secret got into the message")
	}
}
