package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/scenarios/run"
	"gameday.dev/gameday/verify"
)

// environmentFileName is looked for beside the scenario.
const environmentFileName = "gameday.yaml"

// target is where a command works: the flags that say so, and what they
// resolve to. Flags outrank the Environment document.
type target struct {
	kubeconfig, context string
	environmentFile     string
	prometheus          endpointFlags
	alertmanager        endpointFlags
	receiver            endpointFlags
	etcd                etcdFlags
	velero              veleroFlags
	scratchDir          string
}

// endpointFlags override one endpoint of the Environment, value by value.
type endpointFlags struct {
	url, caFile, certFile, keyFile, bearerTokenFile string
	headers                                         map[string]string
	insecure                                        bool
}

func (t *target) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&t.context, "context", "", "kubeconfig context of the cluster")
	flags.StringVar(&t.kubeconfig, "kubeconfig", "", "path to the kubeconfig file")
	flags.StringVar(&t.environmentFile, "environment", "", "Environment document (default $GAMEDAY_ENVIRONMENT, else "+environmentFileName+" beside the scenario)")
}

func (t *target) addEndpointFlags(cmd *cobra.Command) {
	t.prometheus.add(cmd.Flags(), "prometheus", "Prometheus, Thanos or Mimir")
	t.alertmanager.add(cmd.Flags(), "alertmanager", "Alertmanager")
	t.receiver.add(cmd.Flags(), "receiver", "the receiver that lists what it was notified of")
	t.etcd.add(cmd.Flags())
	t.velero.add(cmd.Flags())
	cmd.Flags().StringVar(&t.scratchDir, "scratch-dir", "", "directory of this machine where steps keep what they read and restore while they need it (default $TMPDIR)")
}

func (e *endpointFlags) add(flags *pflag.FlagSet, name, what string) {
	flags.StringVar(&e.url, name+"-url", "", "URL of "+what)
	flags.StringVar(&e.caFile, name+"-ca-file", "", "CA certificates for "+name)
	flags.StringVar(&e.certFile, name+"-cert-file", "", "client certificate for "+name)
	flags.StringVar(&e.keyFile, name+"-key-file", "", "client key for "+name)
	flags.StringVar(&e.bearerTokenFile, name+"-bearer-token-file", "", "bearer token for "+name)
	flags.StringToStringVar(&e.headers, name+"-header", nil, "extra header NAME=VALUE for "+name)
	flags.BoolVar(&e.insecure, name+"-insecure-skip-verify", false, "trust any certificate of "+name)
}

// resolve lays the flags over the endpoint of the Environment.
func (e endpointFlags) resolve(from *scenarios.Endpoint) (*verify.Endpoint, error) {
	base := scenarios.Endpoint{}
	if from != nil {
		base = *from
	}
	for _, override := range []struct {
		value string
		field *string
	}{
		{e.url, &base.URL}, {e.caFile, &base.CAFile}, {e.certFile, &base.CertFile},
		{e.keyFile, &base.KeyFile}, {e.bearerTokenFile, &base.BearerTokenFile},
	} {
		if override.value != "" {
			*override.field = override.value
		}
	}
	if base.URL == "" {
		return nil, nil
	}
	endpoint, err := base.ForChecks(os.ReadFile)
	if err != nil {
		return nil, err
	}
	for name, value := range e.headers {
		if endpoint.Headers == nil {
			endpoint.Headers = map[string]string{}
		}
		endpoint.Headers[name] = value
	}
	endpoint.InsecureSkipVerify = endpoint.InsecureSkipVerify || e.insecure
	return endpoint, nil
}

// connect finds the environment and the cluster and returns what every run
// against them shares. beside is the file the scenario came from.
func (t *target) connect(p process, beside string, wrap func(*rest.Config)) (*kube.Cluster, run.Options, error) {
	var options run.Options
	environment, err := t.environment(p, beside)
	if err != nil {
		return nil, options, err
	}
	spec := environment.Spec
	contextName, kubeconfig := t.context, t.kubeconfig
	if contextName == "" {
		contextName = spec.Context
	}
	if spec.Context != "" && contextName != spec.Context {
		return nil, options, refusal.New("drop --context, or name another --environment",
			"environment %s is for context %s, not for %s", environment.Metadata.Name, spec.Context, contextName)
	}
	if kubeconfig == "" {
		kubeconfig = spec.Kubeconfig
	}
	cluster, err := kube.Connect(kubeconfig, contextName, "gameday/"+version(), wrap)
	if err != nil {
		return nil, options, inputError(fmt.Errorf("%w\nhint: name it with --context and --kubeconfig", err))
	}
	options = run.Options{
		Client:      cluster.Client,
		Dynamic:     cluster.Dynamic,
		Exec:        cluster.Exec,
		Cluster:     cluster.Name,
		RunnerNode:  p.getenv("NODE_NAME"),
		Environment: environment.Metadata.Name,
		Version:     version(),
		Velero:      t.velero.resolve(spec.Velero),
		Image:       firstOf(t.velero.image, spec.Image),
	}
	if options.Machine, err = p.machine(cluster, t.scratchDir); err != nil {
		return nil, options, err
	}
	if options.Etcd, err = t.etcd.resolve(spec.Etcd); err != nil {
		return nil, options, err
	}
	for _, endpoint := range []struct {
		flags endpointFlags
		from  *scenarios.Endpoint
		into  **verify.Endpoint
	}{
		{t.prometheus, spec.Prometheus, &options.Prometheus},
		{t.alertmanager, spec.Alertmanager, &options.Alertmanager},
		{t.receiver, spec.Receiver, &options.Receiver},
	} {
		if *endpoint.into, err = endpoint.flags.resolve(endpoint.from); err != nil {
			return nil, options, inputError(err)
		}
	}
	return cluster, options, nil
}

// environment reads the Environment document: by flag, by variable, beside the
// scenario, or an empty one.
func (t *target) environment(p process, beside string) (*scenarios.Environment, error) {
	path := firstOf(t.environmentFile, p.getenv("GAMEDAY_ENVIRONMENT"))
	if path == "" && beside != "" && beside != "-" {
		path = filepath.Join(filepath.Dir(beside), environmentFileName)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			path = ""
		}
	}
	if path == "" {
		return &scenarios.Environment{}, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, inputError(fmt.Errorf("reading environment: %w", err))
	}
	environment, err := scenarios.LoadEnvironment(scenarios.Source{Name: path, Data: data})
	if err != nil {
		return nil, inputError(err)
	}
	return environment, nil
}

// confirm names the cluster and asks once on a terminal. Without a terminal,
// only --yes goes on.
func (p process) confirm(yes bool, cluster *kube.Cluster, what string) error {
	fmt.Fprintf(p.stderr, "%s on cluster %s (%s)\n", what, cluster.Name, cluster.Server)
	if yes {
		return nil
	}
	if !p.stdinTerminal || !p.stderrTerminal {
		return refusal.New("add --yes in scripts, after reading `gameday plan`", "no terminal to ask on and no --yes")
	}
	fmt.Fprint(p.stderr, "Go on? [y/N] ")
	answer, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return refusal.New("", "not confirmed")
	}
	return nil
}

func (p process) hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
