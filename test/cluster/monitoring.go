package cluster

import (
	"context"
	"os"

	"gameday.dev/gameday/test/shop"
)

// Prometheus and Alertmanager run on the machine, which has routes to the
// pods: they stay up whatever happens to the nodes, and can be stopped on
// their own when that is what a test is about.

// PrometheusURL is where Prometheus answers.
func (c *Cluster) PrometheusURL() string { return "http://" + c.Slot.loopback(portPrometheus) }

// AlertmanagerURL is where Alertmanager answers.
func (c *Cluster) AlertmanagerURL() string { return "http://" + c.Slot.loopback(portAlertmanager) }

// WebhookURL is where notifications are sent; GET /received has all that came.
func (c *Cluster) WebhookURL() string { return "http://" + c.Slot.loopback(portWebhook) }

func (c *Cluster) monitoringPath(elements ...string) string {
	return c.path(append([]string{"monitoring"}, elements...)...)
}

func (c *Cluster) prometheusCommand() []string {
	return []string{
		c.Programs[prometheus],
		"--config.file=" + c.monitoringPath("prometheus.yaml"),
		"--storage.tsdb.path=" + c.monitoringPath("prometheus"),
		"--web.listen-address=" + c.Slot.loopback(portPrometheus),
		// Tests change the rules and tell it to read them again.
		"--web.enable-lifecycle",
		"--log.level=warn",
	}
}

func (c *Cluster) alertmanagerCommand() []string {
	return []string{
		c.Programs[alertmanager],
		"--config.file=" + c.monitoringPath("alertmanager.yaml"),
		"--storage.path=" + c.monitoringPath("alertmanager"),
		"--web.listen-address=" + c.Slot.loopback(portAlertmanager),
		"--cluster.listen-address=", // there is only one
		"--log.level=warn",
	}
}

func (c *Cluster) webhookCommand() []string {
	return []string{
		c.Programs[webhook],
		"-listen", c.Slot.loopback(portWebhook),
		"-out", c.monitoringPath("notifications.jsonl"),
	}
}

// RulesFile is the file with the alert rules. After a change, Prometheus has
// to be told with POST /-/reload.
func (c *Cluster) RulesFile() string { return c.monitoringPath("rules.yaml") }

// startMonitoring starts the receiver first and the sender last, so that no
// notification is lost.
func (c *Cluster) startMonitoring(ctx context.Context) error {
	if err := os.MkdirAll(c.monitoringPath(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(c.RulesFile(), shop.AlertRules(), 0o644); err != nil {
		return err
	}
	values := map[string]any{
		"Kubeconfig":   c.kubeconfigOf(prometheus),
		"Rules":        c.RulesFile(),
		"Prometheus":   c.Slot.loopback(portPrometheus),
		"Alertmanager": c.Slot.loopback(portAlertmanager),
		"Webhook":      c.WebhookURL(),
		"Cluster":      c.Name,
	}
	for _, name := range []string{"prometheus.yaml", "alertmanager.yaml"} {
		text, err := render("config/"+name, values)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.monitoringPath(name), text, 0o644); err != nil {
			return err
		}
	}
	manifest, err := render("manifests/prometheus-user.yaml", map[string]any{"User": userPrometheus})
	if err != nil {
		return err
	}
	if err := c.Apply(ctx, manifest); err != nil {
		return err
	}
	return c.startTogether(ctx, webhook, alertmanager, prometheus)
}
