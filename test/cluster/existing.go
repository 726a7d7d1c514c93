package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/support"
)

// existingProvider is a cluster that somebody else made. It is neither created
// nor destroyed, and only the named context of the kubeconfig is ever seen:
// the suite gets a copy that holds nothing else.
type existingProvider struct {
	context    string
	kubeconfig string // empty: where kubectl looks
	watched    Endpoints
	dir        string // with the copy
}

var _ support.E2EClusterProvider = (*existingProvider)(nil)

func (p *existingProvider) Cluster() *Cluster    { return nil }
func (p *existingProvider) Endpoints() Endpoints { return p.watched }

// What a suite wants of a new cluster does not change an existing one.

func (p *existingProvider) WithName(string) support.E2EClusterProvider    { return p }
func (p *existingProvider) WithVersion(string) support.E2EClusterProvider { return p }
func (p *existingProvider) WithPath(string) support.E2EClusterProvider    { return p }
func (p *existingProvider) SetDefaults() support.E2EClusterProvider       { return p }

func (p *existingProvider) WithOpts(opts ...support.ClusterOpts) support.E2EClusterProvider {
	for _, o := range opts {
		o(p)
	}
	return p
}

func (p *existingProvider) Create(context.Context, ...string) (string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if p.kubeconfig != "" {
		rules.Precedence = filepath.SplitList(p.kubeconfig)
	}
	all, err := rules.Load()
	if err != nil {
		return "", fmt.Errorf("reading the kubeconfig: %w", err)
	}
	context, ok := all.Contexts[p.context]
	if !ok {
		return "", fmt.Errorf("CONTEXT=%s is in no kubeconfig: kubectl config get-contexts lists those that are", p.context)
	}
	only := clientcmdapi.NewConfig()
	only.CurrentContext = p.context
	only.Contexts[p.context] = context
	if cluster, ok := all.Clusters[context.Cluster]; ok {
		only.Clusters[context.Cluster] = cluster
	}
	if user, ok := all.AuthInfos[context.AuthInfo]; ok {
		only.AuthInfos[context.AuthInfo] = user
	}
	if p.dir, err = os.MkdirTemp("", "gameday-existing-"); err != nil {
		return "", err
	}
	return p.GetKubeconfig(), clientcmd.WriteToFile(*only, p.GetKubeconfig())
}

func (p *existingProvider) CreateWithConfig(ctx context.Context, configFile string) (string, error) {
	if configFile != "" {
		return "", fmt.Errorf("an existing cluster takes no config file, got %s", configFile)
	}
	return p.Create(ctx)
}

func (p *existingProvider) GetKubeconfig() string {
	if p.dir == "" {
		return ""
	}
	return filepath.Join(p.dir, "kubeconfig")
}

func (p *existingProvider) GenerateKubeconfig(...string) (string, error) {
	return p.GetKubeconfig(), nil
}

func (p *existingProvider) GetKubectlContext() string { return p.context }

func (p *existingProvider) KubernetesRestConfig() *rest.Config {
	if p.dir == "" {
		return nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", p.GetKubeconfig())
	if err != nil {
		return nil
	}
	return config
}

// ExportLogs has no logs to export: they are not ours.
func (p *existingProvider) ExportLogs(context.Context, string) error { return nil }

// Destroy forgets the copy of the kubeconfig and leaves the cluster alone.
func (p *existingProvider) Destroy(context.Context) error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// WaitForControlPlane does not wait: an existing cluster is there or it is not.
func (p *existingProvider) WaitForControlPlane(context.Context, klient.Client) error { return nil }
