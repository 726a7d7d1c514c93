package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/support"
)

// provider is the local and the kwok flavour for e2e-framework.
type provider struct {
	options Options
	keep    bool // leave the cluster up
	cluster *Cluster
}

// NewProvider is a provider for a cluster with these options.
func NewProvider(o Options) Provider { return &provider{options: o.withDefaults()} }

var _ support.E2EClusterProviderWithImageLoader = (*provider)(nil)

func (p *provider) Cluster() *Cluster { return p.cluster }

func (p *provider) Endpoints() Endpoints {
	if p.cluster == nil || !p.cluster.Monitoring {
		return Endpoints{}
	}
	return Endpoints{
		Prometheus:   p.cluster.PrometheusURL(),
		Alertmanager: p.cluster.AlertmanagerURL(),
		Webhook:      p.cluster.WebhookURL(),
	}
}

func (p *provider) WithName(name string) support.E2EClusterProvider {
	p.options.Name = name
	return p
}

func (p *provider) WithVersion(version string) support.E2EClusterProvider {
	p.options.Kubernetes = version
	return p
}

// WithPath is for providers that run a program of the user's; this one builds its own.
func (p *provider) WithPath(string) support.E2EClusterProvider { return p }

func (p *provider) WithOpts(opts ...support.ClusterOpts) support.E2EClusterProvider {
	for _, o := range opts {
		o(p)
	}
	return p
}

func (p *provider) SetDefaults() support.E2EClusterProvider {
	p.options = p.options.withDefaults()
	return p
}

func (p *provider) Create(ctx context.Context, args ...string) (string, error) {
	if len(args) > 0 {
		return "", fmt.Errorf("creating a %s cluster takes no arguments, got %q: use Options", p.options.Flavour, args)
	}
	c, err := Up(ctx, p.options)
	if err != nil {
		return "", err
	}
	p.cluster = c
	return c.Kubeconfig(), nil
}

func (p *provider) CreateWithConfig(ctx context.Context, configFile string) (string, error) {
	if configFile != "" {
		return "", fmt.Errorf("a %s cluster takes no config file, got %s: use Options", p.options.Flavour, configFile)
	}
	return p.Create(ctx)
}

func (p *provider) GetKubeconfig() string {
	if p.cluster == nil {
		return ""
	}
	return p.cluster.Kubeconfig()
}

func (p *provider) GenerateKubeconfig(...string) (string, error) { return p.GetKubeconfig(), nil }

func (p *provider) GetKubectlContext() string {
	if p.cluster == nil {
		return ""
	}
	return p.cluster.Context()
}

func (p *provider) KubernetesRestConfig() *rest.Config {
	if p.cluster == nil {
		return nil
	}
	config, err := p.cluster.RESTConfig()
	if err != nil {
		return nil
	}
	return config
}

func (p *provider) ExportLogs(_ context.Context, dest string) error {
	if p.cluster == nil {
		return fmt.Errorf("exporting logs: there is no cluster yet")
	}
	return os.CopyFS(filepath.Join(dest, p.cluster.Name), os.DirFS(p.cluster.LogDir()))
}

func (p *provider) Destroy(ctx context.Context) error {
	if p.keep {
		fmt.Fprintf(p.options.Progress, "keeping cluster %s: export KUBECONFIG=%s\n", p.options.Name, p.GetKubeconfig())
		return nil
	}
	return Down(ctx, p.options.Name, p.options.Progress)
}

// WaitForControlPlane has nothing to wait for: Create returns when all is ready.
func (p *provider) WaitForControlPlane(ctx context.Context, _ klient.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return p.cluster.Healthy(ctx)
}

// LoadImage takes the path of an image archive: there is no engine to ask for an image by name.
func (p *provider) LoadImage(ctx context.Context, image string, args ...string) error {
	return p.LoadImageArchive(ctx, image, args...)
}

func (p *provider) LoadImageArchive(ctx context.Context, archive string, _ ...string) error {
	if p.cluster == nil {
		return fmt.Errorf("loading an image: there is no cluster yet")
	}
	return p.cluster.LoadImage(ctx, archive)
}
