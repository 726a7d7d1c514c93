package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/support"
)

// kindProvider runs the kind that is installed. Unlike the one of
// e2e-framework it never downloads kind or an image, and it never writes into
// the user's kubeconfig.
type kindProvider struct {
	name     string
	image    string
	path     string
	watched  Endpoints
	progress io.Writer
	dir      string // with the kubeconfig
}

var _ support.E2EClusterProviderWithImageLoader = (*kindProvider)(nil)

func (p *kindProvider) Cluster() *Cluster    { return nil }
func (p *kindProvider) Endpoints() Endpoints { return p.watched }

func (p *kindProvider) WithName(name string) support.E2EClusterProvider {
	p.name = name
	return p
}

// WithVersion changes nothing: the node image decides.
func (p *kindProvider) WithVersion(string) support.E2EClusterProvider { return p }

func (p *kindProvider) WithPath(path string) support.E2EClusterProvider {
	p.path = path
	return p
}

func (p *kindProvider) WithOpts(opts ...support.ClusterOpts) support.E2EClusterProvider {
	for _, o := range opts {
		o(p)
	}
	return p
}

func (p *kindProvider) SetDefaults() support.E2EClusterProvider { return p }

func (p *kindProvider) Create(ctx context.Context, args ...string) (string, error) {
	if _, err := exec.LookPath(p.path); err != nil {
		return "", fmt.Errorf("CLUSTER=kind needs the kind command: %w: install it, or choose CLUSTER=local", err)
	}
	dir, err := os.MkdirTemp("", "gameday-kind-")
	if err != nil {
		return "", err
	}
	p.dir = dir
	arguments := append([]string{"create", "cluster", "--name", p.name, "--image", p.image,
		"--kubeconfig", p.GetKubeconfig(), "--wait", "180s"}, args...)
	return p.GetKubeconfig(), p.run(ctx, arguments...)
}

func (p *kindProvider) CreateWithConfig(ctx context.Context, configFile string) (string, error) {
	if configFile == "" {
		return p.Create(ctx)
	}
	return p.Create(ctx, "--config", configFile)
}

func (p *kindProvider) GetKubeconfig() string { return filepath.Join(p.dir, "kubeconfig") }

func (p *kindProvider) GenerateKubeconfig(...string) (string, error) { return p.GetKubeconfig(), nil }

func (p *kindProvider) GetKubectlContext() string { return "kind-" + p.name }

func (p *kindProvider) KubernetesRestConfig() *rest.Config {
	config, err := clientcmd.BuildConfigFromFlags("", p.GetKubeconfig())
	if err != nil {
		return nil
	}
	return config
}

func (p *kindProvider) ExportLogs(ctx context.Context, dest string) error {
	return p.run(ctx, "export", "logs", dest, "--name", p.name)
}

func (p *kindProvider) Destroy(ctx context.Context) error {
	if err := p.run(ctx, "delete", "cluster", "--name", p.name, "--kubeconfig", p.GetKubeconfig()); err != nil {
		return err
	}
	return os.RemoveAll(p.dir)
}

// WaitForControlPlane has nothing to wait for: kind was told to wait.
func (p *kindProvider) WaitForControlPlane(context.Context, klient.Client) error { return nil }

func (p *kindProvider) LoadImage(ctx context.Context, image string, args ...string) error {
	return p.run(ctx, append([]string{"load", "docker-image", image, "--name", p.name}, args...)...)
}

func (p *kindProvider) LoadImageArchive(ctx context.Context, archive string, args ...string) error {
	return p.run(ctx, append([]string{"load", "image-archive", archive, "--name", p.name}, args...)...)
}

// run runs kind. Its output is shown only when it fails.
func (p *kindProvider) run(ctx context.Context, arguments ...string) error {
	fmt.Fprintf(p.progress, "kind %s\n", strings.Join(arguments, " "))
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, p.path, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kind %s: %w\n%s", arguments[0], err, lastLines(out.String(), 20))
	}
	return nil
}
