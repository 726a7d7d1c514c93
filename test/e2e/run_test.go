package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"gameday.dev/gameday/internal/journal"
)

// holding is a drill that kills a pod and then holds for so long.
func holding(hold string) drill {
	return drill{steps: `[{name: kill, hold: ` + hold + `, podKill: {namespace: "${ns}", selector: app=web, gracePeriod: 0s}}]`}
}

func TestRun(t *testing.T) {
	prove(t,
		promise{says: "one run at a time: a second is refused and names the first", proof: func(s *scene) {
			s.deployment("web", 2)
			first := s.begin(holding("1m"))
			first.until(journal.StepHolding)
			before := s.pods("web")
			s.run(kill("")).exits(5).says("lock held: run " + runID(first))
			s.wantUntouched(before)
			first.signal(os.Interrupt)
			first.wait().exits(130).undone()
			s.wantNothingLeft()
		}},
		promise{says: "without a terminal and without --yes nothing runs", proof: func(s *scene) {
			s.deployment("web", 1)
			before := s.pods("web")
			s.gameday("run", s.file(kill("")), "--context", s.context, "--set", "ns="+s.ns, "--set", "node="+s.stage).
				exits(5).says("on cluster "+s.context, "no --yes", "hint:")
			s.wantUntouched(before)
		}},
		promise{says: "a context that is not there is wrong input", proof: func(s *scene) {
			s.gameday("run", s.file(kill("")), "--yes", "--context", "nowhere", "--set", "ns="+s.ns, "--set", "node="+s.stage).
				exits(2).says("nowhere", "hint:")
		}},
		promise{says: "an Environment for another cluster is a refusal", proof: func(s *scene) {
			s.deployment("web", 1)
			before := s.pods("web")
			environment := s.environment("elsewhere", "http://127.0.0.1:1")
			s.run(kill(""), "--environment", environment).exits(5).says("is for context elsewhere, not for " + s.context)
			s.wantUntouched(before)
		}},
		promise{says: "a missing permission is named before anything is touched", proof: func(s *scene) {
			s.deployment("web", 2)
			s.budget("web", "web", 1)
			before := s.pods("web")
			limited := s.withoutEviction()
			for _, r := range []*result{
				s.plan(kill(`method: evict`), "--kubeconfig", limited),
				s.run(kill(`method: evict`), "--kubeconfig", limited),
			} {
				r.exits(5).says("this user may not:", "create pods/eviction", "hint:")
			}
			s.wantUntouched(before)
		}},
		promise{says: "plan changes nothing, whatever the scenario would", proof: func(s *scene) {
			s.deployment("web", 2, on(s.stage))
			s.budget("web", "web", 2)
			before := s.state()
			s.plan(drain("")).exits(0)
			s.plan(kill(`count: all`)).exits(0)
			s.plan(kill(`method: evict`)).exits(0).says("needs 2 healthy")
			if after := s.state(); after != before {
				s.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		}},
		promise{says: "outside its window a scenario does not run", proof: func(s *scene) {
			s.deployment("web", 1)
			before := s.pods("web")
			d := kill("")
			away := time.Now().UTC().Add(12 * time.Hour)
			d.limits = fmt.Sprintf(`{namespaces: ["${ns}"], window: {days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: %q, to: %q, timeZone: UTC}}`,
				away.Format("15:00"), away.Format("15:01"))
			s.plan(d).exits(5).says("window")
			s.run(d).exits(5).says("window")
			s.wantUntouched(before)
		}},
		promise{says: "a run that takes too long is ended, undone and cannot pass", proof: func(s *scene) {
			s.deployment("web", 1, on(s.stage))
			s.budget("web", "web", 1)
			d := drain(`, timeout: 5m`)
			d.timeout = "12s"
			r := s.run(d).undone().says("timeout", "${node} uncordoned")
			if r.code == 0 || r.report.DurationSeconds > 60 {
				s.Errorf("exit code %d after %.0fs", r.code, r.report.DurationSeconds)
			}
			s.wantCordoned(s.stage, false)
		}},
	)
}

func TestRecord(t *testing.T) {
	prove(t,
		promise{says: "judge comes to the same verdict without a cluster, to the byte", proof: func(s *scene) {
			s.deployment("web", 1)
			d := kill("")
			d.checks = `[{name: floor, availability: {workload: {kind: Deployment, namespace: "${ns}", name: web}, minAvailable: 1}}]`
			r := s.run(d).exits(1)
			written, err := os.ReadFile(filepath.Join(r.dir, "report.json"))
			s.must(err)
			blind := *s
			blind.world = &world{program: s.program, kubeconfig: "/nowhere"}
			judged := blind.gameday("judge", r.dir, "-o", "json").exits(1)
			if judged.stdout != string(written) {
				s.Errorf("report.json:\n%s\njudge:\n%s", written, judged.stdout)
			}
		}},
		promise{says: "a report can be had as text, JSON and JUnit", proof: func(s *scene) {
			s.deployment("web", 2)
			r := s.run(kill("")).exits(0)
			s.gameday("report", r.dir).exits(0).says("drill PASS", "ok kill")
			var parsed map[string]any
			s.must(json.Unmarshal([]byte(s.gameday("report", r.dir, "--format", "json").exits(0).stdout), &parsed))
			if parsed["verdict"] != "pass" {
				s.Errorf("the JSON's verdict is %v", parsed["verdict"])
			}
			var suites struct {
				XMLName  xml.Name
				Failures int `xml:"failures,attr"`
			}
			s.must(xml.Unmarshal([]byte(s.gameday("report", r.dir, "--format", "junit").exits(0).stdout), &suites))
			if suites.XMLName.Local != "testsuites" || suites.Failures != 0 {
				s.Errorf("the JUnit report is %+v", suites)
			}
			s.gameday("report", r.dir, "--format", "papyrus").exits(2).says("papyrus", "junit")
		}},
		promise{says: "a run that has no room for its record is refused", proof: func(s *scene) {
			s.deployment("web", 1)
			before := s.pods("web")
			disk := s.tinyDisk()
			s.fillDisk(disk)
			s.run(kill(""), "--runs-dir", disk).exits(5).says("no space left", "hint:")
			s.wantUntouched(before)
			s.wantNothingLeft()
		}},
		promise{says: "a record that cannot be kept any more ends the run, which undoes and cannot pass", proof: func(s *scene) {
			s.deployment("web", 1, on(s.stage))
			disk := s.tinyDisk()
			d := drain("")
			d.steps = strings.TrimSuffix(d.steps, "}]") + `, hold: 3m}]`
			d.timeout = "6m"
			p := s.begin(d, "--runs-dir", disk)
			p.until(journal.StepHolding)
			s.fillDisk(disk)
			p.wait().exits(3).says("record", "no space left")
			s.wantCordoned(s.stage, false)
			s.wantNothingLeft()
		}},
	)
}

// environment writes an Environment document for a context.
func (s *scene) environment(context, prometheus string) string {
	s.Helper()
	return s.write("environment.yaml", fmt.Sprintf(`apiVersion: gameday.dev/v1alpha1
kind: Environment
metadata: {name: e2e}
spec: {context: %s, prometheus: {url: %q}}
`, context, prometheus))
}

// withoutEviction is the kubeconfig of a user who may do all but evict.
func (s *scene) withoutEviction() string {
	s.Helper()
	name := s.ns + "-limited"
	_, err := s.client.CoreV1().ServiceAccounts(s.ns).Create(s.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	s.must(err)
	most := []rbacv1.PolicyRule{
		{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"*"}, Resources: []string{"leases", "configmaps", "namespaces", "pods", "nodes"}, Verbs: []string{"*"}},
	}
	_, err = s.client.RbacV1().ClusterRoles().Create(s.ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: most}, metav1.CreateOptions{})
	s.must(err)
	_, err = s.client.RbacV1().ClusterRoleBindings().Create(s.ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.ns, Name: name}},
	}, metav1.CreateOptions{})
	s.must(err)
	s.Cleanup(func() {
		s.must(s.client.RbacV1().ClusterRoleBindings().Delete(s.ctx, name, metav1.DeleteOptions{}))
		s.must(s.client.RbacV1().ClusterRoles().Delete(s.ctx, name, metav1.DeleteOptions{}))
	})
	return s.kubeconfigOf(name)
}

// kubeconfigOf is the kubeconfig of a service account in the scene's namespace.
func (s *scene) kubeconfigOf(account string) string {
	s.Helper()
	token, err := s.client.CoreV1().ServiceAccounts(s.ns).CreateToken(s.ctx, account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	s.must(err)
	kubeconfig, err := clientcmd.LoadFromFile(s.kubeconfig)
	s.must(err)
	kubeconfig.AuthInfos = map[string]*clientcmdapi.AuthInfo{account: {Token: token.Status.Token}}
	kubeconfig.Contexts[s.context].AuthInfo = account
	path := filepath.Join(s.dir, account+".kubeconfig")
	s.must(clientcmd.WriteToFile(*kubeconfig, path))
	return path
}

// state is all that a run could touch, without what the cluster itself keeps
// changing: the status of nodes.
func (s *scene) state() string {
	s.Helper()
	var text bytes.Buffer
	pods, err := s.client.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{})
	s.must(err)
	for _, pod := range pods.Items {
		fmt.Fprintln(&text, "pod", pod.Name, pod.ResourceVersion)
	}
	budgets, err := s.client.PolicyV1().PodDisruptionBudgets(s.ns).List(s.ctx, metav1.ListOptions{})
	s.must(err)
	for _, budget := range budgets.Items {
		fmt.Fprintln(&text, "budget", budget.Name, budget.ResourceVersion)
	}
	for _, name := range []string{s.stage, s.wing} {
		node := s.node(name)
		fmt.Fprintln(&text, "node", name, node.Labels, node.Annotations, node.Spec)
	}
	leases, err := s.client.CoordinationV1().Leases("gameday").List(s.ctx, metav1.ListOptions{})
	s.must(err)
	ledgers, err := s.client.CoreV1().ConfigMaps("gameday").List(s.ctx, metav1.ListOptions{})
	s.must(err)
	fmt.Fprintln(&text, len(leases.Items), "leases", len(ledgers.Items), "configmaps")
	return text.String()
}

// tinyDisk is a file system of its own with room for little.
func (s *scene) tinyDisk() string {
	s.Helper()
	if os.Geteuid() != 0 {
		skip(s.T, "mounting a tiny disk needs root")
	}
	disk := filepath.Join(s.dir, "disk")
	s.must(os.Mkdir(disk, 0o700))
	s.must(syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256k"))
	s.Cleanup(func() { s.must(syscall.Unmount(disk, syscall.MNT_DETACH)) })
	return disk
}

// fillDisk leaves no room at all.
func (s *scene) fillDisk(disk string) {
	s.Helper()
	file, err := os.Create(filepath.Join(disk, ".full"))
	s.must(err)
	defer file.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = file.Write(block)
	}
}
