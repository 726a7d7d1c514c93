package cluster

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"gameday.dev/gameday/internal/pki"
)

// Authorities, as kubeadm has them.
const (
	clusterCA    = "ca"
	etcdCA       = "etcd-ca"
	frontProxyCA = "front-proxy-ca"
)

// lifetime of every certificate: a local cluster is never older.
const lifetime = 30 * 24 * time.Hour

// userPrometheus may look at pods and nothing else.
const userPrometheus = "gameday:prometheus"

// A credential is a certificate to issue, and for whom a kubeconfig is
// wanted, the name of that.
type credential struct {
	file       string // below pki/, without its ending
	authority  string
	subject    pki.Subject
	kubeconfig string
}

// credentials of the cluster: those of a cluster made by kubeadm, and
// certificates of the kubelets' servers, which kubeadm leaves self-signed.
func (c *Cluster) credentials() []credential {
	const masters = "system:masters"
	loopback := []string{"localhost", "127.0.0.1"}
	apiServer := append([]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local", c.Slot.kubernetesService(), c.Slot.bridgeAddress()}, loopback...)
	all := []credential{
		{file: "apiserver", authority: clusterCA, subject: pki.Subject{Name: kubeAPIServer, Hosts: apiServer}},
		{file: "apiserver-kubelet-client", authority: clusterCA,
			subject: pki.Subject{Name: "kube-apiserver-kubelet-client", Organizations: []string{masters}}},
		{file: "apiserver-etcd-client", authority: etcdCA, subject: pki.Subject{Name: "kube-apiserver-etcd-client"}},
		{file: "front-proxy-client", authority: frontProxyCA, subject: pki.Subject{Name: "front-proxy-client"}},
		{file: "etcd-server", authority: etcdCA, subject: pki.Subject{Name: "etcd-server", Hosts: loopback}},
		{file: "etcd-peer", authority: etcdCA, subject: pki.Subject{Name: "etcd-peer", Hosts: loopback}},
		{file: "etcd-client", authority: etcdCA, subject: pki.Subject{Name: "etcd-client"}},
		{file: "admin", authority: clusterCA, kubeconfig: c.Kubeconfig(),
			subject: pki.Subject{Name: "kubernetes-admin", Organizations: []string{masters}}},
		c.user("system:"+kubeControllerManager, kubeControllerManager),
		c.user("system:"+kubeScheduler, kubeScheduler),
		c.user("system:"+kubeProxy, kubeProxy),
		c.user(userPrometheus, prometheus),
	}
	if c.Velero {
		all = append(all, c.user(userProvisioner, provisioner))
	}
	if c.Flavour == Kwok {
		pretender := c.user("gameday:kwok", kwok)
		pretender.subject.Organizations = []string{masters} // it plays kubelet for every node
		return append(all, pretender)
	}
	for i := 1; i <= c.Nodes; i++ {
		name := nodeName(i)
		node := c.user("system:node:"+name, name)
		node.subject.Organizations = []string{"system:nodes"}
		all = append(all, node, credential{file: name + "-server", authority: clusterCA,
			subject: pki.Subject{Name: "system:node:" + name, Organizations: []string{"system:nodes"}, Hosts: []string{name, c.Slot.nodeAddress(i)}}})
	}
	return all
}

func (c *Cluster) user(name, file string) credential {
	return credential{file: file, authority: clusterCA, subject: pki.Subject{Name: name}, kubeconfig: c.kubeconfigOf(file)}
}

func (c *Cluster) kubeconfigOf(user string) string { return c.path("kubeconfigs", user) }

// certificate, key and authority are paths of what issueCredentials wrote.
func (c *Cluster) certificate(name string) string { return c.path("pki", name+".crt") }
func (c *Cluster) key(name string) string         { return c.path("pki", name+".key") }

func (c *Cluster) issueCredentials() error {
	if err := os.MkdirAll(c.path("kubeconfigs"), 0o700); err != nil {
		return err
	}
	authorities := map[string]*pki.Authority{}
	for _, name := range []string{clusterCA, etcdCA, frontProxyCA} {
		authority, err := pki.NewAuthority("gameday-"+c.Name+"-"+name, lifetime)
		if err != nil {
			return err
		}
		if err := authority.Write(c.path("pki", name)); err != nil {
			return err
		}
		authorities[name] = authority
	}
	private, public, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.key("sa"), private, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("pki", "sa.pub"), public, 0o644); err != nil {
		return err
	}
	var group errgroup.Group
	for _, one := range c.credentials() {
		group.Go(func() error {
			pair, err := authorities[one.authority].Issue(one.subject)
			if err != nil {
				return err
			}
			if one.kubeconfig != "" {
				if err := c.writeKubeconfig(one.kubeconfig, authorities[clusterCA].Certificate, pair); err != nil {
					return err
				}
			}
			return pair.Write(c.path("pki", one.file))
		})
	}
	return group.Wait()
}

// serverURL is where the API server answers, from the machine and from nodes.
func (c *Cluster) serverURL() string {
	if c.Flavour == Kwok {
		return "https://" + c.Slot.loopback(portAPIServer)
	}
	return fmt.Sprintf("https://%s:%d", c.Slot.bridgeAddress(), c.Slot.port(portAPIServer))
}

// writeKubeconfig writes a kubeconfig with everything in it, so that the file
// may be copied.
func (c *Cluster) writeKubeconfig(path string, authority []byte, user pki.KeyPair) error {
	name := c.Context()
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: c.serverURL(), CertificateAuthorityData: authority}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {ClientCertificateData: user.Certificate, ClientKeyData: user.Key}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, path)
}
