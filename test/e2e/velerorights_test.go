package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/test/cluster"
)

func TestVeleroRights(t *testing.T) {
	prove(t, promise{
		says:  "a user who may do what plan says is missing, and nothing else, drills to the end and leaves nothing",
		needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			s.keeper()
			whole := s.backedUp("whole", true)
			for name, fields := range map[string]string{
				"now":    fromNowWhole + `, volumes: {compare: true}, control: true`,
				"there":  fromBackup(whole),
				"starts": fromBackup(whole) + `, start: true, probe: {http: {selector: app=keeper, port: 8080, path: /readyz}}`,
				"opens":  fmt.Sprintf(`backup: {name: %s}, network: open, quota: false`, whole),
			} {
				d := longer(climbing(restoring(name, fields)))
				flags := append(s.veleroFlags(), "--kubeconfig", s.allowedOnly(name, d))
				s.run(d, flags...).exits(0).undone().leavesNothing().saysNot("forbidden")
			}
		}})
}

// keeper makes a pod that keeps files in a claim, and nothing that Velero leaves out.
func (s *scene) keeper() {
	s.Helper()
	s.volume()
	for _, pod := range []string{"machine", "careless"} {
		s.must(s.client.CoreV1().Pods(s.ns).Delete(s.ctx, pod, metav1.DeleteOptions{}))
	}
	s.must(s.client.CoreV1().PersistentVolumeClaims(s.ns).Delete(s.ctx, "left-out", metav1.DeleteOptions{}))
	s.eventually("only the keeper is left", func() (bool, string) {
		claims, err := s.client.CoreV1().PersistentVolumeClaims(s.ns).List(s.ctx, metav1.ListOptions{})
		s.must(err)
		pods, err := s.client.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{})
		s.must(err)
		return len(claims.Items) == 1 && len(pods.Items) == 1, fmt.Sprintf("%d claims, %d pods", len(claims.Items), len(pods.Items))
	})
}

// account is a service account that may do nothing yet, and its kubeconfig.
func (s *scene) account(name string) (account, kubeconfig string) {
	s.Helper()
	account = s.ns + "-" + name
	_, err := s.client.CoreV1().ServiceAccounts(s.ns).Create(s.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
	s.must(err)
	return account, s.kubeconfigOf(account)
}

// missing is what plan says that a user who may do nothing lacks.
func (s *scene) missing(name string, d drill) []string {
	s.Helper()
	_, kubeconfig := s.account(name + "-nobody")
	r := s.plan(d, append(s.veleroFlags(), "--kubeconfig", kubeconfig, "-o", "json")...).exits(5)
	var preview struct{ MissingPermissions []string }
	s.must(json.Unmarshal([]byte(r.stdout), &preview))
	if len(preview.MissingPermissions) == 0 {
		s.Fatalf("a user who may do nothing is told of nothing that is missing:\n%s", r.stdout)
	}
	return preview.MissingPermissions
}

// allowedOnly is the kubeconfig of a user who may do what plan says is missing, and
// nothing else. Its lines read "create restores.velero.io in namespace velero" or "get
// namespaces cluster-wide". What is to be done in a namespace that there is not yet takes
// a ClusterRole.
func (s *scene) allowedOnly(name string, d drill) string {
	s.Helper()
	account, kubeconfig := s.account(name)
	rules := map[string][]rbacv1.PolicyRule{}
	for _, line := range s.missing(name, d) {
		words := strings.Fields(line)
		if len(words) < 3 {
			s.Fatalf("what does %q allow?", line)
		}
		resource, group, _ := strings.Cut(words[1], ".")
		namespace := ""
		if last := words[len(words)-1]; last != "cluster-wide" && s.there(last) {
			namespace = last
		}
		rules[namespace] = append(rules[namespace], rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{words[0]}})
	}
	for namespace, rules := range rules {
		s.grant(account, namespace, rules)
	}
	s.eventually(account+" may do what it was allowed", func() (bool, string) {
		r := s.plan(d, append(s.veleroFlags(), "--kubeconfig", kubeconfig)...)
		return r.code == 0, r.stdout
	})
	return kubeconfig
}

// there says whether a namespace exists. gameday's own is made if it does not.
func (s *scene) there(namespace string) bool {
	s.Helper()
	if namespace == "gameday" {
		_, err := s.client.CoreV1().Namespaces().Create(s.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			s.must(err)
		}
	}
	_, err := s.client.CoreV1().Namespaces().Get(s.ctx, namespace, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		s.must(err)
	}
	return err == nil
}

// grant allows an account of the scene something, in a namespace or everywhere.
func (s *scene) grant(account, namespace string, rules []rbacv1.PolicyRule) {
	s.Helper()
	meta := metav1.ObjectMeta{Name: account}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.ns, Name: account}}
	rbac := s.client.RbacV1()
	if namespace == "" {
		_, err := rbac.ClusterRoles().Create(s.ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
		s.must(err)
		s.Cleanup(func() { s.must(rbac.ClusterRoles().Delete(s.ctx, account, metav1.DeleteOptions{})) })
		_, err = rbac.ClusterRoleBindings().Create(s.ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: meta, Subjects: subjects, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: account},
		}, metav1.CreateOptions{})
		s.must(err)
		s.Cleanup(func() { s.must(rbac.ClusterRoleBindings().Delete(s.ctx, account, metav1.DeleteOptions{})) })
		return
	}
	_, err := rbac.Roles(namespace).Create(s.ctx, &rbacv1.Role{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	s.must(err)
	_, err = rbac.RoleBindings(namespace).Create(s.ctx, &rbacv1.RoleBinding{
		ObjectMeta: meta, Subjects: subjects, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: account},
	}, metav1.CreateOptions{})
	s.must(err)
	if namespace == cluster.VeleroNamespace || namespace == "gameday" { // the scene's goes with it
		s.Cleanup(func() {
			s.must(rbac.RoleBindings(namespace).Delete(s.ctx, account, metav1.DeleteOptions{}))
			s.must(rbac.Roles(namespace).Delete(s.ctx, account, metav1.DeleteOptions{}))
		})
	}
}
