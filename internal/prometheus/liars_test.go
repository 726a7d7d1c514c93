package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLiars asks servers that are not what they should be. None may be taken
// for a Prometheus in which nothing fires.
func TestLiars(t *testing.T) {
	answer := func(status int, mediaType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"500":              {answer(500, "text/plain", "boom"), "500 Internal Server Error"},
		"500 with a login": {answer(500, "text/html", "<html>"), "is this really Prometheus?"},
		"503 that speaks":  {answer(503, "application/json", `{"status":"error","errorType":"unavailable","error":"starting up"}`), "starting up"},
		"html":             {answer(200, "text/html; charset=utf-8", "<html>Sign in</html>"), "a login page?"},
		"html as json":     {answer(200, "application/json", "<html>Sign in</html>"), "not JSON"},
		"empty":            {answer(200, "application/json", ""), "answered with nothing"},
		"blank":            {answer(200, "application/json", " \n"), "answered with nothing"},
		"null":             {answer(200, "application/json", "null"), `status ""`},
		"empty object":     {answer(200, "application/json", "{}"), `status ""`},
		"half a document":  {answer(200, "application/json", `{"status":"success","data":{"resultType":"vec`), "cut off"},
		"error with 200":   {answer(200, "application/json", `{"status":"error","errorType":"execution","error":"query timed out"}`), "query timed out"},
		"no data":          {answer(200, "application/json", `{"status":"success"}`), "without data"},
		"null data":        {answer(200, "application/json", `{"status":"success","data":null}`), "without data"},
		"no result":        {answer(200, "application/json", `{"status":"success","data":{"resultType":"vector"}}`), "without a result"},
		"null result":      {answer(200, "application/json", `{"status":"success","data":{"resultType":"vector","result":null}}`), "without a result"},
		"other type":       {answer(200, "application/json", `{"status":"success","data":{"resultType":"streams","result":[]}}`), "streams"},
		"no labels":        {answer(200, "application/json", `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}}`), "without labels"},
		"time travel":      {answer(200, "application/json", `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[2,"1"],[1,"1"]]}]}}`), "order of time"},
		"value a number":   {answer(200, "application/json", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,1]}]}}`), "not a string"},
		"401":              {answer(401, "text/plain", ""), "bearer token"},
		"404":              {answer(404, "text/plain", "404 page not found"), "404 Not Found"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example/oauth?token=secret", http.StatusFound)
		}, "redirected (302 Found) to https://login.example/oauth: "},
		"truncated body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
		}, "cut off"},
		"hang up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"flood": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			spaces := strings.Repeat(" ", 1<<20)
			for range 65 {
				if _, err := w.Write([]byte(spaces)); err != nil {
					return
				}
			}
		}, "larger than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.serve)
			defer server.Close()
			client, err := New(Config{URL: server.URL, Headers: map[string]string{"X-Scope-OrgID": "top-secret"}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Query(t.Context(), "ALERTS", time.Time{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// TestSlow gives up on a server that takes the connection and says nothing.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{URL: "http://prometheus.example"})
		if err != nil {
			t.Fatal(err)
		}
		client.endpoint.client.Transport = silentTransport{}
		began := time.Now()
		_, err = client.Query(t.Context(), "ALERTS", time.Time{})
		if err == nil || !strings.Contains(err.Error(), "no answer within 10s") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != requestTimeout {
			t.Errorf("gave up after %s", took)
		}
	})
}

type silentTransport struct{}

func (silentTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestLetIn checks prefix, headers and a token that rotates.
func TestLetIn(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
	}))
	defer server.Close()
	for _, prefix := range []string{"", "/", "/prometheus", "/prometheus/", "/a/b"} {
		client, err := New(Config{URL: server.URL + prefix, BearerTokenFile: token, Headers: map[string]string{"X-Scope-OrgID": "shop"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{"one", "two\n"} {
			if err := os.WriteFile(token, []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Query(t.Context(), "up", time.Unix(1, 5e6)); err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSuffix(prefix, "/") + "/api/v1/query"; got.URL.Path != want {
				t.Errorf("asked for %s, want %s", got.URL.Path, want)
			}
			if got.Header.Get("Authorization") != "Bearer "+strings.TrimSpace(value) || got.Header.Get("X-Scope-OrgID") != "shop" {
				t.Errorf("asked with %v", got.Header)
			}
			if got.URL.Query().Get("time") != "1.005" || got.Method != http.MethodGet {
				t.Errorf("asked %s %s", got.Method, got.URL)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, config := range map[string]Config{
		"http://":                      {URL: "prometheus:9090"},
		"names no host":                {URL: "http:///x"},
		"not a URL":                    {URL: "http://user:hunter2@[::1"},
		"before any ?":                 {URL: "http://x/?token=hunter2"},
		"no PEM certificate":           {URL: "https://x", CAFile: bad},
		"no such file":                 {URL: "https://x", CAFile: bad + ".gone"},
		"certFile and keyFile need":    {URL: "https://x", CertFile: bad},
		"reading the client certifica": {URL: "https://x", CertFile: bad, KeyFile: bad},
	} {
		_, err := New(config)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// TestTLS wants a CA file for a server that the system does not know.
func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1700000000.5,"1700000000.5"]}}`))
	}))
	defer server.Close()
	server.Config.ErrorLog = nil
	if err := ask(t.Context(), Config{URL: server.URL}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	if err := ask(t.Context(), Config{URL: server.URL, InsecureSkipVerify: true}); err != nil {
		t.Error(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, encodePEM(server.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask(t.Context(), Config{URL: server.URL, CAFile: ca}); err != nil {
		t.Error(err)
	}
}

func ask(ctx context.Context, config Config) error {
	client, err := New(config)
	if err != nil {
		return err
	}
	_, err = client.Clock(ctx)
	return err
}

// TestPasswordStaysInside: credentials in a URL are used, never shown.
func TestPasswordStaysInside(t *testing.T) {
	client, err := New(Config{URL: "http://user:hunter2@127.0.0.1:1/prefix"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Query(t.Context(), "up", time.Time{})
	if text := fmt.Sprintf("%v %s", err, client); strings.Contains(text, "hunter2") || !strings.Contains(text, "127.0.0.1:1/prefix") {
		t.Errorf("got %s", text)
	}
}

// Nor are those in the URL of a proxy that nobody can read.
func TestProxyPasswordStaysInside(t *testing.T) {
	through, err := discreet(func(*http.Request) (*url.URL, error) {
		return nil, errors.New(`invalid proxy address "http://user:hunter2@%zz"`)
	})(nil)
	if err == nil || through != nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, %v", through, err)
	}
}
