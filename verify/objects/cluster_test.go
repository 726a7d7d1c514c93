package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// server lists names page by page; before each answer it does as its script
// says.
type server struct {
	names    []string
	script   map[int]func(s *server) error // by the number of the request, from 1
	requests int
	tokens   bool // it sends a token to go on with when a list has expired
}

func (s *server) List(_ context.Context, options metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	s.requests++
	if act := s.script[s.requests]; act != nil {
		if err := act(s); err != nil {
			var status *apierrors.StatusError
			if s.tokens && apierrors.IsResourceExpired(err) && errors.As(err, &status) {
				status.ErrStatus.Continue = options.Continue
			}
			return nil, err
		}
	}
	list := &unstructured.UnstructuredList{}
	for _, name := range s.names {
		switch {
		case options.Continue != "" && name <= options.Continue:
		case int64(len(list.Items)) == options.Limit:
			list.SetContinue(list.Items[len(list.Items)-1].GetName())
			return list, nil
		default:
			list.Items = append(list.Items, unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": name}}})
		}
	}
	return list, nil
}

func (s *server) expire(*server) error { return apierrors.NewResourceExpired("too old") }

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("n%05d", i*2)
	}
	return names
}

func read1(s *server) (names []string, err error) {
	for o, err := range (&pages{from: s, resource: Resource{Name: "things"}, namespace: "shop"}).all(context.Background()) {
		if err != nil {
			return names, err
		}
		names = append(names, o.GetName())
	}
	return names, nil
}

func TestPages(t *testing.T) {
	all := numbered(1300)
	expire := (&server{}).expire
	tests := map[string]struct {
		script   map[int]func(*server) error
		tokens   bool
		requests int
		want     []string
		err      string
	}{
		"page by page":              {requests: 3, want: all},
		"expired, with a token":     {script: map[int]func(*server) error{2: expire, 4: expire}, tokens: true, requests: 5, want: all},
		"expired, without":          {script: map[int]func(*server) error{3: expire}, requests: 6, want: all},
		"expired at the first page": {script: map[int]func(*server) error{1: expire}, requests: 1, err: "listing things in shop: too old"},
		"expired all the time":      {script: map[int]func(*server) error{2: expire, 4: expire, 6: expire, 8: expire}, requests: 8, want: all[:500], err: "listing things in shop: it expired 4 times without getting further: too old"},
		"objects made and deleted while it is begun anew": {
			script: map[int]func(*server) error{3: func(s *server) error {
				s.names = slices.DeleteFunc(append(slices.Clone(s.names), "n00001", "n02001"), func(name string) bool { return name == "n00000" || name == "n00998" })
				slices.Sort(s.names)
				return expire(s)
			}},
			requests: 6, want: append(append(slices.Clone(all[:1001]), "n02001"), all[1001:]...),
		},
		"asked for time": {script: map[int]func(*server) error{
			1: func(*server) error { return apierrors.NewTooManyRequests("storage is (re)initializing", 1) },
			2: func(*server) error {
				return apierrors.NewGenericServerResponse(http.StatusTooManyRequests, "list", schema.GroupResource{}, "", "", 0, true)
			},
			3: func(*server) error { return apierrors.NewServiceUnavailable("starting") }, 4: func(*server) error { return errors.New("connection refused") },
		}, requests: 7, want: all},
		"forbidden": {script: map[int]func(*server) error{1: func(*server) error {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, "", errors.New("no"))
		}}, requests: 1, err: "listing things in shop: things is forbidden: no"},
		"out of order": {script: map[int]func(*server) error{1: func(s *server) error {
			s.names = []string{"b", "a"}
			return nil
		}}, requests: 1, want: []string{"b"}, err: `listing things in shop: the server sends "a" after "b", which is not the order of names`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{names: all, script: test.script, tokens: test.tokens}
				got, err := read1(s)
				if !slices.Equal(got, test.want) || s.requests != test.requests {
					t.Errorf("%d objects with %d requests, want %d with %d", len(got), s.requests, len(test.want), test.requests)
				}
				if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// A server that is gone is given up after some time, one that says later never.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := func(*server) error { return errors.New("connection refused") }
		script := map[int]func(*server) error{}
		for i := range 200 {
			script[i] = gone
		}
		began := time.Now()
		if _, err := read1(&server{script: script}); err == nil || time.Since(began) < patience || time.Since(began) > 2*patience {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		for i := range 200 {
			script[i] = func(*server) error { return apierrors.NewTooManyRequests("storage is (re)initializing", 1) }
		}
		began = time.Now()
		if _, err := read1(&server{script: script}); err != nil || time.Since(began) < 10*patience {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, err := range (&pages{from: &server{script: script}, resource: Resource{Name: "things"}}).all(ctx) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
	})
}

// Listed asks a real client for each namespace, in the order of the original's
// names where they are others, and for what is in no namespace once.
func TestListed(t *testing.T) {
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
		namespace := ""
		if parts := strings.Split(r.URL.Path, "/"); len(parts) > 5 {
			namespace = parts[4]
		}
		kind := "ConfigMapList"
		if namespace == "" {
			kind = "PersistentVolumeList"
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{}, "items": []any{
			map[string]any{"metadata": map[string]any{"name": "x", "namespace": namespace}},
		}})
	}))
	defer api.Close()
	client := dynamic.NewForConfigOrDie(&rest.Config{Host: api.URL})
	config := Resource{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true}
	volume := Resource{Version: "v1", Name: "persistentvolumes", Kind: "PersistentVolume"}
	listed := Listed{Client: client, Namespaces: []string{"y1", "x1", "y1"}, Of: []Resource{config, volume}}
	wanted := setOf(t, "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: a, name: x}}", "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: b, name: x}}", "{apiVersion: v1, kind: PersistentVolume, metadata: {name: x}}")
	result := runs(t, Comparison{Wanted: wanted, Found: listed, Namespaces: map[string]string{"a": "y1", "b": "x1"}})
	if result.LossCount != 0 || result.Equal != 3 {
		t.Errorf("%+v", result)
	}
	want := []string{"/api/v1/namespaces/y1/configmaps?limit=500", "/api/v1/namespaces/x1/configmaps?limit=500", "/api/v1/persistentvolumes?limit=500"}
	if !slices.Equal(asked, want) {
		t.Errorf("%v", asked)
	}
	asked = nil
	for _, err := range listed.Objects(t.Context(), config) {
		if err != nil {
			t.Error(err)
		}
	}
	if want := []string{"/api/v1/namespaces/x1/configmaps?limit=500", "/api/v1/namespaces/y1/configmaps?limit=500"}; !slices.Equal(asked, want) {
		t.Errorf("%v", asked)
	}
}
