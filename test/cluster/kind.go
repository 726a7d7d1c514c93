package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/support"

	"gameday.dev/gameday/test/cluster/internal/process"
	"gameday.dev/gameday/test/shop"
)

// kindProvider runs kind: the one that is installed, or else the one that
// versions.go pins. It never writes into the user's kubeconfig, and never
// removes a cluster that it has not made.
type kindProvider struct {
	options Options // Name, Nodes (all of them workers), Shop and Progress
	image   string  // of the nodes; empty is kind's own choice
	keep    bool    // leave the cluster up
	watched Endpoints

	path string // of the kind command; empty until it is looked for
	dir  string // with the kubeconfig; empty until there is one
	ours bool   // there may be a cluster of ours to remove

	busy   sync.Mutex    // held while a cluster is made or removed
	ending chan struct{} // closed by Destroy
	end    func()
}

func newKindProvider(o Options, image string, keep bool, watched Endpoints) *kindProvider {
	ending := make(chan struct{})
	return &kindProvider{
		options: o.withDefaults(), image: image, keep: keep, watched: watched,
		ending: ending, end: sync.OnceFunc(func() { close(ending) }),
	}
}

var _ support.E2EClusterProviderWithImageLoader = (*kindProvider)(nil)

func (p *kindProvider) Cluster() *Cluster    { return nil }
func (p *kindProvider) Endpoints() Endpoints { return p.watched }

func (p *kindProvider) WithName(name string) support.E2EClusterProvider {
	p.options.Name = name
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

// Create makes a cluster of one control-plane node and the workers, and
// returns when all of it is ready. The arguments go to kind create cluster.
func (p *kindProvider) Create(ctx context.Context, args ...string) (string, error) {
	config, err := os.CreateTemp("", "gameday-kind-*.yaml")
	if err != nil {
		return "", err
	}
	defer os.Remove(config.Name())
	_, err = config.WriteString(kindConfig(p.options.Nodes))
	if err := errors.Join(err, config.Close()); err != nil {
		return "", err
	}
	return p.create(ctx, config.Name(), 1+p.options.Nodes, args...)
}

func kindConfig(workers int) string {
	return "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n" +
		strings.Repeat("- role: worker\n", workers)
}

func (p *kindProvider) CreateWithConfig(ctx context.Context, configFile string) (string, error) {
	if configFile == "" {
		return p.Create(ctx)
	}
	return p.create(ctx, configFile, 1)
}

func (p *kindProvider) create(ctx context.Context, config string, nodes int, args ...string) (string, error) {
	p.busy.Lock()
	defer p.busy.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.ending:
			cancel()
		case <-ctx.Done():
		}
	}()

	begin := time.Now()
	done := func(what string) {
		fmt.Fprintf(p.options.Progress, "%s (%.1fs)\n", what, time.Since(begin).Seconds())
	}
	if err := p.claim(ctx); err != nil {
		return "", err
	}
	arguments := append([]string{"create", "cluster", "--name", p.options.Name, "--config", config, "--kubeconfig", p.GetKubeconfig()}, args...)
	if p.image != "" {
		arguments = append(arguments, "--image", p.image)
	}
	if _, err := p.run(ctx, arguments...); err != nil {
		return "", err
	}
	client, err := kubernetes.NewForConfig(p.KubernetesRestConfig())
	if err != nil {
		return "", err
	}
	// kind itself waits for none of the workers, and is content when the time is up.
	if err := waitNodes(ctx, client, nodes, 5*time.Minute); err != nil {
		return "", err
	}
	done("nodes Ready")
	if !p.options.Shop {
		return p.GetKubeconfig(), nil
	}
	if err := p.deployShop(ctx, client); err != nil {
		return "", err
	}
	done("shop ready")
	return p.GetKubeconfig(), nil
}

// claim finds kind and makes sure that no cluster of somebody else has the name.
func (p *kindProvider) claim(ctx context.Context) error {
	if err := p.findKind(ctx); err != nil {
		return err
	}
	out, err := p.run(ctx, "get", "clusters")
	if err != nil {
		return fmt.Errorf("%w\nhint: kind needs Docker or Podman, running and allowed to this user", err)
	}
	if slices.Contains(strings.Fields(out), p.options.Name) {
		return fmt.Errorf("there is a kind cluster %s already, and it may be anybody's: remove it with \"kind delete cluster --name %s\", "+
			"or use it with CLUSTER=existing CONTEXT=%s", p.options.Name, p.options.Name, p.GetKubectlContext())
	}
	if p.dir, err = os.MkdirTemp("", "gameday-kind-"); err != nil {
		return err
	}
	p.ours = true
	return nil
}

// findKind prefers the kind that is installed: it fits the user's engine and node images.
func (p *kindProvider) findKind(ctx context.Context) error {
	if p.path != "" {
		return nil
	}
	if path, err := exec.LookPath(kind); err == nil {
		p.path = path
		return nil
	}
	paths, err := Build(ctx, p.options, kind)
	if err != nil {
		return fmt.Errorf("CLUSTER=kind finds no kind command and cannot build one: %w", err)
	}
	p.path = paths[kind]
	return nil
}

func (p *kindProvider) deployShop(ctx context.Context, client kubernetes.Interface) error {
	archive, err := ShopImage(ctx, p.options.Progress)
	if err != nil {
		return err
	}
	if err := p.LoadImageArchive(ctx, archive); err != nil {
		return err
	}
	if err := apply(ctx, p.KubernetesRestConfig(), shop.Manifests()); err != nil {
		return err
	}
	return waitWorkloads(ctx, client, shop.Namespace, 2*time.Minute)
}

func (p *kindProvider) GetKubeconfig() string {
	if p.dir == "" {
		return ""
	}
	return filepath.Join(p.dir, "kubeconfig")
}

func (p *kindProvider) GenerateKubeconfig(...string) (string, error) { return p.GetKubeconfig(), nil }

func (p *kindProvider) GetKubectlContext() string { return "kind-" + p.options.Name }

func (p *kindProvider) KubernetesRestConfig() *rest.Config {
	if p.dir == "" {
		return nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", p.GetKubeconfig())
	if err != nil {
		return nil
	}
	return config
}

func (p *kindProvider) ExportLogs(ctx context.Context, dest string) error {
	_, err := p.run(ctx, "export", "logs", dest, "--name", p.options.Name)
	return err
}

// Destroy removes what Create has made. A Create that is still at work is ended first.
func (p *kindProvider) Destroy(ctx context.Context) error {
	p.end()
	p.busy.Lock()
	defer p.busy.Unlock()
	if !p.ours {
		return nil
	}
	if p.keep {
		fmt.Fprintf(p.options.Progress, "keeping cluster %s: use it again with CLUSTER=existing CONTEXT=%s KUBECONFIG=%s, remove it with %s delete cluster --name %s\n",
			p.options.Name, p.GetKubectlContext(), p.GetKubeconfig(), p.path, p.options.Name)
		return nil
	}
	if _, err := p.run(ctx, "delete", "cluster", "--name", p.options.Name, "--kubeconfig", p.GetKubeconfig()); err != nil {
		return err
	}
	p.ours = false
	return os.RemoveAll(p.dir)
}

// WaitForControlPlane has nothing to wait for: Create returns when all is ready.
func (p *kindProvider) WaitForControlPlane(context.Context, klient.Client) error { return nil }

func (p *kindProvider) LoadImage(ctx context.Context, image string, args ...string) error {
	_, err := p.run(ctx, append([]string{"load", "docker-image", image, "--name", p.options.Name}, args...)...)
	return err
}

func (p *kindProvider) LoadImageArchive(ctx context.Context, archive string, args ...string) error {
	_, err := p.run(ctx, append([]string{"load", "image-archive", archive, "--name", p.options.Name}, args...)...)
	return err
}

// run runs kind and returns what it printed. What it said is shown only when it fails.
func (p *kindProvider) run(ctx context.Context, arguments ...string) (string, error) {
	fmt.Fprintf(p.options.Progress, "kind %s\n", strings.Join(arguments, " "))
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.path, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := process.RunHelper(cmd); err != nil {
		return "", fmt.Errorf("kind %s %s: %w\n%s", arguments[0], arguments[1], err, lastLines(said.String(), 20))
	}
	return out.String(), nil
}
