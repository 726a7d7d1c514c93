package objects

import "strings"

func namespaceRules() []Rule {
	namespace := []string{"Namespace"}
	return []Rule{
		{
			Name: "namespace", Kinds: namespace, Path: "metadata.name", What: []string{Changed}, When: Case.Mapped,
			Why: "it was restored under another name on purpose", Source: "the mapping of namespaces",
		},
		{
			Name: "namespace", Kinds: namespace, Path: "metadata.labels[kubernetes.io/metadata.name]", What: []string{Changed, Extra}, When: ownName,
			Why: "the API server writes the name there", Source: "pkg/apis/core/v1/defaults.go",
		},
		{
			Name: "namespace", Kinds: namespace, Path: "spec.finalizers", What: []string{Extra}, When: kubernetesAlone,
			Why: "added at creation", Source: sourceRegistry + "core/namespace/strategy.go",
		},
	}
}

func ownName(c Case) bool { return c.Found == c.FoundObject.GetName() }

// kubernetesAlone says that the finalizers are those that a namespace without
// any gets.
func kubernetesAlone(c Case) bool { return same(c.Found, []any{"kubernetes"}) }

func accountRules() []Rule {
	secret := []string{"Secret"}
	rules := []Rule{
		{
			Name: "account token", Kinds: []string{"ServiceAccount"}, Path: "secrets[name=*-token-*]", What: []string{Missing, Extra}, When: tokenOfAccount,
			Why: "token Secrets are made for the account, with a random name; before Kubernetes 1.24 always", Source: sourceController + "serviceaccount/tokens_controller.go",
		},
		{
			Name: "root certificate", Kinds: []string{"ConfigMap"}, Path: "data[ca.crt]", What: []string{Changed}, When: rootCertificate,
			Why: "a controller writes the cluster's own certificate into each namespace", Source: sourceController + "certificates/rootcacertpublisher/publisher.go",
		},
		{
			Name: "root certificate", Kinds: []string{"ConfigMap"}, Path: "metadata.annotations[kubernetes.io/description]", What: bothWays(), When: rootCertificate,
			Why: "a controller writes the cluster's own certificate into each namespace", Source: sourceController + "certificates/rootcacertpublisher/publisher.go",
		},
		{
			Name: "account token", Kinds: secret, Path: "metadata.annotations[kubernetes.io/service-account.uid]", What: bothWays(), When: tokenSecret,
			Why: "the account was created anew too", Source: sourceController + "serviceaccount/tokens_controller.go",
		},
	}
	for _, field := range []string{"data.token", "data[ca.crt]", "data.namespace"} {
		rules = append(rules, Rule{
			Name: "account token", Kinds: secret, Path: field, What: bothWays(), When: tokenSecret,
			Why: "a token is made for the account as it is now, by the cluster that it is for", Source: sourceController + "serviceaccount/tokens_controller.go",
		})
	}
	for _, label := range []string{"legacy-token-last-used", "legacy-token-invalid-since"} {
		rules = append(rules, Rule{
			Name: "account token", Kinds: secret, Path: "metadata.labels[kubernetes.io/" + label + "]", What: always(), When: tokenSecret,
			Why: "it says when the token was used", Source: "pkg/serviceaccount/legacy.go",
		})
	}
	return rules
}

// tokenOfAccount says that the Secret's name is the account's own, "-token-"
// and what the token controller adds.
func tokenOfAccount(c Case) bool {
	for _, value := range []any{c.Wanted, c.Found} {
		secret, _ := value.(map[string]any)
		if name := textOf(secret["name"]); name != "" && !strings.HasPrefix(name, c.FoundObject.GetName()+"-token-") {
			return false
		}
	}
	return true
}

func rootCertificate(c Case) bool { return c.FoundObject.GetName() == "kube-root-ca.crt" }

// tokenType is the type of such a Secret; tokenAccount is the annotation that says
// whose it is.
const (
	tokenType    = "kubernetes.io/service-account-token"
	tokenAccount = "kubernetes.io/service-account.name"
)

// generatedToken says that the Secret is called as the token controller calls one:
// the account, "-token-" and five characters (generateName).
func generatedToken(c Case) bool {
	suffix, ok := strings.CutPrefix(c.WantedObject.GetName(), annotation(c.WantedObject, tokenAccount)+"-token-")
	return ok && len(suffix) == 5 && tokenSecret(c)
}

// tokenSecret says that the Secret holds the token of a ServiceAccount, on
// every side that has it.
func tokenSecret(c Case) bool {
	for _, o := range c.objects() {
		if o.Object["type"] != tokenType {
			return false
		}
	}
	return true
}

func accessRules() []Rule {
	return []Rule{{
		Name: "aggregated role", Kinds: []string{"ClusterRole.rbac.authorization.k8s.io"}, Path: "rules", What: always(), When: aggregated,
		Why: "a controller puts its rules together from other roles, which are compared", Source: sourceController + "clusterroleaggregation/clusterroleaggregation_controller.go",
	}}
}

// aggregated says that the role is put together from others, on both sides.
func aggregated(c Case) bool {
	for _, o := range c.objects() {
		if o.Object["aggregationRule"] == nil {
			return false
		}
	}
	return true
}

// fleetingRules are about objects that come and go, and change by themselves.
func fleetingRules() []Rule {
	whole := []string{Missing, Extra, Gone, New, Recreated, Changed, Order, Moved}
	return []Rule{
		{
			Name: "events", Kinds: []string{"Event", "Event.events.k8s.io"}, What: whole,
			Why: "they tell of what happened, and are forgotten after an hour", Source: "https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/",
		},
		{
			Name: "leases", Kinds: []string{"Lease.coordination.k8s.io"}, Path: "spec", What: always(),
			Why: "whoever holds one renews it every few seconds", Source: "https://kubernetes.io/docs/concepts/architecture/leases/",
		},
		{
			Name: "leases", Kinds: []string{"Lease.coordination.k8s.io"}, What: []string{Missing, Extra, Gone, New, Recreated},
			Why: "whoever needs one makes it", Source: "https://kubernetes.io/docs/concepts/architecture/leases/",
		},
	}
}
