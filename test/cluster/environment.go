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
//	CLUSTER=kind      kind; KIND_IMAGE chooses another node image than its own
//	CLUSTER=existing  any cluster, with its context in CONTEXT
//
// NODES is the number of workers of the first three, and KEEP=1 leaves them up
// after the suite. KUBERNETES is the version of the first two. Velero is in the
// first alone, whatever the options ask for; VELERO is its version. For the others
// PROMETHEUS_URL, ALERTMANAGER_URL and WEBHOOK_URL say what watches them.
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
	if version := getenv("VELERO"); version != "" {
		o.VeleroVersion = version
	}
	watched := Endpoints{
		Prometheus:   getenv("PROMETHEUS_URL"),
		Alertmanager: getenv("ALERTMANAGER_URL"),
		Webhook:      getenv("WEBHOOK_URL"),
	}
	keep := getenv("KEEP") != ""
	switch flavour := getenv("CLUSTER"); flavour {
	case "", string(Local), string(Kwok):
		o.Flavour = Flavour(flavour)
		o.Velero = o.Velero && o.Flavour != Kwok // whose pods have no data
		return &provider{options: o.withDefaults(), keep: keep}, nil
	case "kind":
		if version := getenv("KUBERNETES"); version != "" && getenv("KIND_IMAGE") == "" {
			return nil, fmt.Errorf("KUBERNETES=%s does not choose the version of a kind cluster: set KIND_IMAGE to a node image of that version, such as kindest/node:v1.36.1", version)
		}
		return newKindProvider(o, getenv("KIND_IMAGE"), keep, watched), nil
	case "existing":
		context := getenv("CONTEXT")
		if context == "" {
			return nil, fmt.Errorf("CLUSTER=existing needs CONTEXT, the kubeconfig context of the cluster: the current context is never used, as the suite breaks things")
		}
		return &existingProvider{context: context, kubeconfig: getenv("KUBECONFIG"), watched: watched}, nil
	default:
		return nil, fmt.Errorf("CLUSTER=%s is not known: choose local, kwok, kind or existing", flavour)
	}
}
