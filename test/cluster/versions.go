package cluster

import (
	"fmt"
	"strings"

	"gameday.dev/gameday/test/cluster/internal/gobuild"
)

// This file is the one place where versions are pinned. Everything is built
// from Go modules, so that a version here is a version of the Go module proxy
// and is checked against its checksum database.
const (
	etcdVersion         = "v3.6.16"
	containerdVersion   = "v2.2.8"
	corednsVersion      = "v1.15.0"
	prometheusVersion   = "v0.311.3" // of the Go module; Prometheus calls it 3.11.3
	alertmanagerVersion = "v0.31.1"  // from v0.33 on the module lacks the built web UI and does not compile
	kwokVersion         = "v0.7.0"
	kindVersion         = "v0.33.0"
	veleroAWSVersion    = "v1.14.3" // 1.14.2 corrupts what it writes to some S3 servers
	versitygwVersion    = "v1.8.0"
)

// KubernetesVersions are the versions a cluster can run, the default first.
// Any other released version can be asked for too; these two are tested.
var KubernetesVersions = []string{"1.36.3", "1.35.4"}

// VeleroVersions are the versions of Velero a cluster can run, the default
// first: the last of each minor version that gameday speaks to.
var VeleroVersions = []string{"1.18.3", "1.17.2", "1.16.2"}

// veleroPins is what each version's own go.mod replaces or can't be had for.
var veleroPins = map[string]struct {
	kopia    string           // Velero's own fork, as in its go.mod
	requires []gobuild.Module // in place of versions that the module proxy does not serve
}{
	"1.18.3": {"v0.0.0-20251230033609-d946b1e75197", []gobuild.Module{{Path: "k8s.io/cli-runtime", Version: "v0.33.13"}}},
	"1.17.2": {"v0.0.0-20250722052735-3ea24d208777", nil},
	"1.16.2": {"v0.0.0-20250227051353-20bfabbfc7a0", nil},
}

// Binaries of the components, by the name they have upstream.
const (
	kubeAPIServer         = "kube-apiserver"
	kubeControllerManager = "kube-controller-manager"
	kubeScheduler         = "kube-scheduler"
	kubelet               = "kubelet"
	kubeProxy             = "kube-proxy"
	kubectl               = "kubectl"
	etcd                  = "etcd"
	etcdctl               = "etcdctl"
	etcdutl               = "etcdutl"
	containerd            = "containerd"
	containerdShim        = "containerd-shim-runc-v2"
	ctr                   = "ctr"
	coredns               = "coredns"
	prometheus            = "prometheus"
	alertmanager          = "alertmanager"
	kwok                  = "kwok"
	kind                  = "kind"
	velero                = "velero"
	veleroHelper          = "velero-helper"
	veleroRestoreHelper   = "velero-restore-helper"
	veleroAWS             = "velero-plugin-for-aws"
	versitygw             = "versitygw"
)

// kubernetesComponent is Kubernetes at one version, such as 1.36.3.
func kubernetesComponent(version string) (gobuild.Component, error) {
	parts := strings.Split(version, ".")
	if len(parts) != 3 {
		return gobuild.Component{}, fmt.Errorf("kubernetes version %q is not of the form 1.36.3: choose one of %s",
			version, strings.Join(KubernetesVersions, ", "))
	}
	const versionPackage = "k8s.io/component-base/version"
	packages := map[string]string{}
	for _, name := range []string{kubeAPIServer, kubeControllerManager, kubeScheduler, kubelet, kubeProxy, kubectl} {
		packages[name] = "k8s.io/kubernetes/cmd/" + name
	}
	return gobuild.Component{
		Name:     "kubernetes",
		Version:  version,
		Modules:  []gobuild.Module{{Path: "k8s.io/kubernetes", Version: "v" + version}},
		Packages: packages,
		// The staging modules are released as v0.X.Y beside Kubernetes v1.X.Y.
		StagingVersion: fmt.Sprintf("v0.%s.%s", parts[1], parts[2]),
		// Without these the components call themselves v0.0.0-master.
		LDFlags: []string{
			"-X", versionPackage + ".gitVersion=v" + version,
			"-X", versionPackage + ".gitMajor=" + parts[0],
			"-X", versionPackage + ".gitMinor=" + parts[1],
		},
	}, nil
}

// veleroComponent is Velero at one of VeleroVersions.
func veleroComponent(version string) (gobuild.Component, error) {
	pins, ok := veleroPins[version]
	if !ok {
		return gobuild.Component{}, fmt.Errorf("velero version %q: choose one of %s", version, strings.Join(VeleroVersions, ", "))
	}
	const module, kopia = "github.com/vmware-tanzu/velero", "github.com/kopia/kopia"
	packages := map[string]string{}
	for _, name := range []string{velero, veleroHelper, veleroRestoreHelper} {
		packages[name] = module + "/cmd/" + name
	}
	return gobuild.Component{
		Name:     "velero",
		Version:  "v" + version,
		Modules:  []gobuild.Module{{Path: module, Version: "v" + version}},
		Packages: packages,
		Requires: pins.requires,
		Replaces: map[string]gobuild.Module{kopia: {Path: "github.com/project-velero/kopia", Version: pins.kopia}},
		// Without it the program calls itself "main".
		LDFlags: []string{"-X", module + "/pkg/buildinfo.Version=v" + version},
	}, nil
}

// components are all other components: the versions of Kubernetes and of Velero are chosen for each cluster.
var components = []gobuild.Component{
	{
		Name:    "etcd",
		Version: etcdVersion,
		Modules: []gobuild.Module{
			{Path: "go.etcd.io/etcd/server/v3", Version: etcdVersion},
			{Path: "go.etcd.io/etcd/etcdctl/v3", Version: etcdVersion},
			{Path: "go.etcd.io/etcd/etcdutl/v3", Version: etcdVersion},
		},
		Packages: map[string]string{
			etcd:    "go.etcd.io/etcd/server/v3",
			etcdctl: "go.etcd.io/etcd/etcdctl/v3",
			etcdutl: "go.etcd.io/etcd/etcdutl/v3",
		},
	},
	{
		Name:    "containerd",
		Version: containerdVersion,
		Modules: []gobuild.Module{{Path: "github.com/containerd/containerd/v2", Version: containerdVersion}},
		Packages: map[string]string{
			containerd:     "github.com/containerd/containerd/v2/cmd/containerd",
			containerdShim: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
			ctr:            "github.com/containerd/containerd/v2/cmd/ctr",
		},
		// Only the overlay snapshotter is used; the others need headers or tools of the host.
		Tags: []string{"no_btrfs", "no_zfs", "no_devmapper"},
	},
	{
		Name:     "coredns",
		Version:  corednsVersion,
		Modules:  []gobuild.Module{{Path: "github.com/coredns/coredns", Version: corednsVersion}},
		Packages: map[string]string{coredns: "."},
		Main:     corednsMain,
	},
	{
		Name:     "prometheus",
		Version:  prometheusVersion,
		Modules:  []gobuild.Module{{Path: "github.com/prometheus/prometheus", Version: prometheusVersion}},
		Packages: map[string]string{prometheus: "github.com/prometheus/prometheus/cmd/prometheus"},
		// Of the service discoveries only the one for Kubernetes: the SDKs of all clouds triple the binary.
		Tags: []string{"remove_all_sd", "enable_kubernetes_sd", "netgo"},
	},
	{
		Name:     "alertmanager",
		Version:  alertmanagerVersion,
		Modules:  []gobuild.Module{{Path: "github.com/prometheus/alertmanager", Version: alertmanagerVersion}},
		Packages: map[string]string{alertmanager: "github.com/prometheus/alertmanager/cmd/alertmanager"},
	},
	{
		Name:     "kwok",
		Version:  kwokVersion,
		Modules:  []gobuild.Module{{Path: "sigs.k8s.io/kwok", Version: kwokVersion}},
		Packages: map[string]string{kwok: "sigs.k8s.io/kwok/cmd/kwok"},
	},
	{
		Name:     "kind",
		Version:  kindVersion,
		Modules:  []gobuild.Module{{Path: "sigs.k8s.io/kind", Version: kindVersion}},
		Packages: map[string]string{kind: "sigs.k8s.io/kind"},
	},
	{
		Name:     "velero-plugin-for-aws",
		Version:  veleroAWSVersion,
		Modules:  []gobuild.Module{{Path: "github.com/vmware-tanzu/velero-plugin-for-aws", Version: veleroAWSVersion}},
		Packages: map[string]string{veleroAWS: "github.com/vmware-tanzu/velero-plugin-for-aws/velero-plugin-for-aws"},
	},
	{
		Name:     "versitygw",
		Version:  versitygwVersion,
		Modules:  []gobuild.Module{{Path: "github.com/versity/versitygw", Version: versitygwVersion}},
		Packages: map[string]string{versitygw: "github.com/versity/versitygw/cmd/versitygw"},
	},
}

// corednsMain is a CoreDNS with only the plugins of a cluster's DNS. The
// upstream main links about fifty plugins with the SDKs of three clouds.
const corednsMain = `package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

func main() {
	// The order in which the plugins see a query, as upstream has it.
	dnsserver.Directives = []string{"reload", "health", "ready", "errors", "cache", "loadbalance", "kubernetes"}
	coremain.Run()
}
`
