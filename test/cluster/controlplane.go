package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// The control plane runs on the machine itself, as processes. Only the API
// server is reached from the nodes; everything else listens on loopback.

// etcdMember is the name of member i, counted from 0: etcd-0, etcd-1, etcd-2.
func etcdMember(i int) string { return fmt.Sprintf("etcd-%d", i) }

func (c *Cluster) etcdClientURL(i int) string { return "https://" + c.Slot.loopback(portEtcd+2*i) }
func (c *Cluster) etcdPeerURL(i int) string   { return "https://" + c.Slot.loopback(portEtcd+2*i+1) }

// EtcdEndpoints are the client URLs of the members.
func (c *Cluster) EtcdEndpoints() []string {
	var urls []string
	for i := range c.Etcd {
		urls = append(urls, c.etcdClientURL(i))
	}
	return urls
}

// EtcdCredentials are the files that an etcd client needs.
func (c *Cluster) EtcdCredentials() (caFile, certFile, keyFile string) {
	return c.certificate(etcdCA), c.certificate("etcd-client"), c.key("etcd-client")
}

func (c *Cluster) etcdCommand(i int) []string {
	var initial []string
	for member := range c.Etcd {
		initial = append(initial, etcdMember(member)+"="+c.etcdPeerURL(member))
	}
	return []string{
		c.Programs[etcd],
		"--name=" + etcdMember(i),
		"--data-dir=" + c.path("etcd", etcdMember(i)),
		"--listen-client-urls=" + c.etcdClientURL(i),
		"--advertise-client-urls=" + c.etcdClientURL(i),
		"--listen-peer-urls=" + c.etcdPeerURL(i),
		"--initial-advertise-peer-urls=" + c.etcdPeerURL(i),
		"--initial-cluster=" + strings.Join(initial, ","),
		"--initial-cluster-state=new",
		"--initial-cluster-token=" + c.Context(),
		"--client-cert-auth",
		"--trusted-ca-file=" + c.certificate(etcdCA),
		"--cert-file=" + c.certificate("etcd-server"),
		"--key-file=" + c.key("etcd-server"),
		"--peer-client-cert-auth",
		"--peer-trusted-ca-file=" + c.certificate(etcdCA),
		"--peer-cert-file=" + c.certificate("etcd-peer"),
		"--peer-key-file=" + c.key("etcd-peer"),
		// The cluster does not outlive the machine's kernel, whose page cache
		// is all that killed processes need.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func (c *Cluster) apiServerCommand() []string {
	command := []string{
		c.Programs[kubeAPIServer],
		"--etcd-servers=" + strings.Join(c.EtcdEndpoints(), ","),
		"--etcd-cafile=" + c.certificate(etcdCA),
		"--etcd-certfile=" + c.certificate("apiserver-etcd-client"),
		"--etcd-keyfile=" + c.key("apiserver-etcd-client"),
		"--secure-port=" + strconv.Itoa(c.Slot.port(portAPIServer)),
		"--tls-cert-file=" + c.certificate("apiserver"),
		"--tls-private-key-file=" + c.key("apiserver"),
		"--client-ca-file=" + c.certificate(clusterCA),
		"--requestheader-client-ca-file=" + c.certificate(frontProxyCA),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.certificate("front-proxy-client"),
		"--proxy-client-key-file=" + c.key("front-proxy-client"),
		"--service-account-key-file=" + c.path("pki", "sa.pub"),
		"--service-account-signing-key-file=" + c.key("sa"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-cluster-ip-range=" + c.Slot.serviceSubnet(),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged",
		"--kubelet-certificate-authority=" + c.certificate(clusterCA),
		"--kubelet-client-certificate=" + c.certificate("apiserver-kubelet-client"),
		"--kubelet-client-key=" + c.key("apiserver-kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP",
		// There is no kube-proxy on the machine: webhooks are reached by the addresses of their pods.
		"--enable-aggregator-routing",
		"--profiling=false",
	}
	if c.Encryption {
		command = append(command, "--encryption-provider-config="+c.EncryptionConfig())
	}
	if c.Flavour == Kwok {
		return append(command,
			"--bind-address=127.0.0.1",
			// Nobody reads it, but the server wants one, and not loopback.
			"--advertise-address=192.0.2.1",
			"--endpoint-reconciler-type=none",
			// Room for thousands of pods changing at once.
			"--max-requests-inflight=1000", "--max-mutating-requests-inflight=1000")
	}
	return append(command,
		"--bind-address="+c.Slot.bridgeAddress(),
		"--advertise-address="+c.Slot.bridgeAddress(),
		// Pods leave a dead node after seconds, not after five minutes.
		"--default-not-ready-toleration-seconds=5",
		"--default-unreachable-toleration-seconds=5")
}

func (c *Cluster) controllerManagerCommand() []string {
	command := append([]string{c.Programs[kubeControllerManager]}, c.clientFlags(kubeControllerManager, portControllerManager)...)
	command = append(command,
		"--root-ca-file="+c.certificate(clusterCA),
		"--service-account-private-key-file="+c.key("sa"),
		"--use-service-account-credentials",
		"--cluster-signing-cert-file="+c.certificate(clusterCA),
		"--cluster-signing-key-file="+c.key(clusterCA),
	)
	if c.Flavour == Local {
		// With the kubelets' fast leases: a dead node is seen after eight seconds.
		command = append(command, "--node-monitor-period=1s", "--node-monitor-grace-period=8s")
	}
	return command
}

func (c *Cluster) schedulerCommand() []string {
	return append([]string{c.Programs[kubeScheduler]}, c.clientFlags(kubeScheduler, portScheduler)...)
}

// clientFlags are what the two clients of the API server have in common.
func (c *Cluster) clientFlags(name string, port int) []string {
	kubeconfig := c.kubeconfigOf(name)
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.Slot.port(port)),
		// There is one of each; an election would only delay its restart.
		"--leader-elect=false",
		// The defaults make a client wait, not a server: too slow for thousands of pods.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}
}
