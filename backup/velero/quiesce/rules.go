package quiesce

import (
	"slices"

	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify/objects"
)

// Rules expect what Modifiers changes, and nothing else.
func Rules(options Options) []objects.Rule {
	rules := trafficRules()
	if !options.Start {
		rules = append(rules, workloadRules()...)
	}
	for i := range rules {
		rules[i].Source = "docs/experiments/veleroRestore.md"
	}
	return rules
}

func workloadRules() []objects.Rule {
	is := func(value any) func(objects.Case) bool {
		return func(c objects.Case) bool { return c.Found == value }
	}
	return []objects.Rule{
		{
			Name:  "quiesced: no replicas",
			Kinds: []string{"Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "ReplicationController"},
			Path:  "spec.replicas", When: is(int64(0)), Why: "restored workloads do not run unless the step says start",
		},
		{
			Name: "quiesced: suspended", Kinds: []string{"Job.batch", "CronJob.batch"},
			Path: "spec.suspend", When: is(true), Why: "restored jobs do not run unless the step says start",
		},
		{
			Name: "quiesced: no node to run on", Kinds: []string{"DaemonSet.apps"},
			Path: "spec.template.spec.nodeSelector[" + Mark + "]", When: is("true"), Why: "restored workloads do not run unless the step says start",
		},
		{
			Name: "quiesced: no controller adopts the pod", Kinds: []string{"Pod"},
			Path: "metadata.labels", When: marked, Why: "a controller without replicas would delete the pod whose volumes are restored",
		},
		{
			Name: "quiesced: not scheduled", Kinds: []string{"Pod"},
			Path: "spec.schedulingGates", When: gated, Why: "restored pods do not run unless the step says start",
		},
		{
			Name: "quiesced: not begun", Kinds: []string{"Pod"},
			Path: "spec.containers[*].command", When: neverBegins, Why: "restored pods do not run unless the step says start",
		},
		{
			Name: "quiesced: no init containers", Kinds: []string{"Pod"}, What: []string{objects.Missing},
			Path: "spec.initContainers[*]", When: quiescedPod, Why: "restored pods do not run unless the step says start",
		},
		{
			Name: "quiesced: no hooks", Kinds: []string{"Pod"}, What: []string{objects.Missing},
			Path: "metadata.annotations[" + velero.PostHooks + "*]", When: quiescedPod, Why: "Velero would wait for a container that never begins",
		},
	}
}

func trafficRules() []objects.Rule {
	is := func(value any) func(objects.Case) bool {
		return func(c objects.Case) bool { return c.Found == value }
	}
	absent := func(c objects.Case) bool { return c.Found == nil }
	reached := func(c objects.Case) bool { return reachedFromOutside(c.WantedObject.Object) }
	var gatewayRoutes []string
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"} {
		gatewayRoutes = append(gatewayRoutes, kind+".gateway.networking.k8s.io")
	}
	const why = "no traffic that is meant for the original may reach the copy"
	rules := []objects.Rule{
		{
			Name: "kept apart: policy chooses no pod", Kinds: []string{"NetworkPolicy.networking.k8s.io"},
			Path: "spec.podSelector.matchLabels[" + Mark + "]", When: is("policy"), Why: "a restored policy would let traffic out of the scratch namespace",
		},
		{
			Name: "kept apart: nobody's ingress class", Kinds: []string{"Ingress.networking.k8s.io"},
			Path: "spec.ingressClassName", When: is(nobodysClass), Why: why,
		},
		{
			Name: "kept apart: no ingress class annotation", Kinds: []string{"Ingress.networking.k8s.io"},
			Path: "metadata.annotations[kubernetes.io/ingress.class]", When: absent, Why: why,
		},
		{
			Name: "kept apart: nobody's gateway class", Kinds: []string{"Gateway.gateway.networking.k8s.io"},
			Path: "spec.gatewayClassName", When: is(nobodysClass), Why: why,
		},
		{
			Name: "kept apart: no gateway for routes", Kinds: gatewayRoutes,
			Path: "spec.parentRefs", When: absent, Why: why,
		},
		{
			Name: "kept apart: no external addresses", Kinds: []string{"Service"},
			Path: "spec.externalIPs", When: absent, Why: why,
		},
		{
			Name: "kept apart: reached from inside alone", Kinds: []string{"Service"},
			Path: "spec.type", When: func(c objects.Case) bool { return c.Found == "ClusterIP" && reached(c) }, Why: why,
		},
		{
			Name: "kept apart: no node ports", Kinds: []string{"Service"},
			Path: "spec.ports[*].nodePort", When: func(c objects.Case) bool { return absent(c) && reached(c) }, Why: why,
		},
	}
	for _, field := range outsideFields() {
		rules = append(rules, objects.Rule{
			Name: "kept apart: no " + field, Kinds: []string{"Service"},
			Path: "spec." + field, When: func(c objects.Case) bool { return absent(c) && reached(c) }, Why: why,
		})
	}
	for _, name := range dnsNames() {
		rules = append(rules, objects.Rule{
			Name: "kept apart: no name in DNS", Kinds: []string{"Service"},
			Path: "metadata.annotations[" + name + "]", When: absent, Why: why,
		})
	}
	return rules
}

func reachedFromOutside(service map[string]any) bool {
	spec, _ := service["spec"].(map[string]any)
	return spec["type"] == "LoadBalancer" || spec["type"] == "NodePort"
}

// marked says that what was found are the labels of a quiesced pod: ours, and
// those that Velero puts on everything.
func marked(c objects.Case) bool {
	labels, _ := c.Found.(map[string]any)
	if labels[Mark] != "true" {
		return false
	}
	for name := range labels {
		if !slices.Contains([]string{Mark, "velero.io/backup-name", "velero.io/restore-name"}, name) {
			return false
		}
	}
	return true
}

func quiescedPod(c objects.Case) bool {
	return c.FoundObject != nil && c.FoundObject.GetLabels()[Mark] == "true"
}

func gated(c objects.Case) bool {
	gates, _ := c.Found.([]any)
	if len(gates) != 1 {
		return false
	}
	gate, _ := gates[0].(map[string]any)
	return gate["name"] == Mark
}

func neverBegins(c objects.Case) bool {
	command, _ := c.Found.([]any)
	return len(command) == 1 && command[0] == noCommand
}
