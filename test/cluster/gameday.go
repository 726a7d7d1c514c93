package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Environment is the file that tells gameday where the parts of the cluster
// are: its Environment document. It goes away with the cluster.
func (c *Cluster) Environment() string { return c.path("gameday.yaml") }

func (c *Cluster) writeEnvironment() error {
	return os.WriteFile(c.Environment(), []byte(c.environment()), 0o600)
}

func (c *Cluster) environment() string {
	caFile, certFile, keyFile := c.EtcdCredentials()
	var text strings.Builder
	fmt.Fprintf(&text, `apiVersion: gameday.dev/v1alpha1
kind: Environment
metadata: {name: %s}
spec:
  context: %s
  kubeconfig: %s
`, c.Name, c.Context(), quoted(c.Kubeconfig()))
	if c.Monitoring {
		fmt.Fprintf(&text, "  prometheus: {url: %s}\n  alertmanager: {url: %s}\n  receiver: {url: %s}\n",
			quoted(c.PrometheusURL()), quoted(c.AlertmanagerURL()), quoted(c.WebhookURL()+"/received"))
	}
	if c.Velero {
		fmt.Fprintf(&text, "  image: %s\n  velero: {namespace: %s}\n", GamedayImage, VeleroNamespace)
	}
	fmt.Fprintf(&text, "  etcd:\n    endpoints: %s\n    caFile: %s\n    certFile: %s\n    keyFile: %s\n    apiServer: %s\n",
		quoted(c.EtcdEndpoints()), quoted(caFile), quoted(certFile), quoted(keyFile), quoted(c.Programs[kubeAPIServer]))
	if config := c.EncryptionConfig(); config != "" {
		fmt.Fprintf(&text, "    encryptionConfig: %s\n", quoted(config))
	}
	return text.String()
}

// quoted is a value as YAML takes it whatever is in it: paths have spaces.
func quoted(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}
