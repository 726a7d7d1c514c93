package objects

func serviceRules() []Rule {
	service := []string{"Service"}
	source := sourceRegistry + "core/service/storage/alloc.go"
	return []Rule{
		{
			Name: "allocated address", Kinds: service, Path: "spec.clusterIP", What: []string{Changed, Extra}, When: allocatedAddress,
			Why: "the API server allocates one when none is asked for", Source: source,
		},
		{
			Name: "allocated address", Kinds: service, Path: "spec.clusterIPs", What: []string{Changed, Extra}, When: allocatedAddresses,
			Why: "the API server allocates one of each family when none is asked for", Source: source,
		},
		{
			Name: "IP families", Kinds: service, Path: "spec.ipFamilies", What: []string{Extra},
			Why: "filled in by what the cluster has", Source: source,
		},
		{
			Name: "IP families", Kinds: service, Path: "spec.ipFamilyPolicy", What: []string{Extra},
			Why: "filled in by what the cluster has", Source: source,
		},
		{
			Name: "allocated port", Kinds: service, Path: "spec.ports[*].nodePort", What: []string{Changed, Extra}, When: allocatedPort,
			Why: "the API server allocates one when none is asked for", Source: source,
		},
		{
			Name: "allocated port", Kinds: service, Path: "spec.healthCheckNodePort", What: []string{Changed, Extra}, When: allocatedHealthPort,
			Why: "the API server allocates one when none is asked for", Source: source,
		},
		{
			Name: "load balancer", Kinds: service, Path: "metadata.finalizers[service.kubernetes.io/load-balancer-cleanup]", What: []string{Missing, Extra},
			Why: "the service controller's, on a Service that it has a load balancer for", Source: "staging/src/k8s.io/cloud-provider/service/helpers/helper.go",
		},
		{
			Name: "default ingress class", Kinds: []string{"Ingress.networking.k8s.io"}, Path: "spec.ingressClassName", What: []string{Extra},
			Why: "an Ingress that names none gets the default class", Source: sourceAdmission + "network/defaultingressclass/admission.go",
		},
	}
}

// headless is the address of a Service that wants none.
const headless = "None"

func allocatedAddress(c Case) bool {
	return c.Wanted != headless && c.Found != headless && c.Found != "" && !asked(c.WantedObject, "spec", "clusterIP")
}

func allocatedAddresses(c Case) bool {
	wanted, _ := c.Wanted.([]any)
	found, _ := c.Found.([]any)
	for _, address := range append(append([]any{}, wanted...), found...) {
		if address == headless {
			return false
		}
	}
	return (len(wanted) == 0 || len(wanted) == len(found)) && !asked(c.WantedObject, "spec", "clusterIP") && !asked(c.WantedObject, "spec", "clusterIPs")
}

func allocatedPort(c Case) bool {
	return c.Found != nil && !asked(c.WantedObject, "spec", "ports", "nodePort")
}

func allocatedHealthPort(c Case) bool {
	return c.Found != nil && !asked(c.WantedObject, "spec", "healthCheckNodePort")
}

func endpointRules() []Rule {
	rules := []Rule{{
		Name: "addresses of pods", Kinds: []string{"Endpoints"}, Path: "subsets", What: always(), When: managedEndpoints,
		Why: "the controller writes the addresses of the pods that are there now", Source: sourceController + "endpoint/endpoints_controller.go",
	}}
	for _, field := range []string{"endpoints", "ports"} {
		rules = append(rules, Rule{
			Name: "addresses of pods", Kinds: []string{"EndpointSlice.discovery.k8s.io"}, Path: field, What: append(always(), Reference), When: managedEndpoints, silent: true,
			Why: "the controller writes the addresses of the pods that are there now", Source: "staging/src/k8s.io/endpointslice/reconciler.go",
		})
	}
	for _, name := range []string{"last-change-trigger-time", "over-capacity"} {
		rules = append(rules, Rule{
			Name: "addresses of pods", Kinds: []string{"Endpoints", "EndpointSlice.discovery.k8s.io"}, Path: "metadata.annotations[endpoints.kubernetes.io/" + name + "]", What: always(),
			Why: "the controller's own note", Source: sourceController + "endpoint/endpoints_controller.go",
		})
	}
	return append(rules, Rule{
		Name: "addresses of pods", Kinds: []string{"Endpoints"}, Path: "metadata.labels[endpoints.kubernetes.io/managed-by]", What: bothWays(), When: managedEndpoints,
		Why: "controllers of newer versions say so", Source: sourceController + "endpoint/endpoints_controller.go",
	})
}

// managedEndpoints says that a controller writes the object, and not its
// owner: by its label, by its note, or because it is the API server's own.
func managedEndpoints(c Case) bool {
	for _, o := range c.objects() {
		manager := label(o, "endpointslice.kubernetes.io/managed-by")
		switch {
		case manager == "endpointslice-controller.k8s.io", manager == "endpointslicemirroring-controller.k8s.io",
			label(o, "endpoints.kubernetes.io/managed-by") == "endpoint-controller",
			annotation(o, "endpoints.kubernetes.io/last-change-trigger-time") != "",
			o.GetNamespace() == "default" && o.GetName() == "kubernetes":
			return true
		}
	}
	return false
}
