package kube

import (
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Requests a second that gameday allows itself. client-go's default of 5 would
// make a drain wait for its own client; the server's priority and fairness
// protects the cluster.
const (
	requestsPerSecond = 100
	requestsBurst     = 200
)

// InCluster is the name of the cluster of the pod that gameday runs in.
const InCluster = "in-cluster"

// Cluster is a connection and the name people know the cluster by.
type Cluster struct {
	Client kubernetes.Interface
	// Dynamic reaches resources whose types are known only at run time.
	Dynamic dynamic.Interface
	// Exec runs commands in containers.
	Exec   Executor
	Config *rest.Config
	// Name is the kubeconfig context, or InCluster.
	Name string
	// Kubeconfig is the file that was asked for, empty for kubectl's own.
	Kubeconfig string
	// Server is the API server's URL.
	Server string
}

// Connect finds the cluster as kubectl does: an explicit kubeconfig, the
// KUBECONFIG variable, the default file; in a pod without any of these, the
// service account. context may be empty for the current one. wrap, if not nil,
// alters the configuration before any client is made of it.
func Connect(kubeconfig, context, userAgent string, wrap func(*rest.Config)) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})

	name := context
	if raw, err := loader.RawConfig(); err == nil && name == "" {
		name = raw.CurrentContext
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	if name == "" {
		name = InCluster
	}
	config.QPS, config.Burst = requestsPerSecond, requestsBurst
	config.UserAgent = userAgent
	// Lists of every resource meet deprecated ones; that is no news of a run.
	config.WarningHandler = rest.NoWarnings{}
	if wrap != nil {
		wrap(config)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", name, err)
	}
	anyType, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", name, err)
	}
	return &Cluster{
		Client: client, Dynamic: anyType, Exec: &executor{client: client, config: config},
		Config: config, Name: name, Kubeconfig: kubeconfig, Server: config.Host,
	}, nil
}
