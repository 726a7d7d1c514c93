package velero

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
)

func TestCanary(t *testing.T) {
	whole := backup.Held("40 objects came back")
	lossy := backup.Broken("2 losses")
	lossy.Problems, lossy.ProblemCount = []string{"ConfigMap a", "ConfigMap b"}, 2
	at := time.Date(2026, 5, 12, 2, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		text    string
		broken  error // of the API
		found   backup.Rung
		verdict verify.Verdict
		says    string
	}{
		"RFC 3339":             {"2026-05-12T02:00:00Z\n", nil, whole, verify.Pass, "40 objects came back"},
		"seconds":              {"1778551200", nil, whole, verify.Pass, "40 objects came back"},
		"another's verdict":    {"1778551200", nil, lossy, verify.Fail, "2 losses"},
		"no moment":            {"yesterday", nil, whole, verify.Fail, "reading the canary: key at of ConfigMap heartbeat: it holds no moment (RFC 3339, or seconds since 1970); 40 objects came back"},
		"small number":         {"17", nil, whole, verify.Fail, "no moment"},
		"gone":                 {"", apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "heartbeat"), whole, verify.Fail, `reading the canary: configmaps "heartbeat" not found; 40 objects`},
		"gone, beside losses":  {"", apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "heartbeat"), lossy, verify.Fail, "not found; 2 losses"},
		"can't be told":        {"", errors.New("connection refused"), whole, verify.Inconclusive, "reading the canary: connection refused; 40 objects"},
		"can't be told, lossy": {"", errors.New("connection refused"), lossy, verify.Fail, "connection refused; 2 losses"},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "drill", Name: "heartbeat"}, Data: map[string]string{"at": test.text}})
			if test.broken != nil {
				client.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.broken })
			}
			var record heard[backup.Found]
			c := &climb{
				Teller: backup.Teller{Record: &record}, env: experiments.Env{Client: client}, plan: restorePlan{Into: "drill"},
				spec: &Restore{Canary: &Canary{ConfigMap: "heartbeat", Key: "at"}},
			}
			got := c.withCanary(t.Context(), test.found)
			if got.Verdict != test.verdict || !strings.Contains(got.Summary, test.says) || got.ProblemCount != test.found.ProblemCount {
				t.Errorf("%s, %d problems: %s", got.Verdict, got.ProblemCount, got.Summary)
			}
			if told := strings.Contains(name, "RFC") || name == "seconds"; told && (len(record) != 1 || !record[0].At.Equal(at)) {
				t.Errorf("recorded %+v", record)
			}
		})
	}
}
