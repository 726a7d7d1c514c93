package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// fakeServer answers like an API server, for what real ones can't be made to
// do at will: to be compacted in the middle of a list, throttled, broken.
type fakeServer struct {
	revision int64
	// lists by path: the objects, as the server would list them.
	lists map[string][]object
	// groups are what aggregated discovery holds under /apis.
	groups string
	// before may answer a request itself.
	before func(http.ResponseWriter, *http.Request) bool

	mu       sync.Mutex
	requests []string
}

type object struct {
	namespace, name, uid string
	revision             int64
	data                 string // a JSON member, such as "data":{"a":"b"}
}

func (o object) String() string {
	text := fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q,"uid":%q,"resourceVersion":"%d"}`, o.namespace, o.name, o.uid, o.revision)
	if o.data != "" {
		text += "," + o.data
	}
	return text + "}"
}

const (
	coreGroup = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[
{"resource":"configmaps","responseKind":{"version":"v1","kind":"ConfigMap"},"scope":"Namespaced","verbs":["get","list"]},
{"resource":"componentstatuses","responseKind":{"version":"v1","kind":"ComponentStatus"},"scope":"Cluster","verbs":["get","list"]},
{"resource":"bindings","responseKind":{"version":"v1","kind":"Binding"},"scope":"Namespaced","verbs":["create"]}]}]}]}`
	widgetGroup = `{"metadata":{"name":"lab.io"},"versions":[
{"version":"v2","resources":[{"resource":"widgets","responseKind":{"kind":"Widget"},"verbs":["list"],"subresources":[{"subresource":"status","verbs":["list"]}]}]},
{"version":"v1","resources":[{"resource":"widgets","responseKind":{"kind":"Widget"},"verbs":["list"]}]}]}`
	staleGroup  = `{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}`
	metricGroup = `{"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","resources":[{"resource":"pods","responseKind":{"kind":"PodMetrics"},"verbs":["list"]}]}]}`
	leaseGroup  = `{"metadata":{"name":"coordination.k8s.io"},"versions":[{"version":"v1","resources":[{"resource":"leases","responseKind":{"kind":"Lease"},"verbs":["list"]}]}]}`
	leasePath   = "/apis/coordination.k8s.io/v1/leases"
	crdPath     = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	servicePath = "/apis/apiregistration.k8s.io/v1/apiservices"
	mapPath     = "/api/v1/configmaps"
)

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.String())
	f.mu.Unlock()
	if f.before != nil && f.before(w, r) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/api":
		fmt.Fprint(w, coreGroup)
		return
	case "/apis":
		fmt.Fprint(w, `{"kind":"APIGroupDiscoveryList","items":[`+f.groups+`]}`)
		return
	}
	objects, served := f.lists[r.URL.Path]
	if !served && r.URL.Path != crdPath && r.URL.Path != servicePath {
		fail(w, http.StatusNotFound, "NotFound", "")
		return
	}
	query := r.URL.Query()
	at, from := f.revision, 0
	if exact := query.Get("resourceVersion"); exact != "" {
		at, _ = strconv.ParseInt(exact, 10, 64)
	}
	if token := query.Get("continue"); token != "" {
		_, _ = fmt.Sscanf(token, "%d@%d", &from, &at)
	}
	limit, _ := strconv.Atoi(query.Get("limit"))
	to, proceed := min(from+limit, len(objects)), ""
	if to < len(objects) {
		proceed = fmt.Sprintf("%d@%d", to, at)
	}
	var items []string
	for _, o := range objects[from:to] {
		items = append(items, o.String())
	}
	fmt.Fprintf(w, `{"kind":"List","metadata":{"resourceVersion":"%d","continue":%q},"items":[%s]}`, at, proceed, strings.Join(items, ","))
}

func fail(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	status, _ := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
	w.Write(status)
}

func serve(t *testing.T, f *fakeServer) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		for _, request := range f.requests {
			if !strings.HasPrefix(request, "GET ") {
				t.Errorf("the comparison sent %s", request)
			}
		}
	})
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func many(count int, revision int64) []object {
	var all []object
	for i := range count {
		all = append(all, object{"shop", fmt.Sprintf("c-%05d", i), fmt.Sprint("u", i), revision, `"data":{"a":"b"}`})
	}
	return all
}

func definitionObject(name, spec string) object {
	return object{"", name, "u", 1, `"spec":` + spec}
}

const widgetSpec = `{"group":"lab.io","versions":[{"name":"v2","served":true,"storage":false},{"name":"v1","served":true,"storage":true}]}`

func TestCompareOnFakes(t *testing.T) {
	a := object{"shop", "a", "1", 10, `"data":{"x":"1"}`}
	widget := object{"shop", "w", "1", 10, `"spec":{"size":1}`}
	definition := definitionObject("widgets.lab.io", widgetSpec)
	base := func(objects ...object) *fakeServer {
		return &fakeServer{revision: 100, lists: map[string][]object{mapPath: objects}}
	}
	with := func(f *fakeServer, change func(*fakeServer)) *fakeServer { change(f); return f }
	widgets := func(f *fakeServer) { // as stored at v1
		f.groups = widgetGroup
		f.lists[crdPath] = []object{definition}
		f.lists["/apis/lab.io/v1/widgets"] = []object{widget}
	}
	for name, scene := range map[string]struct {
		living, restored *fakeServer
		options          Options
		want             Compared
	}{
		"equal, and views and what is not listed left out": {
			base(a), base(a), Options{},
			Compared{Resources: 1, Objects: 1, Equal: 1, Counts: map[string]int64{"configmaps": 1}},
		},
		"pages on both sides": {
			base(many(1234, 5)...), base(many(1234, 5)...), Options{},
			Compared{Resources: 1, Objects: 1234, Equal: 1234, Counts: map[string]int64{"configmaps": 1234}},
		},
		"one missing in the middle of many": {
			base(many(1234, 5)...), base(slices.Delete(many(1234, 5), 700, 701)...), Options{},
			Compared{Resources: 1, Objects: 1233, Equal: 1233, Counts: map[string]int64{"configmaps": 1233}, Missing: []string{"ConfigMap shop/c-00700"}, MissingCount: 1},
		},
		"first few only": {
			base(), base(many(50, 5)...), Options{},
			Compared{Resources: 1, Objects: 50, Counts: map[string]int64{"configmaps": 50}, Extra: func() (all []string) {
				for i := range shown {
					all = append(all, fmt.Sprintf("ConfigMap shop/c-%05d", i))
				}
				return all
			}(), ExtraCount: 50},
		},
		"stored but not listed": {
			base(a), base(a), Options{Stored: map[string]int64{"configmaps": 3, "ranges": 2, "masterleases": 1, "": 4, "widgets.lab.io": 12}},
			Compared{Resources: 1, Objects: 1, Equal: 1, Counts: map[string]int64{"configmaps": 1}, MissingCount: 14, Missing: []string{
				"3 configmaps are stored, but the restored API server lists 1", "12 widgets.lab.io are stored, but the restored API server does not serve them",
			}},
		},
		"listed but not stored": {
			base(a), base(a), Options{Stored: map[string]int64{}},
			Compared{Resources: 1, Objects: 1, Equal: 1, Counts: map[string]int64{"configmaps": 1}, ExtraCount: 1, Extra: []string{"the restored API server lists 1 configmaps, but 0 are stored"}},
		},
		"kept in another etcd": {
			base(a), base(), Options{Elsewhere: []string{"configmaps"}, Stored: map[string]int64{}},
			Compared{Skipped: map[string]string{"configmaps": "the living cluster keeps it in another etcd"}},
		},
		"custom resources at the version they are stored at": {
			with(base(a), widgets), with(base(a), widgets), Options{},
			Compared{Resources: 2, Objects: 2, Equal: 2, Counts: map[string]int64{"configmaps": 1, "widgets.lab.io": 1}},
		},
		"not served any more, and there were some": {
			with(base(a), widgets), base(a), Options{},
			Compared{Resources: 1, Objects: 1, Equal: 1, Counts: map[string]int64{"configmaps": 1}, MissingCount: 1, Missing: []string{"1 widgets.lab.io of the living cluster: the restored API server does not serve them"}},
		},
		"defined since": {
			with(base(a), func(f *fakeServer) {
				widgets(f)
				f.lists["/apis/lab.io/v1/widgets"] = nil // at the snapshot's revision
			}), base(a), Options{},
			Compared{Resources: 1, Objects: 1, Equal: 1, Counts: map[string]int64{"configmaps": 1},
				Skipped: map[string]string{"widgets.lab.io": "the restored API server does not serve it, and the living cluster had none at the snapshot's revision"}},
		},
		"definition deleted since": {
			base(a), with(base(a), widgets), Options{},
			Compared{Resources: 1, Objects: 2, Equal: 1, Moved: 1, Counts: map[string]int64{"configmaps": 1, "widgets.lab.io": 1},
				Skipped: map[string]string{"widgets.lab.io": "its CustomResourceDefinition has been deleted from the living cluster since"}},
		},
		"definition changed since": {
			with(base(a), func(f *fakeServer) {
				widgets(f)
				f.lists[crdPath] = []object{definitionObject("widgets.lab.io", strings.Replace(widgetSpec, "}]", `},{"name":"v3"}]`, 1))}
				f.lists["/apis/lab.io/v1/widgets"] = []object{{"shop", "w", "1", 10, `"spec":{"size":1,"colour":"defaulted"}`}}
			}), with(base(a), widgets), Options{},
			Compared{Resources: 1, Objects: 2, Equal: 1, Counts: map[string]int64{"configmaps": 1, "widgets.lab.io": 1},
				Untold: map[string]string{"widgets.lab.io": "its CustomResourceDefinition has changed since the snapshot, and with it what the living cluster makes of what it stores"}},
		},
		"aggregated APIs are others'": {
			with(base(a), func(f *fakeServer) {
				f.groups = metricGroup
				f.lists[servicePath] = []object{{"", "v1.apps", "u", 1, `"spec":{"group":"apps","version":"v1","service":null}`}, {"", "v1beta1.metrics.k8s.io", "u", 1, `"spec":{"group":"metrics.k8s.io","version":"v1beta1","service":{"name":"m"}}`}}
			}), with(base(a), func(f *fakeServer) { f.groups = staleGroup }), Options{},
			Compared{Resources: 1, Objects: 1, Equal: 1, Counts: map[string]int64{"configmaps": 1},
				Skipped: map[string]string{"pods.metrics.k8s.io": "another server serves it (APIService v1beta1.metrics.k8s.io), and keeps it"}},
		},
		"not permitted": {
			with(base(a), func(f *fakeServer) {
				f.before = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == mapPath {
						fail(w, http.StatusForbidden, "Forbidden", "")
					}
					return r.URL.Path == mapPath
				}
			}), base(a), Options{},
			Compared{Untold: map[string]string{"configmaps": "the living cluster could not list it: it may not be listed (forbidden)"}},
		},
		"out of order": {
			base(a), base(object{"shop", "b", "1", 1, ""}, a), Options{},
			Compared{Untold: map[string]string{"configmaps": `the restored API server could not list it: the answer makes no sense: "shop/a" comes after "shop/b", which is not the order of keys`}},
		},
		"neither can": {
			with(base(a), broken), with(base(a), broken), Options{},
			Compared{Untold: map[string]string{"configmaps": "the living cluster could not list it: what is stored can't be decoded"}},
		},
		"only the restored can't": {
			base(a, object{"shop", "b", "2", 10, ""}), with(base(a), broken), Options{Stored: map[string]int64{"configmaps": 2}},
			Compared{MissingCount: 2, Missing: []string{"2 configmaps: the restored API server can't list them: what is stored can't be decoded"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			scene.options.Live, scene.options.Restored, scene.options.Revision = serve(t, scene.living), serve(t, scene.restored), 50
			compared, err := Compare(t.Context(), scene.options)
			if err != nil {
				t.Fatal(err)
			}
			if compared.Skipped["componentstatuses"] == "" {
				t.Error("componentstatuses are no view")
			}
			delete(compared.Skipped, "componentstatuses")
			for _, empty := range []*map[string]string{&scene.want.Skipped, &scene.want.Untold} {
				if *empty == nil {
					*empty = map[string]string{}
				}
			}
			if scene.want.Counts == nil {
				scene.want.Counts = map[string]int64{}
			}
			if diff := cmp.Diff(scene.want, compared); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func broken(f *fakeServer) {
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == mapPath {
			fail(w, http.StatusInternalServerError, "InternalError", "json: cannot unmarshal hunter2 into Go value")
		}
		return r.URL.Path == mapPath
	}
}

// The revision goes away while its second page is read: what was found of the
// first is forgotten, and the list of now is compared.
func TestCompactionInTheMiddleOfAList(t *testing.T) {
	living := &fakeServer{revision: 100, lists: map[string][]object{mapPath: many(200, 5)}}
	changed := living.lists[mapPath]
	changed[20].revision, changed[20].data = 80, `"data":{"a":"new"}` // since
	changed[30].uid, changed[30].revision = "another", 81             // deleted and made again
	changed[40].data = `"data":{"a":"other"}`                         // at the same revision: the snapshot is wrong
	changed[60].revision = 30                                         // before the snapshot, and not what it has
	living.lists[mapPath] = append(slices.Delete(changed, 150, 151),  // deleted since
		object{"shop", "d-old", "1", 40, ""}, object{"shop", "d-since", "2", 90, ""})
	// Across time nothing is owed of leases, whichever way they differ.
	lease := func(name string, revision int64) object { return object{"shop", name, "1", revision, ""} }
	living.groups = leaseGroup
	living.lists[leasePath] = []object{lease("a", 40), lease("renewed", 90)}
	living.before = func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		if r.URL.Path == mapPath && strings.HasSuffix(query.Get("continue"), "@50") || r.URL.Path == leasePath && query.Get("resourceVersion") == "50" {
			fail(w, http.StatusGone, "Expired", "The provided continue parameter is too old")
			return true
		}
		return false
	}
	restored := &fakeServer{revision: 50, groups: leaseGroup, lists: map[string][]object{mapPath: many(200, 5), leasePath: {lease("b", 41), lease("renewed", 42)}}}
	compared, err := Compare(t.Context(), Options{Live: serve(t, living), Restored: serve(t, restored), Revision: 50})
	if err != nil {
		t.Fatal(err)
	}
	want := Compared{Resources: 2, Objects: 202, Counts: map[string]int64{"configmaps": 200, "leases.coordination.k8s.io": 2}, Equal: 195, Moved: 4, Compacted: true,
		Different: []string{"ConfigMap shop/c-00040: data.a differs", "ConfigMap shop/c-00060: metadata.resourceVersion differs"}, DifferentCount: 2, Missing: []string{"ConfigMap shop/d-old"}, MissingCount: 1,
		Skipped: compared.Skipped, Untold: map[string]string{}}
	if diff := cmp.Diff(want, compared); diff != "" {
		t.Error(diff)
	}
}

// An API server that asks for patience gets it, for as long as it names.
func TestPatience(t *testing.T) {
	asked := 0
	slow := &fakeServer{revision: 50, lists: map[string][]object{mapPath: many(3, 5)}}
	slow.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != mapPath || asked == 3 {
			return false
		}
		asked++
		w.Header().Set("Retry-After", "1")
		if asked == 2 {
			fail(w, http.StatusServiceUnavailable, "ServiceUnavailable", "")
			return true
		}
		fail(w, http.StatusTooManyRequests, "TooManyRequests", "storage is (re)initializing")
		return true
	}
	var told []int64
	compared, err := Compare(t.Context(), Options{
		Live: serve(t, &fakeServer{revision: 60, lists: map[string][]object{mapPath: many(3, 5)}}), Restored: serve(t, slow), Revision: 50,
		Progress: func(objects int64) { told = append(told, objects) },
	})
	if err != nil || compared.Equal != 3 || asked != 3 || !slices.Equal(told, []int64{3}) {
		t.Errorf("%v %v, asked %d times: %+v", err, told, asked, compared)
	}
}

func TestNothingIsToldWithoutAServer(t *testing.T) {
	whole := func() *fakeServer {
		return &fakeServer{revision: 100, lists: map[string][]object{mapPath: many(3, 5)}}
	}
	tooNew := whole()
	tooNew.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("resourceVersion") == "" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusGatewayTimeout)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":504,"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1}}`)
		return true
	}
	old := whole()
	old.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/apis" {
			fmt.Fprint(w, `{"kind":"APIGroupList","groups":[]}`)
		}
		return r.URL.Path == "/apis"
	}
	otherRevision := whole()
	otherRevision.before = func(_ http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		query.Del("resourceVersion")
		r.URL.RawQuery = query.Encode()
		return false
	}
	if _, err := Compare(t.Context(), Options{Live: serve(t, tooNew), Restored: serve(t, whole()), Revision: 50}); err == nil || !strings.Contains(err.Error(), "has not reached revision 50") {
		t.Error(err)
	}
	if _, err := Compare(t.Context(), Options{Live: serve(t, old), Restored: serve(t, whole()), Revision: 50}); err == nil || !strings.Contains(err.Error(), "no aggregated discovery") {
		t.Error(err)
	}
	// A server that ignores the revision would compare apples and pears.
	compared, err := Compare(t.Context(), Options{Live: serve(t, otherRevision), Restored: serve(t, whole()), Revision: 50})
	if err != nil || !strings.Contains(compared.Untold["configmaps"], "asked for revision 50") || compared.Equal != 0 {
		t.Errorf("%v %+v", err, compared)
	}
}
