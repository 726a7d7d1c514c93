// Package quiesce keeps a restored copy from acting on the world: its workloads
// do not run unless they are to, and whatever they do, no traffic meant for the
// original reaches the copy and none of the copy's reaches out. It says so twice:
// to Velero as resource modifiers, and to the comparison as rules that expect just
// these changes. It talks to no cluster.
package quiesce

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// Mark is the label and selector that nothing else has, and so nothing acts on.
const Mark = "gameday.dev/quiesced"

// nobodysClass is a class of ingresses and gateways that no controller has. A class
// is the name of an object, which has no slash.
const nobodysClass = "quiesced.gameday.dev"

// noCommand is a program that no image has: a container that is to run it never
// begins, while its volumes are mounted.
const noCommand = "/gameday-quiesced"

// Options say what is restored and how much of it may act.
type Options struct {
	// Namespace is the original's.
	Namespace string
	// Start lets workloads run; traffic is kept apart all the same.
	Start bool
	// Volumes says that files are restored into volumes of the pod of that name.
	Volumes func(pod string) bool
}

// Modifiers gives Velero's resource modifiers for what a backup holds, as the
// text of their ConfigMap.
func Modifiers(ctx context.Context, backup *contents.Contents, options Options) (string, error) {
	rules := traffic(options.Namespace)
	services, err := services(ctx, backup, options.Namespace)
	if err != nil {
		return "", err
	}
	rules = append(rules, services...)
	if !options.Start {
		rules = append(rules, workloads(options.Namespace)...)
		pods, err := pods(ctx, backup, options)
		if err != nil {
			return "", err
		}
		rules = append(rules, pods...)
	}
	text, err := json.Marshal(modifiers{Version: "v1", Rules: rules})
	return string(text), err
}

// modifiers is Velero's format (site/content/docs/main/restore-resource-modifiers.md).
// JSON is YAML.
type modifiers struct {
	Version string     `json:"version"`
	Rules   []modifier `json:"resourceModifierRules"`
}

type modifier struct {
	Conditions   conditions   `json:"conditions"`
	Patches      []operation  `json:"patches,omitempty"`
	MergePatches []mergePatch `json:"mergePatches,omitempty"`
}

type conditions struct {
	Namespaces    []string `json:"namespaces"`
	GroupResource string   `json:"groupResource"`
	Names         string   `json:"resourceNameRegex,omitempty"`
}

// operation is one of a JSON patch. Velero takes a value that begins with a brace
// or a bracket as JSON, and others as text.
type operation struct {
	Operation string `json:"operation"`
	Path      string `json:"path"`
	Value     string `json:"value,omitempty"`
}

type mergePatch struct {
	Data string `json:"patchData"`
}

// merge changes every object of a resource, or those named.
func merge(namespace, resource, patch string, names ...string) modifier {
	return modifier{
		Conditions:   conditions{Namespaces: []string{namespace}, GroupResource: resource, Names: exactly(names)},
		MergePatches: []mergePatch{{Data: patch}},
	}
}

// exactly is a regular expression for these names and no others; empty for all.
func exactly(names []string) string {
	if len(names) == 0 {
		return ""
	}
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, regexp.QuoteMeta(name))
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

// workloads get no replicas, are suspended, or choose nodes that there are none of.
func workloads(namespace string) []modifier {
	const noReplicas, suspended = `{"spec":{"replicas":0}}`, `{"spec":{"suspend":true}}`
	return []modifier{
		merge(namespace, "deployments.apps", noReplicas),
		merge(namespace, "replicasets.apps", noReplicas),
		merge(namespace, "statefulsets.apps", noReplicas),
		merge(namespace, "replicationcontrollers", noReplicas),
		merge(namespace, "jobs.batch", suspended),
		merge(namespace, "cronjobs.batch", suspended),
		merge(namespace, "daemonsets.apps", fmt.Sprintf(`{"spec":{"template":{"spec":{"nodeSelector":{%q:"true"}}}}}`, Mark)),
	}
}

// traffic keeps controllers outside the namespace from leading anything into it,
// and its own policies from letting anything out of it.
func traffic(namespace string) []modifier {
	rules := []modifier{
		// A policy adds to what is allowed. It keeps its selector and chooses nothing by it.
		merge(namespace, "networkpolicies.networking.k8s.io", fmt.Sprintf(`{"spec":{"podSelector":{"matchLabels":{%q:"policy"}}}}`, Mark)),
		merge(namespace, "ingresses.networking.k8s.io",
			fmt.Sprintf(`{"spec":{"ingressClassName":%q},"metadata":{"annotations":{"kubernetes.io/ingress.class":null}}}`, nobodysClass)),
		merge(namespace, "gateways.gateway.networking.k8s.io", fmt.Sprintf(`{"spec":{"gatewayClassName":%q}}`, nobodysClass)),
		// Names in the zone of a DNS server, and addresses of the machines' own.
		merge(namespace, "services", fmt.Sprintf(`{"spec":{"externalIPs":null},"metadata":{"annotations":{%q:null,%q:null}}}`, dnsNames()[0], dnsNames()[1])),
	}
	for _, route := range routes() {
		rules = append(rules, merge(namespace, route+".gateway.networking.k8s.io", `{"spec":{"parentRefs":null}}`))
	}
	return rules
}

func routes() []string {
	return []string{"httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes"}
}

// dnsNames are the annotations that external-dns reads
// (docs/annotations/annotations.md of kubernetes-sigs/external-dns).
func dnsNames() []string {
	return []string{"external-dns.alpha.kubernetes.io/hostname", "external-dns.alpha.kubernetes.io/internal-hostname"}
}

// services that are reached from outside become ones that are not. Their ports
// are a list, which a merge patch can only replace as a whole, so each is patched
// by what the backup holds of it.
func services(ctx context.Context, backup *contents.Contents, namespace string) ([]modifier, error) {
	var rules []modifier
	for service, err := range backup.Objects(ctx, objects.Resource{Name: "services", Version: "v1", Kind: "Service", Namespaced: true}) {
		if err != nil {
			return nil, err
		}
		kind, _, _ := unstructured.NestedString(service.Object, "spec", "type")
		if kind != "LoadBalancer" && kind != "NodePort" {
			continue
		}
		ports, _, err := unstructured.NestedSlice(service.Object, "spec", "ports")
		if err != nil {
			return nil, fmt.Errorf("reading service %s: %w", service.GetName(), err)
		}
		for _, port := range ports {
			if port, ok := port.(map[string]any); ok {
				delete(port, "nodePort")
			}
		}
		spec := map[string]any{"type": "ClusterIP", "ports": ports}
		for _, field := range outsideFields() {
			spec[field] = nil
		}
		patch, err := json.Marshal(map[string]any{"spec": spec})
		if err != nil {
			return nil, err
		}
		rules = append(rules, merge(namespace, "services", string(patch), service.GetName()))
	}
	return rules, nil
}

// outsideFields are those of a Service that only one reached from outside may have.
func outsideFields() []string {
	return []string{
		"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges", "healthCheckNodePort",
	}
}
