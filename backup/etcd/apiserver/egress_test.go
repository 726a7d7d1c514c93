package apiserver

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/internal/child"
)

// trap counts who comes.
type trap struct {
	port  int
	calls atomic.Int64
}

func setTrap(t *testing.T) *trap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	caught := &trap{port: listener.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			caught.calls.Add(1)
			conn.Close()
		}
	}()
	return caught
}

// setTraps makes a cluster that sends its API server to traps in every way
// there is, and gives them by name.
func setTraps(t *testing.T, client kubernetes.Interface) map[string]*trap {
	t.Helper()
	traps := map[string]*trap{}
	for _, name := range []string{
		"validating webhook by url", "validating webhook by service", "mutating webhook by url", "mutating webhook by service",
		"conversion webhook by url", "conversion webhook by service", "aggregated API", "kubelet",
	} {
		traps[name] = setTrap(t)
	}
	url := func(name string) string {
		return fmt.Sprintf(`{"url":"https://127.0.0.1:%d/hook"}`, traps[name].port)
	}
	service := func(name string) string {
		return fmt.Sprintf(`{"service":{"namespace":"shop","name":"hook","port":%d,"path":"/hook"}}`, traps[name].port)
	}
	create(t, client, "/api/v1/namespaces", `{"metadata":{"name":"shop"}}`)
	// No kube-proxy stands between the API server and such a service.
	create(t, client, "/api/v1/namespaces/shop/services", `{"metadata":{"name":"hook"},"spec":{"type":"ExternalName","externalName":"localhost"}}`)
	for _, kind := range []string{"Validating", "Mutating"} {
		var hooks []string
		for by, config := range map[string]string{"url": url(strings.ToLower(kind) + " webhook by url"), "service": service(strings.ToLower(kind) + " webhook by service")} {
			hooks = append(hooks, `{"name":"`+by+`.lab.io","clientConfig":`+config+`,"failurePolicy":"Ignore","timeoutSeconds":1,"sideEffects":"None",
"admissionReviewVersions":["v1"],"rules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["configmaps","leases"]}]}`)
		}
		create(t, client, "/apis/admissionregistration.k8s.io/v1/"+strings.ToLower(kind)+"webhookconfigurations",
			`{"apiVersion":"admissionregistration.k8s.io/v1","kind":"`+kind+`WebhookConfiguration","metadata":{"name":"trap"},"webhooks":[`+strings.Join(hooks, ",")+`]}`)
	}
	for plural, config := range map[string]string{"gadgets": url("conversion webhook by url"), "gizmos": service("conversion webhook by service")} {
		schema := `"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}`
		create(t, client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
			`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"`+plural+`.lab.io"},"spec":{"group":"lab.io","scope":"Namespaced",
"names":{"plural":"`+plural+`","kind":"`+plural+`"},"conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":`+config+`}},
"versions":[{"name":"v1","served":true,"storage":true,`+schema+`},{"name":"v2","served":true,"storage":false,`+schema+`}]}}`)
		create(t, client, "/apis/lab.io/v1/namespaces/shop/"+plural, `{"apiVersion":"lab.io/v1","kind":"`+plural+`","metadata":{"name":"one"},"spec":{}}`)
	}
	create(t, client, "/apis/apiregistration.k8s.io/v1/apiservices",
		fmt.Sprintf(`{"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.far.lab.io"},"spec":{"group":"far.lab.io","version":"v1",
"insecureSkipTLSVerify":true,"groupPriorityMinimum":100,"versionPriority":10,"service":{"namespace":"shop","name":"hook","port":%d}}}`, traps["aggregated API"].port))
	create(t, client, "/api/v1/nodes", fmt.Sprintf(`{"metadata":{"name":"n1"},"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":%d}}}}`, traps["kubelet"].port))
	create(t, client, "/api/v1/namespaces/shop/serviceaccounts", `{"metadata":{"name":"default"}}`)
	create(t, client, "/api/v1/namespaces/shop/pods", `{"metadata":{"name":"web"},"spec":{"nodeName":"n1","automountServiceAccountToken":false,"containers":[{"name":"c","image":"x"}]}}`)
	return traps
}

// walkIntoTraps asks an API server for everything that makes it call somebody.
func walkIntoTraps(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	ask := func(request *rest.Request) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, _ = request.MaxRetries(0).DoRaw(ctx) // whether it works is not the question
	}
	api := client.Discovery().RESTClient()
	ask(api.Post().AbsPath("/api/v1/namespaces/shop/configmaps").SetHeader("Content-Type", "application/json").Body([]byte(`{"metadata":{"generateName":"x-"}}`)))
	for _, path := range []string{
		"/apis/lab.io/v2/gadgets", "/apis/lab.io/v2/gizmos",
		"/apis/far.lab.io/v1", "/apis/far.lab.io/v1/things",
		"/api/v1/namespaces/shop/pods/web/log", "/api/v1/nodes/n1/proxy/metrics",
	} {
		ask(api.Get().AbsPath(path))
	}
}

// Whatever the restored data asks an API server to call, the scratch server
// does not; one without our flags does, which proves that the traps work.
func TestNobodyIsReached(t *testing.T) {
	binary := realBinary(t)
	etcd := startEtcd(t, t.TempDir())
	living := startServer(t, etcd.config(t, binary))
	traps := setTraps(t, living.Client)
	living.Stop()

	restored := restoreEtcd(t, etcd)
	server := startServer(t, restored.config(t, binary))
	compared, err := Compare(t.Context(), Options{Live: server.Client, Restored: server.Client, Revision: restored.revision(t)})
	if err != nil {
		t.Fatal(err)
	}
	if compared.Skipped["things.far.lab.io"] != "" || compared.Equal == 0 || compared.Counts["gadgets.lab.io"] != 1 {
		t.Errorf("compared: %+v", compared)
	}
	walkIntoTraps(t, server.Client)
	for name, trap := range traps {
		if calls := trap.calls.Load(); calls != 0 {
			t.Errorf("%s: reached %d times", name, calls)
		}
	}
	refused := server.Refused()
	t.Log("refused: ", refused)
	for _, name := range []string{"conversion webhook by url", "conversion webhook by service", "aggregated API", "kubelet"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(refused)), func(address string) bool {
			return strings.HasSuffix(address, fmt.Sprintf(":%d", traps[name].port))
		}) {
			t.Errorf("%s: nobody tried, so that nothing is proven", name)
		}
	}
	server.Stop()

	walkIntoTraps(t, startUnprotected(t, restored.config(t, binary)))
	for name, trap := range traps {
		if trap.calls.Load() == 0 {
			t.Errorf("%s: not reached without protection either, so that the trap proves nothing", name)
		}
	}
}

// startUnprotected boots an API server as Start does, but for the flags that hold it back.
func startUnprotected(t *testing.T, c Config) kubernetes.Interface {
	t.Helper()
	c.Dir = t.TempDir()
	own, err := makeCredentials(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	arguments := slices.DeleteFunc(c.arguments(own, "", port), func(argument string) bool {
		return strings.HasPrefix(argument, "--egress-selector-config-file") || strings.HasPrefix(argument, "--disable-admission-plugins")
	})
	process, err := child.Start(child.Spec{Args: arguments, Dir: c.Dir, Env: []string{"HOME=" + c.Dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Stop(0) })
	transport := &http.Transport{TLSClientConfig: own.client, ForceAttemptHTTP2: true}
	host := fmt.Sprintf("https://127.0.0.1:%d", port)
	for range 300 {
		if ready, err := askReady(t.Context(), transport, host); err == nil && (ready.ready || len(ready.failing) == 0 && ready.answered) {
			return kubernetes.NewForConfigOrDie(&rest.Config{Host: host, QPS: -1, Transport: transport})
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the unprotected server does not become ready: %s", process.Stderr())
	return nil
}
