package availability

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

const (
	crowd          = 10_000 // pods
	changesASecond = 100
)

// TestMemoryOfTenThousandPods watches a crowd for half a minute and holds the
// whole process, journal included, to 150 MB. The API server is a process of
// its own, so that its memory doesn't count.
func TestMemoryOfTenThousandPods(t *testing.T) {
	if os.Getenv("GAMEDAY_BENCH_MEMORY") == "" {
		t.Skip("takes half a minute of a whole processor: set GAMEDAY_BENCH_MEMORY=1")
	}
	server := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServeTenThousandPods$")
	server.Env = append(os.Environ(), "GAMEDAY_SERVE_CROWD=1")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(&rest.Config{Host: strings.TrimSpace(url), QPS: -1})
	writer, err := journal.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	begin := time.Now()
	err = New(checkName, Spec{Workload: shopWeb}).Observe(ctx, verify.Env{
		Client: client, Record: writer.ForCheck(checkName), Started: func() { t.Logf("sees all after %v", time.Since(begin)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	peak := peakMemory(t)
	t.Logf("peak %d MB, %d events", peak>>20, writer.Record().Len())
	if peak > 150<<20 {
		t.Errorf("peak of %d MB, promised are 150", peak>>20)
	}
}

// peakMemory is the most the process ever had resident.
func peakMemory(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("needs Linux: ", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// TestServeTenThousandPods is the other process of the test above.
func TestServeTenThousandPods(t *testing.T) {
	if os.Getenv("GAMEDAY_SERVE_CROWD") == "" {
		t.Skip("is started by TestMemoryOfTenThousandPods")
	}
	server := httptest.NewServer(http.HandlerFunc(serveCrowd))
	fmt.Println(server.URL)
	<-t.Context().Done() // until killed
}

// crowded is a pod of the size that real ones have.
func crowded(i int, ready bool) json.RawMessage {
	p := pod("web", fmt.Sprintf("%05d", i), fmt.Sprintf("node-%03d", i%100), ready)
	p.TypeMeta = metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}
	p.ResourceVersion = fmt.Sprint(i + 10)
	p.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager: "kubelet", FieldsV1: metav1.NewFieldsV1(`{"f:status":{"f:filler":"` + strings.Repeat("x", 6000) + `"}}`),
	}}
	raw, _ := json.Marshal(p)
	return raw
}

func serveCrowd(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	query := r.URL.Query()
	resource := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	watching := query.Get("watch") != ""
	switch {
	case resource == "pods" && !watching:
		var from int
		_, _ = fmt.Sscan(query.Get("continue"), &from)
		page := struct {
			metav1.ListMeta `json:"metadata"`
			Items           []json.RawMessage `json:"items"`
		}{}
		page.ResourceVersion = "10"
		for i := from; i < min(from+pageSize, crowd); i++ {
			page.Items = append(page.Items, crowded(i, true))
		}
		if from+pageSize < crowd {
			page.Continue = fmt.Sprint(from + pageSize)
		}
		_ = json.NewEncoder(w).Encode(page)
	case resource == "pods":
		for i := 0; r.Context().Err() == nil; i++ {
			event := metav1.WatchEvent{Type: "MODIFIED"}
			event.Object.Raw = crowded(i/2*7%crowd, i%2 == 1)
			_ = json.NewEncoder(w).Encode(event)
			w.(http.Flusher).Flush()
			time.Sleep(time.Second / changesASecond)
		}
	case watching:
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		_ = json.NewEncoder(w).Encode(list(resource, nil))
	}
}
