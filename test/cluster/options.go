package cluster

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// A Flavour is a way to have nodes.
type Flavour string

const (
	// Local has real nodes; it needs Linux and root.
	Local Flavour = "local"
	// Kwok has nodes that pretend; it runs anywhere and holds thousands of pods.
	Kwok Flavour = "kwok"
)

// DefaultName is the name of a cluster that was given none.
const DefaultName = "gameday"

// Options say what cluster to bring up. The zero value is a cluster of three
// real nodes with the default Kubernetes version and nothing else.
type Options struct {
	Name       string  `json:"name"`
	Flavour    Flavour `json:"flavour"`
	Nodes      int     `json:"nodes"`
	Kubernetes string  `json:"kubernetes"`  // version, such as 1.36.3
	Etcd       int     `json:"etcdMembers"` // 1 or 3
	Encryption bool    `json:"encryption"`  // of Secrets, ConfigMaps and ServiceAccounts at rest
	Monitoring bool    `json:"monitoring"`  // Prometheus, Alertmanager and a webhook receiver
	Shop       bool    `json:"shop"`        // the sample application
	Velero     bool    `json:"velero"`      // with volumes for applications and an S3 server for their backups

	// VeleroVersion is one of VeleroVersions.
	VeleroVersion string `json:"veleroVersion"`

	// Progress gets what happens, in lines for people; nil is silence.
	Progress io.Writer `json:"-"`
}

// A name is part of cgroup paths, file names and the kubeconfig's context.
var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$`)

// maxNodes is how many nodes fit in a slot's subnets.
const maxNodes = 200

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Flavour == "" {
		o.Flavour = Local
	}
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Kubernetes == "" {
		o.Kubernetes = KubernetesVersions[0]
	}
	o.Kubernetes = pinned(o.Kubernetes, KubernetesVersions)
	if o.VeleroVersion == "" {
		o.VeleroVersion = VeleroVersions[0]
	}
	o.VeleroVersion = pinned(o.VeleroVersion, VeleroVersions)
	if o.Etcd == 0 {
		o.Etcd = 1
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return o
}

// pinned is the version that is meant: 1.35 is the one we pin of 1.35.
func pinned(version string, versions []string) string {
	version = strings.TrimPrefix(version, "v")
	for _, v := range versions {
		if strings.HasPrefix(v, version+".") {
			return v
		}
	}
	return version
}

func (o Options) validate() error {
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !validName.MatchString(o.Name) {
		problem("name %q must be at most 30 of a-z, 0-9 and -", o.Name)
	}
	if o.Flavour != Local && o.Flavour != Kwok {
		problem("flavour %q is not known: choose %s or %s", o.Flavour, Local, Kwok)
	}
	if o.Nodes < 1 || (o.Flavour == Local && o.Nodes > maxNodes) {
		problem("%d nodes cannot be had: choose 1 to %d, or the kwok flavour for more", o.Nodes, maxNodes)
	}
	if o.Velero && o.Flavour != Local {
		problem("pods of the %s flavour have no data for velero to back up: use the %s flavour", o.Flavour, Local)
	}
	if !slices.Contains([]int{1, 3}, o.Etcd) {
		problem("%d etcd members: choose 1 or 3", o.Etcd)
	}
	if _, err := kubernetesComponent(o.Kubernetes); err != nil {
		problem("%v", err)
	}
	if _, err := veleroComponent(o.VeleroVersion); err != nil {
		problem("%v", err)
	}
	if len(problems) > 0 {
		return fmt.Errorf("cluster options: %s", strings.Join(problems, "; "))
	}
	return nil
}

// stateHome is where the state directories of all clusters of this user are.
func stateHome() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding a place for the cluster's state: %w: set XDG_STATE_HOME", err)
		}
		base = home + "/.local/state"
	}
	return base + "/gameday/clusters", nil
}
