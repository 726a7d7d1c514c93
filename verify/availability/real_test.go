package availability

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/test/cluster"
	"gameday.dev/gameday/verify"
)

func TestReal(t *testing.T) {
	kubeconfig := os.Getenv("REAL")
	if kubeconfig == "" {
		t.Skip()
	}
	config, _ := clientcmd.BuildConfigFromFlags("", kubeconfig)
	config.QPS = -1
	client := kubernetes.NewForConfigOrDie(config)
	post := func(ip, ready string) {
		resp, err := http.Post("http://"+ip+":8080/admin/ready?value="+ready, "application/json", strings.NewReader(`{"ready":`+ready+`}`))
		if err != nil {
			t.Error(err)
			return
		}
		t.Log(ip, ready, resp.Status)
	}
	apiserver := func() string {
		out, _ := exec.Command("sh", "-c", "pgrep -f 'kube-apiserver' | while read p; do if tr '\\0' ' ' </proc/$p/cmdline | grep -q '/clusters/avail/'; then echo $p; fi; done | head -1").Output()
		return strings.TrimSpace(string(out))
	}
	for name, do := range map[string]func(w *journal.Writer){
		"pass-real-kill": func(w *journal.Writer) {
			pods, _ := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
			p := pods.Items[0]
			w.Append("kill-one", "", journal.StepPlanned, journal.Planned{Experiment: "podKill", Targets: []journal.Target{{Kind: "Pod", Namespace: "shop", Name: p.Name, UID: string(p.UID), Node: p.Spec.NodeName}}})
			w.Append("kill-one", "", journal.StepInjecting, nil)
			zero := int64(0)
			if err := client.CoreV1().Pods("shop").Delete(t.Context(), p.Name, metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
				t.Error(err)
			}
			w.Append("kill-one", "", journal.PodDisrupted, journal.Disruption{Target: journal.Target{Kind: "Pod", Namespace: "shop", Name: p.Name, UID: string(p.UID), Node: p.Spec.NodeName}, How: "deleted", At: time.Now()})
			time.Sleep(500 * time.Millisecond)
			w.Append("kill-one", "", journal.StepUndone, journal.Undone{OK: true})
		},
		"fail-real-readiness": func(w *journal.Writer) {
			pods, _ := client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
			w.Append("flip", "", journal.StepPlanned, journal.Planned{Experiment: "job"})
			w.Append("flip", "", journal.StepInjecting, nil)
			post(pods.Items[0].Status.PodIP, "false")
			post(pods.Items[1].Status.PodIP, "false")
			time.Sleep(5 * time.Second)
			post(pods.Items[0].Status.PodIP, "true")
			post(pods.Items[1].Status.PodIP, "true")
			w.Append("flip", "", journal.StepUndone, journal.Undone{OK: true})
		},
		"real-frozen": func(w *journal.Writer) {
			w.Append("flip", "", journal.StepInjecting, nil)
			pid := apiserver()
			t.Log("pid", pid)
			exec.Command("kill", "-STOP", pid).Run()
			time.Sleep(7 * time.Second)
			exec.Command("kill", "-CONT", pid).Run()
			time.Sleep(5 * time.Second)
		},
		"real-restarted": func(w *journal.Writer) {
			w.Append("flip", "", journal.StepInjecting, nil)
			pid := apiserver()
			_ = pid
			c, err := cluster.Open("avail")
			if err != nil {
				t.Error(err)
				return
			}
			t0 := time.Now()
			d, _ := c.Daemon("kube-apiserver")
			d.Kill(t.Context())
			if err := d.Start(t.Context()); err != nil {
				t.Error(err)
			}
			t.Log("apiserver back after", time.Since(t0))
			time.Sleep(10 * time.Second)
		},
	} {
		if only := os.Getenv("ONLY"); only != "" && only != name {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writer, _ := journal.Create(dir)
			check := New(checkName, Spec{Workload: shopWeb, RecoverWithin: lasting(90 * time.Second)})
			pf, err := check.(verify.Preflight).Preflight(t.Context(), verify.Env{Client: client})
			t.Log(pf, err)
			_, err = New(checkName, Spec{Workload: Workload{Kind: "Deployment", Namespace: "shop", Name: "wbe"}}).(verify.Preflight).Preflight(t.Context(), verify.Env{Client: client})
			t.Log(err)
			writer.Append("", "", journal.RunStarted, journal.RunInfo{ID: "gd-real", Scenario: name, Seed: 7, Cluster: "local", Kubernetes: "v1.36.3"})
			ctx, cancel := context.WithCancel(t.Context())
			started, done := make(chan struct{}), make(chan error, 1)
			go func() {
				done <- check.Observe(ctx, verify.Env{Client: client, Record: writer.ForCheck(checkName), Started: func() { close(started) }, Grace: 5 * time.Second})
			}()
			<-started
			base := check.Baseline(writer.Record())
			t.Log("baseline", base.Verdict, base.Summary)
			writer.Append("", "", journal.RunBaseline, journal.Baseline{Healthy: true})
			time.Sleep(3 * time.Second)
			do(writer)
			writer.Append("", "", journal.RunSettling, nil)
			for range 60 {
				time.Sleep(time.Second)
				if f := check.Judge(writer.Record()); !f.Open {
					break
				}
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			writer.Append("", "", journal.RunFinished, journal.RunEnd{Undone: true})
			f := check.Judge(writer.Record())
			t.Log(f.Verdict, f.Summary, "\n", strings.Join(f.Details, "\n"), f.Hints)
			data, _ := os.ReadFile(dir + "/" + journal.FileName)
			os.WriteFile("/tmp/avail/"+name+".jsonl", data, 0o644)
			_ = data
		})
	}
}
