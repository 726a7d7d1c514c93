package objects

import "slices"

func serviceDefaults() []Default {
	service := []string{"Service"}
	return slices.Concat(
		fill(service, defaultsCore, "spec", map[string]any{
			"type": "ClusterIP", "sessionAffinity": "None", "ports[*].protocol": "TCP",
		}),
		[]Default{
			{Kinds: service, Path: "spec.ports[*].targetPort", Of: func(a Around) any { return a.In(1)["port"] }, Words: "port", Source: defaultsCore},
			{Kinds: service, Path: "spec.internalTrafficPolicy", Of: unlessExternal, Words: "Cluster, except for ExternalName", Source: defaultsCore},
			{Kinds: service, Path: "spec.externalTrafficPolicy", Of: reachable, Words: "Cluster, for NodePort, LoadBalancer and with externalIPs", Source: defaultsCore},
			{Kinds: service, Path: "spec.allocateLoadBalancerNodePorts", Of: balanced, Words: "true, for LoadBalancer", Source: defaultsCore},
			{Kinds: service, Path: "spec.sessionAffinityConfig", Of: sticky, Words: "timeoutSeconds 10800, for sessionAffinity ClientIP", Source: defaultsCore},
			{Kinds: []string{"Endpoints"}, Path: "subsets[*].ports[*].protocol", Value: "TCP", Source: defaultsCore},
			{Kinds: []string{"EndpointSlice.discovery.k8s.io"}, Path: "ports[*].name", Value: "", Source: "pkg/apis/discovery/v1/defaults.go"},
			{Kinds: []string{"EndpointSlice.discovery.k8s.io"}, Path: "ports[*].protocol", Value: "TCP", Source: "pkg/apis/discovery/v1/defaults.go"},
			{Kinds: []string{"Secret"}, Path: "type", Value: "Opaque", Source: defaultsCore},
			{Kinds: []string{"Namespace"}, Path: "spec", Value: object(), Source: defaultsCore},
		},
	)
}

func unlessExternal(a Around) any {
	if a.In(1)["type"] == "ExternalName" {
		return nil
	}
	return "Cluster"
}

func reachable(a Around) any {
	spec := a.In(1)
	if spec["type"] == "NodePort" || spec["type"] == "LoadBalancer" || !empty(spec["externalIPs"], &shape{}) {
		return "Cluster"
	}
	return nil
}

func balanced(a Around) any {
	if a.In(1)["type"] == "LoadBalancer" {
		return true
	}
	return nil
}

func sticky(a Around) any {
	if a.In(1)["sessionAffinity"] == "ClientIP" {
		return map[string]any{"clientIP": map[string]any{"timeoutSeconds": int64(10800)}}
	}
	return nil
}

func networkDefaults() []Default {
	policy := []string{"NetworkPolicy.networking.k8s.io"}
	return []Default{
		{Kinds: policy, Path: "spec.policyTypes", Of: policyTypes, Words: "Ingress, and Egress where there are egress rules", Source: defaultsNetworking},
		{Kinds: policy, Path: "spec.ingress[*].ports[*].protocol", Value: "TCP", Source: defaultsNetworking},
		{Kinds: policy, Path: "spec.egress[*].ports[*].protocol", Value: "TCP", Source: defaultsNetworking},
		{Kinds: []string{"IngressClass.networking.k8s.io"}, Path: "spec.parameters.scope", Value: "Cluster", Source: defaultsNetworking},
	}
}

func policyTypes(a Around) any {
	types := []any{"Ingress"}
	if !empty(a.In(1)["egress"], &shape{}) {
		types = append(types, "Egress")
	}
	return types
}

// gatewayDefaults are those in the definitions of the Gateway API.
func gatewayDefaults() []Default {
	var all []Default
	source := "https://gateway-api.sigs.k8s.io/reference/spec/"
	routes := []string{"HTTPRoute.gateway.networking.k8s.io", "GRPCRoute.gateway.networking.k8s.io"}
	all = append(all, fill(routes, source, "spec", map[string]any{
		"parentRefs[*].group": "gateway.networking.k8s.io", "parentRefs[*].kind": "Gateway",
		"rules[*].backendRefs[*].group": "", "rules[*].backendRefs[*].kind": "Service", "rules[*].backendRefs[*].weight": int64(1),
	})...)
	all = append(all, fill(routes[:1], source, "spec.rules[*].matches[*]", map[string]any{
		"path": object(), "path.type": "PathPrefix", "path.value": "/", "headers[*].type": "Exact", "queryParams[*].type": "Exact",
	})...)
	return append(all, fill([]string{"Gateway.gateway.networking.k8s.io"}, source, "spec.listeners[*]", map[string]any{
		"allowedRoutes": object(), "allowedRoutes.namespaces": object(), "allowedRoutes.namespaces.from": "Same",
		"tls.mode": "Terminate", "tls.certificateRefs[*].group": "", "tls.certificateRefs[*].kind": "Secret",
	})...)
}
