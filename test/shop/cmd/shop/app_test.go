package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func do(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func wantCode(t *testing.T, h http.Handler, method, path string, want int) {
	t.Helper()
	if w := do(h, method, path, ""); w.Code != want {
		t.Errorf("%s %s answered %d (%s), want %d", method, path, w.Code, strings.TrimSpace(w.Body.String()), want)
	}
}

func wantMetric(t *testing.T, h http.Handler, line string) {
	t.Helper()
	if body := do(h, "GET", "/metrics", "").Body.String(); !strings.Contains(body, "\n"+line+"\n") {
		t.Errorf("metrics lack %q:\n%s", line, body)
	}
}

func newWeb() *app {
	a := newApp("web")
	addWeb(a)
	return a
}

func TestReadinessFlipsAndSaysWhen(t *testing.T) {
	a := newWeb()
	wantCode(t, a, "GET", "/readyz", http.StatusOK)
	wantMetric(t, a, "shop_ready 1")

	for _, c := range []struct {
		value          string
		ready, changed bool
		code           int
	}{
		{"false", false, true, http.StatusServiceUnavailable},
		{"false", false, false, http.StatusServiceUnavailable},
		{"true", true, true, http.StatusOK},
	} {
		before := time.Now()
		w := do(a, "POST", "/admin/ready?value="+c.value, "")
		after := time.Now()
		var got flip
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("decoding %s: %v", w.Body, err)
		}
		if got.Ready != c.ready || got.Changed != c.changed {
			t.Errorf("value=%s answered %+v", c.value, got)
		}
		if got.UnixNanos < before.UnixNano() || got.UnixNanos > after.UnixNano() || got.At.UnixNano() != got.UnixNanos {
			t.Errorf("flip at %s (%d) is not between %s and %s", got.At, got.UnixNanos, before, after)
		}
		wantCode(t, a, "GET", "/readyz", c.code)
	}
	wantCode(t, a, "POST", "/admin/ready?value=maybe", http.StatusBadRequest)
	wantCode(t, a, "GET", "/healthz", http.StatusOK)
}

func TestDrainingIsForGood(t *testing.T) {
	a := newWeb()
	a.ready.drain()
	do(a, "POST", "/admin/ready?value=true", "")
	wantCode(t, a, "GET", "/readyz", http.StatusServiceUnavailable)
	if got := do(a, "GET", "/", "").Header().Get("Connection"); got != "close" {
		t.Errorf("while draining, Connection is %q, want close", got)
	}
}

func TestWebCountsItsCustomersOnly(t *testing.T) {
	a := newWeb()
	wantMetric(t, a, `http_requests_total{code="500"} 0`)
	wantCode(t, a, "GET", "/", http.StatusOK)
	wantCode(t, a, "GET", "/readyz", http.StatusOK)
	wantCode(t, a, "GET", "/nowhere", http.StatusNotFound)
	wantMetric(t, a, `http_requests_total{code="200"} 1`)
	wantMetric(t, a, `http_requests_total{code="404"} 1`)

	wantCode(t, a, "POST", "/admin/code?value=500", http.StatusNoContent)
	wantCode(t, a, "GET", "/", http.StatusInternalServerError)
	wantMetric(t, a, `http_requests_total{code="500"} 1`)
	wantCode(t, a, "POST", "/admin/code?value=99", http.StatusBadRequest)
}

func TestMetricsAreTheTextFormat(t *testing.T) {
	w := do(newWeb(), "GET", "/metrics", "")
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("content type is %q", got)
	}
	sample := regexp.MustCompile(`^[a-z_]+(\{([a-z]+="[^"]*",?)+\})? [0-9.e+]+$`)
	comment := regexp.MustCompile(`^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge))$`)
	for s := bufio.NewScanner(w.Body); s.Scan(); {
		if !sample.MatchString(s.Text()) && !comment.MatchString(s.Text()) {
			t.Errorf("line %q is neither a sample nor a comment", s.Text())
		}
	}
}

func TestWorkerWorksUntilStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp("worker")
		addWorker(t.Context(), a, time.Second)
		time.Sleep(10*time.Second + time.Millisecond)
		wantMetric(t, a, "shop_orders_processed_total 10")
	})
}

func TestStoreKeepsItsEntriesOverARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	a := newApp("store")
	s, err := addStore(a, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"one", "two\nlines"} {
		if w := do(a, "POST", "/put?key=k", value); w.Code != http.StatusOK {
			t.Fatalf("put answered %d: %s", w.Code, w.Body)
		}
	}
	wantCode(t, a, "PUT", "/put", http.StatusBadRequest)
	wantCode(t, a, "PUT", "/put?key=%ff", http.StatusBadRequest)
	wantCode(t, a, "GET", "/get?key=other", http.StatusNotFound)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}

	a = newApp("store")
	if s, err = addStore(a, dir); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if got := do(a, "GET", "/get?key=k", "").Body.String(); got != "two\nlines" {
		t.Errorf("after a restart k is %q", got)
	}
	wantMetric(t, a, "shop_store_entries 2")
}

func TestStoreRefusesAFileWithAGap(t *testing.T) {
	dir := t.TempDir()
	line := `{"seq":2,"key":"k","value":"v"}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "store.jsonl"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := addStore(newApp("store"), dir); err == nil {
		t.Error("a store without its first entry opened")
	}
}
