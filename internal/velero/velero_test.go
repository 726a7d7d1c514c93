package velero

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/rest"
)

func client(objects ...runtime.Object) Client {
	kinds := map[schema.GroupVersionResource]string{}
	for resource, kind := range map[string]string{
		Backups: "BackupList", Restores: "RestoreList", DownloadRequests: "DownloadRequestList", Schedules: "ScheduleList",
	} {
		kinds[schema.GroupVersionResource{Group: Group, Version: "v1", Resource: resource}] = kind
	}
	return Client{Dynamic: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...), Namespace: "velero"}
}

func TestPhases(t *testing.T) {
	for _, phase := range []velerov1.BackupPhase{"", "New", "Queued", "ReadyToStart", "InProgress", "WaitingForPluginOperations",
		"WaitingForPluginOperationsPartiallyFailed", "Finalizing", "FinalizingPartiallyFailed", "SomethingNew"} {
		if BackupEnded(phase) || RestoreEnded(velerov1.RestorePhase(phase)) {
			t.Errorf("%q is no end", phase)
		}
	}
	for _, phase := range []velerov1.BackupPhase{"Completed", "PartiallyFailed", "Failed", "FailedValidation"} {
		if !BackupEnded(phase) || !RestoreEnded(velerov1.RestorePhase(phase)) {
			t.Errorf("%q is an end", phase)
		}
	}
}

// What an older or newer Velero writes is read all the same.
func TestOtherVersionsAreRead(t *testing.T) {
	c := client(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "velero.io/v1", "kind": "Backup",
		"metadata": map[string]any{"namespace": "velero", "name": "b"},
		"spec":     map[string]any{"includedNamespaces": []any{"shop"}, "aFieldOfTomorrow": map[string]any{"a": int64(1)}},
		"status":   map[string]any{"phase": "Completed", "progress": map[string]any{"itemsBackedUp": int64(7), "more": true}},
	}})
	backup, err := c.Backup(t.Context(), "b")
	if err != nil || backup.Status.Progress.ItemsBackedUp != 7 || backup.Spec.IncludedNamespaces[0] != "shop" {
		t.Errorf("got %+v, %v", backup, err)
	}
}

func TestCreateLeavesTheStatusOut(t *testing.T) {
	c := client()
	made := &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Name: "b"}, Spec: velerov1.BackupSpec{IncludedNamespaces: []string{"shop"}}}
	if err := c.Create(t.Context(), Backups, "Backup", made); err != nil {
		t.Fatal(err)
	}
	object, err := c.resource(Backups).Get(t.Context(), "b", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, has := object.Object["status"]; has || object.GetAPIVersion() != "velero.io/v1" || object.GetNamespace() != "velero" {
		t.Errorf("made %v", object.Object)
	}
}

// A request that is on its way when its context ends is heard to its end; none is
// begun after that.
func TestCreateIsNotGivenUpHalfWay(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		object, _ := io.ReadAll(r.Body)
		cancel()
		time.Sleep(100 * time.Millisecond)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(object)
	}))
	defer server.Close()
	cluster, err := dynamic.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	c := Client{Dynamic: cluster, Namespace: "velero"}
	made := &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Name: "b"}}
	if err := c.Create(ctx, Backups, "Backup", made); err != nil {
		t.Errorf("given up half way: %v", err)
	}
	if err := c.Create(ctx, Backups, "Backup", made); !errors.Is(err, context.Canceled) || asked != 1 {
		t.Errorf("begun too late: %v, asked %d times", err, asked)
	}
}

func TestWaitingForWhatIsNotThere(t *testing.T) {
	if _, err := client().WaitBackup(t.Context(), "b", nil); !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("got %v", err)
	}
	if err := client().WaitGone(t.Context(), Backups, "b"); err != nil {
		t.Error(err)
	}
}

// A DownloadRequest has no phase that says it failed: only a deadline ends the wait,
// and the request does not stay behind.
func TestDownloadIsNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client()
		began := time.Now()
		_, err := c.Download(t.Context(), http.DefaultTransport, "r", nil, velerov1.DownloadTarget{Kind: velerov1.DownloadTargetKindBackupLog, Name: "b"})
		if !errors.Is(err, ErrNotAnswered) || time.Since(began) != answerBudget {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
		if names, err := c.Names(context.WithoutCancel(t.Context()), DownloadRequests, ""); err != nil || len(names) > 0 {
			t.Errorf("left behind: %v %v", names, err)
		}
	})
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestFetch(t *testing.T) {
	const signature = "X-Amz-Signature=0123456789abcdef"
	whole := zipped(t, "what was stored")
	answers := map[string]http.HandlerFunc{
		"/zipped": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole) },
		"/plain":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("what was stored")) },
		"/empty":  func(http.ResponseWriter, *http.Request) {},
		"/cut":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole[:len(whole)-9]) },
		"/flipped": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(bytes.Clone(whole[:3]), 0xff, 0xff))
		},
		"/hangup": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(whole[:12])
		},
		"/gone": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`<Error><Code>NoSuchKey</Code></Error>`))
		},
		"/denied": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<Error><Code>SignatureDoesNotMatch</Code><StringToSign>` + signature + `</StringToSign></Error>`))
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) }))
	defer server.Close()
	for path, want := range map[string]struct {
		text, says string
		is         error
		transfer   bool
	}{
		"/zipped":  {text: "what was stored"},
		"/plain":   {text: "what was stored"},
		"/empty":   {text: ""},
		"/cut":     {says: "unexpected EOF"},
		"/flipped": {says: "EOF", is: ErrDamaged},
		"/hangup":  {says: "unexpected EOF", transfer: true},
		"/gone":    {says: "NoSuchKey", is: ErrNotStored},
		"/denied":  {says: "403 Forbidden SignatureDoesNotMatch"},
	} {
		t.Run(path, func(t *testing.T) {
			stored, err := fetch(t.Context(), http.DefaultTransport, server.URL+path+"?"+signature)
			text := []byte{}
			broke := error(nil)
			if err == nil {
				text, err = io.ReadAll(stored)
				broke = stored.Err()
				stored.Close()
			}
			if want.says == "" && (err != nil || string(text) != want.text) {
				t.Errorf("got %q, %v", text, err)
			}
			if want.says != "" && (err == nil || !strings.Contains(err.Error(), want.says) || want.is != nil && !errors.Is(err, want.is)) {
				t.Errorf("got %v, want %s", err, want.says)
			}
			if want.transfer != (broke != nil) {
				t.Errorf("the transfer broke: %v", broke)
			}
			if err != nil && strings.Contains(err.Error(), signature) {
				t.Errorf("the error shows what was signed: %v", err)
			}
		})
	}
	server.Close()
	if _, err := fetch(t.Context(), http.DefaultTransport, server.URL+"/zipped?"+signature); err == nil || strings.Contains(err.Error(), signature) || !strings.Contains(err.Error(), "publicUrl") {
		t.Errorf("of a store that is away: %v", err)
	}
}

// An authority that is not known is no question of addresses.
func TestStoreOfAnUnknownAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	location := &velerov1.BackupStorageLocation{}
	transport, err := Transport(location, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t.Context(), transport, server.URL+"/file"); err == nil || !strings.Contains(err.Error(), "velero.caFile") || strings.Contains(err.Error(), "publicUrl") {
		t.Error(err)
	}
}

func TestReadResults(t *testing.T) {
	results, err := ReadResults(strings.NewReader(`{"errors":{"velero":["archive/tar: invalid tar header"]},
		"warnings":{"namespaces":{"shop":["could not restore,\n ConfigMap:conf already exists."]},"cluster":["c"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(results.Errors.Lines(), "|"); got != "velero: archive/tar: invalid tar header" {
		t.Error(got)
	}
	if got := strings.Join(results.Warnings.Lines(), "|"); got != "cluster: c|shop: could not restore, ConfigMap:conf already exists." {
		t.Error(got)
	}
	for _, text := range []string{``, `{}`, `null`, `[]`, `{"warnings":null,"errors":{}}`, `{"errors":{}}`, `{"Resource":"x"}`, `{"warnings":{},"errors":{}} trailing`, `{"warnings":{},"errors":{}}{}`} {
		if results, err := ReadResults(strings.NewReader(text)); err == nil {
			t.Errorf("%s is read as %+v", text, results)
		}
	}
	if _, err := ReadResults(strings.NewReader(`{"errors":{},"warnings":{}}` + "\n")); err != nil {
		t.Error(err)
	}
}

func TestResultsAreHeldAgainstTheStatus(t *testing.T) {
	results := Results{Warnings: Messages{Velero: []string{"a"}, Namespaces: map[string][]string{"shop": {"b", "c"}}}, Errors: Messages{Cluster: []string{"d"}}}
	for _, test := range []struct {
		warnings, errors int
		short            bool
	}{{3, 1, false}, {0, 0, false}, {4, 1, true}, {3, 2, true}} {
		if err := results.Short(test.warnings, test.errors); (err != nil) != test.short {
			t.Errorf("of %d warnings and %d errors: %v", test.warnings, test.errors, err)
		}
	}
}

func TestReadLog(t *testing.T) {
	text := "time=\"a\" level=info msg=\"fine\"\ntime=\"b\" level=error msg=\"one\"\n{\"level\":\"error\",\"msg\":\"two\"}\nlevel=error msg=three"
	lines, err := ReadLog(strings.NewReader(text), 2)
	if err != nil || len(lines) != 2 || !strings.Contains(lines[0], "two") || !strings.Contains(lines[1], "three") {
		t.Errorf("got %q, %v", lines, err)
	}
}

func TestLabelValue(t *testing.T) {
	long := strings.Repeat("a", 70)
	if got := LabelValue("short"); got != "short" {
		t.Error(got)
	}
	if got := LabelValue(long); len(got) != 63 || !strings.HasPrefix(got, strings.Repeat("a", 57)) {
		t.Error(got)
	}
}

func FuzzReadResults(f *testing.F) {
	f.Add([]byte(`{"errors":{"namespaces":{"a":["b"]}},"warnings":{}}`))
	f.Add([]byte(`{"errors":{},"warnings":{}}{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		results, err := ReadResults(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, line := range append(results.Errors.Lines(), results.Warnings.Lines()...) {
			if strings.Contains(line, "\n") {
				t.Errorf("%q is more than one line", line)
			}
		}
		if _, err := json.Marshal(results); err != nil {
			t.Error(err)
		}
	})
}
