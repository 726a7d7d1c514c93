package availability

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// apiServer is as much of an API server as the check talks to, and can do what
// the fake clientset can't: cut watches, forget versions, fall silent.
type apiServer struct {
	*httptest.Server
	mu      sync.Mutex
	pods    []corev1.Pod
	expired bool          // watches of pods are answered 410
	accepts bool          // but only after they have been accepted
	refused bool          // and everything 503
	cut     chan struct{} // closed to end the watches
	watches chan metav1.WatchEvent
	opened  chan struct{} // a watch of pods was opened
}

func newAPIServer(t *testing.T) *apiServer {
	s := &apiServer{cut: make(chan struct{}), watches: make(chan metav1.WatchEvent, 16), opened: make(chan struct{}, 16)}
	for _, letter := range []string{"a", "b", "c"} {
		s.pods = append(s.pods, *pod("web", letter, "n1", true))
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (s *apiServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	cut, expired, accepts, refused := s.cut, s.expired, s.accepts, s.refused
	pods := append([]corev1.Pod(nil), s.pods...)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case refused:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Query().Get("watch") == "":
		json.NewEncoder(w).Encode(list(resource, pods))
	case resource == "pods" && expired && accepts:
		event := metav1.WatchEvent{Type: string(watch.Error)}
		event.Object.Raw, _ = json.Marshal(gone)
		json.NewEncoder(w).Encode(event)
	case resource == "pods" && expired:
		w.WriteHeader(http.StatusGone)
		json.NewEncoder(w).Encode(gone)
	default:
		w.(http.Flusher).Flush()
		var events chan metav1.WatchEvent
		if resource == "pods" {
			events = s.watches
			s.opened <- struct{}{}
		}
		for {
			select {
			case event := <-events:
				json.NewEncoder(w).Encode(event)
				w.(http.Flusher).Flush()
			case <-cut:
				return
			case <-r.Context().Done():
				return
			}
		}
	}
}

var gone = metav1.Status{
	TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
	Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: "too old resource version",
}

func list(resource string, pods []corev1.Pod) any {
	meta := metav1.ListMeta{ResourceVersion: "10"}
	switch resource {
	case "pods":
		return corev1.PodList{ListMeta: meta, Items: pods}
	case "deployments":
		return appsv1.DeploymentList{ListMeta: meta, Items: []appsv1.Deployment{*deployment("web", 3)}}
	case "replicasets":
		return appsv1.ReplicaSetList{ListMeta: meta, Items: []appsv1.ReplicaSet{*replicaSet("web")}}
	case "web": // the pulse
		return deployment("web", 3)
	default:
		return metav1.List{ListMeta: meta}
	}
}

// change does something to the server.
func (s *apiServer) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *apiServer) cutWatches() {
	s.change(func() {
		close(s.cut)
		s.cut = make(chan struct{})
	})
}

func (s *apiServer) send(event string, p *corev1.Pod) {
	p.TypeMeta = metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}
	raw, _ := json.Marshal(p)
	e := metav1.WatchEvent{Type: event}
	e.Object.Raw = raw
	s.watches <- e
}

func TestGaps(t *testing.T) {
	tests := []struct {
		name string
		// meanwhile is what happens while the watch is down.
		meanwhile func(*apiServer)
		expired   bool
		lost      bool
		steady    int
		verdict   verify.Verdict
	}{
		{"resumed, nothing happened", func(*apiServer) {}, false, false, 0, verify.Pass},
		{"relisted, the same versions of the same pods", func(*apiServer) {}, true, true, 3, verify.Pass},
		{"relisted, one has changed in between: two are proven", func(s *apiServer) {
			s.pods[0].ResourceVersion = "9"
		}, true, true, 2, verify.Pass},
		{"relisted, two have changed in between, though with the same transition", func(s *apiServer) {
			for i := range 2 {
				s.pods[i].ResourceVersion = "9"
			}
		}, true, true, 1, verify.Inconclusive},
		{"relisted, all others by now", func(s *apiServer) {
			for i, letter := range []string{"d", "e", "f"} {
				s.pods[i] = *pod("web", letter, "n1", true)
			}
		}, true, true, 0, verify.Inconclusive},
		{"relisted late, after the watch was accepted", func(s *apiServer) {
			for i := range 2 {
				s.pods[i].ResourceVersion = "9"
			}
		}, true, true, 1, verify.Inconclusive},
		{"relisted, the floor is broken", func(s *apiServer) { s.pods = s.pods[:1] }, true, true, 1, verify.Fail},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := newAPIServer(t)
			m, check, stop := observeServer(t, server)
			m.run("", journal.RunBaseline, journal.Baseline{Healthy: true})
			m.run("kill", journal.StepInjecting, nil)
			server.change(func() {
				test.meanwhile(server)
				server.expired, server.refused = test.expired, true
				server.accepts = strings.HasPrefix(test.name, "relisted late")
			})
			server.cutWatches()
			time.Sleep(300 * time.Millisecond)
			server.change(func() { server.refused = false })
			if test.expired {
				eventually(t, func() bool { return len(podGaps(m)) > 0 })
				server.change(func() { server.expired = false })
			}
			<-server.opened
			eventually(t, func() bool { return len(podGaps(m)) > 0 })
			m.run("", journal.RunSettling, nil)
			time.Sleep(50 * time.Millisecond)
			stop()

			gap := podGaps(m)[0]
			if gap.Lost != test.lost || gap.Steady != test.steady {
				t.Errorf("gap %+v, want lost %v, steady %d", gap, test.lost, test.steady)
			}
			if length := gap.To.Sub(gap.From); length < 300*time.Millisecond {
				t.Errorf("gap of %v, the server was down for 300ms", length)
			}
			finding := check.Judge(m.record())
			if finding.Verdict != test.verdict {
				t.Errorf("%v: %s\n%s", finding.Verdict, finding.Summary, strings.Join(finding.Details, "\n"))
			}
		})
	}
}

func TestWatchDeliversAtOnce(t *testing.T) {
	server := newAPIServer(t)
	m, _, stop := observeServer(t, server)
	var sent []time.Time
	p := pod("web", "a", "n1", true)
	for i := range 10 {
		sent = append(sent, time.Now())
		server.send("MODIFIED", withReady(p, i%2 == 1, time.Now()))
		time.Sleep(20 * time.Millisecond)
	}
	eventually(t, func() bool { return len(of[countEvent](m, eventCount)) == 11 })
	stop()
	for i, count := range of[countEvent](m, eventCount)[1:] {
		if late := count.At.Sub(sent[i]); late > lateAfter {
			t.Errorf("change %d was seen %v late", i, late)
		}
	}
}

func observeServer(t *testing.T, server *apiServer) (*memory, verify.Check, func()) {
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{t: t}
	check := New(checkName, Spec{Workload: shopWeb, RecoverWithin: lasting(time.Millisecond)})
	ctx, cancel := context.WithCancel(t.Context())
	started, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- check.Observe(ctx, verify.Env{Client: client, Record: m, Started: func() { close(started) }, Grace: time.Second})
	}()
	<-started
	<-server.opened
	return m, check, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("observing: %v", err)
		}
	}
}

func podGaps(m *memory) []gapEvent {
	var gaps []gapEvent
	for _, gap := range of[gapEvent](m, eventGap) {
		if gap.Watch == watchPods {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
