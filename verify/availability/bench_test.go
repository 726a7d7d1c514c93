package availability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// TestOutagesAgainstTruth makes outages whose times it knows, on a real API
// server: pods that no scheduler takes, whose Ready condition it sets itself.
// GAMEDAY_BENCH_RECORD keeps the journal.
func TestOutagesAgainstTruth(t *testing.T) {
	kubeconfig := os.Getenv("GAMEDAY_BENCH_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("needs a throw-away cluster in GAMEDAY_BENCH_KUBECONFIG")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	client := kubernetes.NewForConfigOrDie(config)
	pods := unscheduled(t, client, 3)
	for _, p := range pods {
		setReady(t, client, p, true)
	}
	dir := t.TempDir()
	writer, err := journal.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := New(checkName, Spec{Workload: Workload{Kind: kindDeployment, Namespace: benchNamespace, Name: "web"}, MinAvailable: share("3")})
	ctx, cancel := context.WithCancel(t.Context())
	started, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- check.Observe(ctx, verify.Env{Client: client, Record: writer.ForCheck(checkName), Started: func() { close(started) }, Grace: 5 * time.Second})
	}()
	<-started
	loop := func(step, kind string, payload any) {
		if err := writer.Append(step, "", kind, payload); err != nil {
			t.Fatal(err)
		}
	}
	loop("", journal.RunStarted, journal.RunInfo{ID: "bench", Scenario: "truth", Kubernetes: "local"})
	loop("", journal.RunBaseline, journal.Baseline{Healthy: true})
	loop("flip", journal.StepInjecting, nil)

	const outages = 100
	var truth []stretch // of each request, in turn down and up
	for i := range outages {
		down := setReady(t, client, pods[i%3], false)
		time.Sleep(200*time.Millisecond - time.Since(down.from))
		up := setReady(t, client, pods[i%3], true)
		truth = append(truth, down, up)
		time.Sleep(100*time.Millisecond + rand.N(100*time.Millisecond))
	}
	loop("", journal.RunSettling, nil)
	time.Sleep(500 * time.Millisecond)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	keep(t, filepath.Join(dir, journal.FileName))

	finding := check.Judge(writer.Record())
	t.Log(finding.Summary)
	var seen []stretch
	var gaps int
	for _, interval := range finding.Intervals {
		if interval.Level == "bad" {
			seen = append(seen, stretch{interval.From, interval.To})
		} else {
			gaps++
		}
	}
	if len(seen) != outages {
		t.Fatalf("%d outages of 200ms seen, %d were made", len(seen), outages)
	}
	var off, requests []time.Duration
	for i, request := range truth {
		moment := seen[i/2].from
		if i%2 == 1 {
			moment = seen[i/2].to
		}
		requests = append(requests, request.length())
		off = append(off, max(0, request.from.Sub(moment), moment.Sub(request.to)))
	}
	t.Logf("moments off by p50 %v, p99 %v, most %v outside the request that made them; requests took p50 %v, p99 %v; %d gaps",
		quantile(off, 50), quantile(off, 99), quantile(off, 100), quantile(requests, 50), quantile(requests, 99), gaps)
	if p99 := quantile(off, 99); p99 > lateAfter {
		t.Errorf("moments are off by %v at p99, promised are 100ms", p99)
	}
}

const benchNamespace = "gameday-bench"

// unscheduled makes a Deployment whose pods stay with the API server.
func unscheduled(t *testing.T, client kubernetes.Interface, replicas int) []corev1.Pod {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: benchNamespace}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.CoreV1().Namespaces().Delete(context.Background(), benchNamespace, metav1.DeleteOptions{})
	})
	d := deployment("web", int32(replicas))
	d.Namespace, d.UID = benchNamespace, ""
	d.Spec.Template.Spec = corev1.PodSpec{
		SchedulerName: "nobody",
		Containers:    []corev1.Container{{Name: "web", Image: "nothing"}},
	}
	if _, err := client.AppsV1().Deployments(benchNamespace).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var pods []corev1.Pod
	eventually(t, func() bool {
		list, err := client.CoreV1().Pods(benchNamespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		pods = list.Items
		return len(pods) == replicas
	})
	return pods
}

// setReady returns the request's time, within which the API server did it.
func setReady(t *testing.T, client kubernetes.Interface, p corev1.Pod, ready bool) stretch {
	status := map[bool]string{true: "True", false: "False"}[ready]
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":%q,"lastTransitionTime":%q}]}}`, status, time.Now().UTC().Format(time.RFC3339))
	sent := time.Now()
	_, err := client.CoreV1().Pods(p.Namespace).Patch(t.Context(), p.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	return stretch{sent, time.Now()}
}

func quantile(values []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(10 * time.Microsecond)
}

func keep(t *testing.T, journal string) {
	to := os.Getenv("GAMEDAY_BENCH_RECORD")
	if to == "" {
		return
	}
	data, err := os.ReadFile(journal)
	if err == nil {
		err = os.WriteFile(to, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
