package quiesce

import "slices"

const whyApart = "no traffic that is meant for the original may reach the copy"

// traffic keeps controllers outside the namespace from leading anything into it,
// and its own policies from letting anything out of it.
func traffic() []change { return slices.Concat(policies(), routes(), services()) }

// policies add up to what is allowed. One keeps its selector and chooses nothing by it.
func policies() []change {
	return []change{{
		name: "kept apart: policy chooses no pod", of: []target{{"networkpolicies", "NetworkPolicy", "networking.k8s.io"}},
		path: []string{"spec", "podSelector", "matchLabels", mark}, value: "policy",
		why: "a restored policy would let traffic out of the scratch namespace",
	}}
}

// routes are of nobody's class and of no gateway.
func routes() []change {
	const gatewayAPI = "gateway.networking.k8s.io"
	ingresses := []target{{"ingresses", "Ingress", "networking.k8s.io"}}
	return []change{
		{
			name: "kept apart: nobody's ingress class", of: ingresses, path: []string{"spec", "ingressClassName"}, value: nobodysClass, why: whyApart,
		},
		{
			name: "kept apart: no ingress class annotation", of: ingresses, path: []string{"metadata", "annotations", "kubernetes.io/ingress.class"}, why: whyApart,
		},
		{
			name: "kept apart: nobody's gateway class", of: []target{{"gateways", "Gateway", gatewayAPI}},
			path: []string{"spec", "gatewayClassName"}, value: nobodysClass, why: whyApart,
		},
		{
			name: "kept apart: no gateway for routes",
			of: []target{
				{"httproutes", "HTTPRoute", gatewayAPI}, {"grpcroutes", "GRPCRoute", gatewayAPI}, {"tlsroutes", "TLSRoute", gatewayAPI},
				{"tcproutes", "TCPRoute", gatewayAPI}, {"udproutes", "UDPRoute", gatewayAPI},
			},
			path: []string{"spec", "parentRefs"}, why: whyApart,
		},
	}
}

// services have no addresses but those of the cluster, no ports of nodes, and no
// names that external-dns makes (docs/annotations/annotations.md of
// kubernetes-sigs/external-dns).
func services() []change {
	of := []target{{"services", "Service", ""}}
	changes := []change{
		{name: "kept apart: no external addresses", of: of, path: []string{"spec", "externalIPs"}, why: whyApart},
		{name: "kept apart: reached from inside alone", of: of, path: []string{"spec", "type"}, value: "ClusterIP", where: reachedFromOutside, why: whyApart},
		{name: "kept apart: no node ports", of: of, path: []string{"spec", "ports", "*", "nodePort"}, where: reachedFromOutside, why: whyApart},
	}
	// Only a Service that is reached from outside may have these.
	for _, field := range []string{
		"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges", "healthCheckNodePort",
	} {
		changes = append(changes, change{name: "kept apart: no " + field, of: of, path: []string{"spec", field}, where: reachedFromOutside, why: whyApart})
	}
	for _, name := range []string{"external-dns.alpha.kubernetes.io/hostname", "external-dns.alpha.kubernetes.io/internal-hostname"} {
		changes = append(changes, change{name: "kept apart: no name in DNS", of: of, path: []string{"metadata", "annotations", name}, why: whyApart})
	}
	return changes
}

// reachedFromOutside says so of a Service as the API server does (pkg/api/service,
// ExternallyAccessible).
func reachedFromOutside(service map[string]any) bool {
	spec, _ := service["spec"].(map[string]any)
	switch addresses, _ := spec["externalIPs"].([]any); spec["type"] {
	case "LoadBalancer", "NodePort":
		return true
	case "ClusterIP", nil:
		return len(addresses) > 0
	default:
		return false
	}
}
