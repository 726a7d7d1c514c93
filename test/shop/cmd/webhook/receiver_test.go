package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/test/shop/internal/jsonl"
)

func open(t *testing.T, path string) http.Handler {
	t.Helper()
	file, err := jsonl.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return newReceiver(file)
}

func do(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestReceivedIsWhatWasPosted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.jsonl")
	h := open(t, path)
	if got := strings.TrimSpace(do(h, "GET", "/received", "").Body.String()); got != "[]" {
		t.Errorf("before any notification: %s, want []", got)
	}

	before := time.Now()
	for _, body := range []string{"{\n  \"status\": \"firing\"\n}", `{"status":"resolved"}`} {
		if w := do(h, "POST", "/", body); w.Code != http.StatusOK {
			t.Fatalf("POST answered %d: %s", w.Code, w.Body)
		}
	}
	if w := do(h, "POST", "/", "not json"); w.Code != http.StatusBadRequest {
		t.Errorf("POST of no JSON answered %d", w.Code)
	}

	// Another receiver on the same file: what was received survives a restart.
	var got []struct {
		At           time.Time
		Notification struct{ Status string }
	}
	w := do(open(t, path), "GET", "/received", "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("decoding %s: %v", w.Body, err)
	}
	if len(got) != 2 || got[0].Notification.Status != "firing" || got[1].Notification.Status != "resolved" {
		t.Errorf("received %+v", got)
	}
	for _, n := range got {
		if n.At.Before(before.Add(-time.Millisecond)) || n.At.After(time.Now()) {
			t.Errorf("arrival %s is not between posting and now", n.At)
		}
	}
}
