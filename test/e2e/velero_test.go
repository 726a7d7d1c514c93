package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Backups are taken and restored by a real Velero, with a bucket whose files are
// ours to read and to damage.

func TestVeleroRestore(t *testing.T) {
	prove(t, promise{
		says:  "a namespace with one object of every kind comes back ten times in a row, three times file by file, while the original changes, which is never written",
		needs: velero, proof: func(s *scene) {
			secret := s.everything()
			store, own := s.volumeOf(s.ns, "data-store-0"), s.volumeOf(s.ns, "own")
			s.furnish(own)
			s.untilCounted()
			before := s.versions()
			stop := s.turmoil(store)

			const asked = `, volumes: {compare: true}, control: true, canary: {configMap: heartbeat, key: at}, objectives: {rpo: 2m, rto: 3m}`
			for _, name := range []string{"first", "second"} {
				w := s.watch(s.ns + "-" + name)
				r := s.drills(restoring(name, fromNowWhole+asked)).exits(0).keepsToItself(secret)
				s.wantWhole(r, name)
				w.sawNothingRun(s)
				w.sawNoWayTo(s)
				w.sawItApart(s)
			}
			whole := s.backedUp("whole", true)
			light := s.backedUp("light", false, func(b *velerov1.Backup) { b.Spec.IncludeClusterResources = new(true) })
			// A pod that is replaced takes none of its claim's files with it.
			s.must(s.client.CoreV1().Pods(s.ns).DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=ledger"}))
			s.untilAllRun()
			var steps []string
			for i := range 8 {
				fields := fromBackup(light) + `, volumes: {ignore: [data-store-0, own]}, control: true`
				switch {
				case i < 1:
					fields = fromBackup(whole) + `, volumes: {compare: true}, control: true`
				case i >= 3: // what has finalizers takes its namespace long to delete
					fields += `, exclude: [persistentvolumeclaims, jobs.batch]`
				}
				steps = append(steps, restoring(fmt.Sprintf("again-%d", i), fields))
			}
			r := s.drills(steps...).exits(0).keepsToItself(secret)
			if changes := stop(); changes < 500 {
				s.Errorf("only %d changes went on meanwhile", changes)
			}
			s.wantUnwritten(before, "ConfigMap heartbeat", "Deployment web", "Deployment ledger", "ReplicaSet web-", "ReplicaSet ledger-", "Pod web-", "Pod ledger-", "PodDisruptionBudget web")
			s.judgedAgain(r)
		}})
}

// everything makes one object of every kind, and waits until it runs. It gives the
// value of a Secret of its.
func (s *scene) everything() (secret string) {
	s.Helper()
	s.withClasses()
	secret = "hush-" + s.ns + "-and-not-a-word"
	s.apply("everything.yaml", "${secret}", secret, "${now}", time.Now().UTC().Format(time.RFC3339))
	s.Cleanup(func() {
		for _, resource := range []string{"rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1/clusterrolebindings", "admissionregistration.k8s.io/v1/validatingwebhookconfigurations"} {
			s.must(s.dynamic().Resource(at(resource)).DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: reserved + "=" + s.ns}))
		}
	})
	s.untilAllRun()
	s.eventually("the Job's controller is through with it, and the kubelet with its pod", func() (bool, string) {
		job, err := s.client.BatchV1().Jobs(s.ns).Get(s.ctx, "over", metav1.GetOptions{})
		s.must(err)
		pods, err := s.client.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=over"})
		s.must(err)
		through := job.Status.CompletionTime != nil
		for _, pod := range pods.Items {
			through = through && len(pod.Finalizers) == 0 && sandboxGone(pod)
		}
		return through, fmt.Sprintf("%+v, %+v", job.Status, pods.Items)
	})
	return secret
}

// sandboxGone is the last that a kubelet says of a pod that has ended.
func sandboxGone(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReadyToStartContainers && c.Status == corev1.ConditionFalse
	})
}

// wantWhole wants of a pass what an auditor asks for.
func (s *scene) wantWhole(r *result, step string) {
	s.Helper()
	p := r.proof(step)
	if p.Reached != "control" || p.RPOSeconds == nil || *p.RPOSeconds > 120 || p.RTOSeconds == nil || *p.RTOSeconds <= 0 {
		s.Errorf("reached %s, RPO %v, RTO %v", p.Reached, p.RPOSeconds, p.RTOSeconds)
	}
	var phases []string
	for _, phase := range p.RTOPhases {
		phases = append(phases, phase.Name)
	}
	if fmt.Sprint(phases) != "[wait restore volumes]" {
		s.Errorf("the RTO is split into %v", phases)
	}
	for resource, least := range map[string]int64{
		"deployments.apps": 1, "statefulsets.apps": 1, "daemonsets.apps": 1, "replicasets.apps": 2, "jobs.batch": 2, "cronjobs.batch": 1, "pods": 6,
		"services": 6, "configmaps": 5, "secrets": 4, "persistentvolumeclaims": 2, "gadgets.e2e.gameday.dev": 1, "httproutes.gateway.networking.k8s.io": 1,
	} {
		if p.Counts[resource] < least {
			s.Errorf("%d %s were counted: %v", p.Counts[resource], resource, p.Counts)
		}
	}
}

// judgedAgain wants the same report from the record, to the byte, without a cluster.
func (s *scene) judgedAgain(r *result) {
	s.Helper()
	written, err := os.ReadFile(filepath.Join(r.dir, "report.json"))
	s.must(err)
	blind := *s
	blind.world = &world{program: s.program, kubeconfig: "/nowhere"}
	if judged := blind.gameday("judge", r.dir, "-o", "json").exits(r.code); judged.stdout != string(written) {
		s.Errorf("report.json:\n%s\njudge:\n%s", written, judged.stdout)
	}
}
