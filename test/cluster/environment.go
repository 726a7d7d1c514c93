package cluster

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"sigs.k8s.io/e2e-framework/support"
)

// A Provider is a cluster for a suite of sigs.k8s.io/e2e-framework, whatever
// kind of cluster it is.
type Provider interface {
	support.E2EClusterProvider
	// Cluster is the local or kwok cluster, for suites that break more than
	// the API can; nil for others, and before Create.
	Cluster() *Cluster
	// Endpoints of what watches the cluster; empty where there is none.
	Endpoints() Endpoints
}

// Endpoints are URLs, empty when unknown.
type Endpoints struct {
	Prometheus   string
	Alertmanager string
	Webhook      string
}

// FromEnvironment chooses the cluster of a suite by the variable CLUSTER:
//
//	CLUSTER=local     real nodes on this machine (the default); needs Linux and root
//	CLUSTER=kwok      a real control plane with nodes that pretend
//	CLUSTER=kind      kind, with the node image in KIND_IMAGE
//	CLUSTER=existing  any cluster, with its context in CONTEXT
//
// NODES and KUBERNETES choose the number of nodes and the version of the first
// two, KEEP=1 leaves them up after the suite. For the others PROMETHEUS_URL,
// ALERTMANAGER_URL and WEBHOOK_URL say what watches them.
//
// The current context of a kubeconfig is never used: a suite breaks things,
// and must not do so in a cluster that nobody named.
func FromEnvironment(o Options) (Provider, error) {
	return fromEnvironment(o, os.Getenv, os.Stderr)
}

func fromEnvironment(o Options, getenv func(string) string, progress io.Writer) (Provider, error) {
	o.Progress = progress
	if nodes := getenv("NODES"); nodes != "" {
		n, err := strconv.Atoi(nodes)
		if err != nil {
			return nil, fmt.Errorf("NODES=%s is not a number", nodes)
		}
		o.Nodes = n
	}
	if version := getenv("KUBERNETES"); version != "" {
		o.Kubernetes = version
	}
	watched := Endpoints{
		Prometheus:   getenv("PROMETHEUS_URL"),
		Alertmanager: getenv("ALERTMANAGER_URL"),
		Webhook:      getenv("WEBHOOK_URL"),
	}
	switch kind := getenv("CLUSTER"); kind {
	case "", string(Local), string(Kwok):
		o.Flavour = Flavour(kind)
		return &provider{options: o.withDefaults(), keep: getenv("KEEP") != ""}, nil
	case "kind":
		image := getenv("KIND_IMAGE")
		if image == "" {
			return nil, fmt.Errorf("CLUSTER=kind needs KIND_IMAGE, the node image to use, such as kindest/node:v1.36.1: which one decides the Kubernetes version")
		}
		return &kindProvider{name: o.withDefaults().Name, image: image, path: "kind", watched: watched, progress: progress}, nil
	case "existing":
		context := getenv("CONTEXT")
		if context == "" {
			return nil, fmt.Errorf("CLUSTER=existing needs CONTEXT, the kubeconfig context of the cluster: the current context is never used, as the suite breaks things")
		}
		return &existingProvider{context: context, kubeconfig: getenv("KUBECONFIG"), watched: watched}, nil
	default:
		return nil, fmt.Errorf("CLUSTER=%s is not known: choose local, kwok, kind or existing", kind)
	}
}
