package shop

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// objects are the decoded manifests, by name.
type objects struct {
	order        []string // kind/name
	services     map[string]corev1.Service
	budgets      map[string]policyv1.PodDisruptionBudget
	deployments  map[string]appsv1.Deployment
	statefulSets map[string]appsv1.StatefulSet
}

func decode(t *testing.T, manifests []byte) objects {
	t.Helper()
	o := objects{
		services:     map[string]corev1.Service{},
		budgets:      map[string]policyv1.PodDisruptionBudget{},
		deployments:  map[string]appsv1.Deployment{},
		statefulSets: map[string]appsv1.StatefulSet{},
	}
	for doc := range bytes.SplitSeq(manifests, []byte("\n---\n")) {
		var meta struct {
			metav1.TypeMeta   `json:",inline"`
			metav1.ObjectMeta `json:"metadata"`
		}
		if err := yaml.Unmarshal(doc, &meta); err != nil {
			t.Fatalf("decoding %s: %v", doc, err)
		}
		o.order = append(o.order, meta.Kind+"/"+meta.Name)
		if meta.Kind != "Namespace" && meta.Namespace != Namespace {
			t.Errorf("%s %s is in namespace %q, want %q", meta.Kind, meta.Name, meta.Namespace, Namespace)
		}
		switch gvk := meta.APIVersion + " " + meta.Kind; gvk {
		case "v1 Namespace":
			strict[corev1.Namespace](t, doc)
		case "v1 ServiceAccount":
			strict[corev1.ServiceAccount](t, doc)
		case "v1 Service":
			o.services[meta.Name] = strict[corev1.Service](t, doc)
		case "policy/v1 PodDisruptionBudget":
			o.budgets[meta.Name] = strict[policyv1.PodDisruptionBudget](t, doc)
		case "apps/v1 Deployment":
			o.deployments[meta.Name] = strict[appsv1.Deployment](t, doc)
		case "apps/v1 StatefulSet":
			o.statefulSets[meta.Name] = strict[appsv1.StatefulSet](t, doc)
		default:
			t.Errorf("unexpected kind %s", gvk)
		}
	}
	return o
}

func strict[T any](t *testing.T, doc []byte) (v T) {
	t.Helper()
	if err := yaml.UnmarshalStrict(doc, &v); err != nil {
		t.Fatalf("decoding %s: %v", doc, err)
	}
	return v
}

func TestManifestsHoldTheWholeShop(t *testing.T) {
	want := []string{
		"Namespace/shop", "ServiceAccount/shop", "Service/web", "PodDisruptionBudget/web", "Deployment/web",
		"Deployment/worker", "Service/store", "StatefulSet/store",
	}
	for name, manifests := range map[string][]byte{"plain": Manifests(), "volumes": ManifestsWithVolumes("local")} {
		if got := decode(t, manifests).order; !slices.Equal(got, want) {
			t.Errorf("%s: documents are %v, want %v", name, got, want)
		}
	}
}

func TestPodsKeepTheContract(t *testing.T) {
	o := decode(t, Manifests())
	for _, c := range []struct {
		name     string
		replicas *int32
		want     int32
		template corev1.PodTemplateSpec
		selector *metav1.LabelSelector
	}{
		{"web", o.deployments["web"].Spec.Replicas, 3, o.deployments["web"].Spec.Template, o.deployments["web"].Spec.Selector},
		{"worker", o.deployments["worker"].Spec.Replicas, 1, o.deployments["worker"].Spec.Template, o.deployments["worker"].Spec.Selector},
		{"store", o.statefulSets["store"].Spec.Replicas, 2, o.statefulSets["store"].Spec.Template, o.statefulSets["store"].Spec.Selector},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.replicas == nil || *c.replicas != c.want {
				t.Errorf("replicas are %v, want %d", c.replicas, c.want)
			}
			if !selects(t, c.selector, c.template.Labels) {
				t.Errorf("selector %v does not match labels %v", c.selector, c.template.Labels)
			}
			if c.template.Labels["app"] != c.name {
				t.Errorf("label app is %q: the alert rules look for %q", c.template.Labels["app"], c.name)
			}
			for key, want := range map[string]string{
				"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics",
			} {
				if got := c.template.Annotations[key]; got != want {
					t.Errorf("annotation %s is %q, want %q", key, got, want)
				}
			}
			spec := c.template.Spec
			if g := spec.TerminationGracePeriodSeconds; g == nil || *g > 10 {
				t.Errorf("grace period is %v, want at most 10 s", g)
			}
			for _, v := range spec.Volumes {
				t.Errorf("volume %s: a drain must find no local data", v.Name)
			}
			for _, s := range spec.TopologySpreadConstraints {
				if s.WhenUnsatisfiable != corev1.ScheduleAnyway || !selects(t, s.LabelSelector, c.template.Labels) {
					t.Errorf("spread constraint %v is not ScheduleAnyway over its own pods", s)
				}
			}
			if len(spec.Containers) != 1 {
				t.Fatalf("%d containers, want 1", len(spec.Containers))
			}
			ctr := spec.Containers[0]
			if ctr.Image != Image || ctr.ImagePullPolicy != corev1.PullIfNotPresent {
				t.Errorf("image is %s, pulled %s", ctr.Image, ctr.ImagePullPolicy)
			}
			if len(ctr.Command) < 2 || ctr.Command[0] != Binary || ctr.Command[1] != c.name {
				t.Errorf("command is %v, want %s %s", ctr.Command, Binary, c.name)
			}
			// One port is one target for Prometheus: the rules count targets.
			if len(ctr.Ports) != 1 || ctr.Ports[0].Name != "http" || ctr.Ports[0].ContainerPort != 8080 {
				t.Errorf("ports are %v, want http on 8080 alone", ctr.Ports)
			}
			if p := ctr.ReadinessProbe; p == nil || p.PeriodSeconds != 1 || p.HTTPGet == nil || p.HTTPGet.Path != "/readyz" {
				t.Errorf("readiness probe is %v", p)
			}
		})
	}
}

func TestWebIsGuardedAndReachable(t *testing.T) {
	o := decode(t, Manifests())
	web := o.deployments["web"].Spec.Template

	pdb := o.budgets["web"]
	if !selects(t, pdb.Spec.Selector, web.Labels) {
		t.Errorf("disruption budget selects %v, not the web pods %v", pdb.Spec.Selector, web.Labels)
	}
	if m := pdb.Spec.MinAvailable; m == nil || m.IntValue() != 2 {
		t.Errorf("disruption budget wants %v available, want 2", m)
	}
	worker := o.deployments["worker"].Spec.Template
	if len(o.budgets) != 1 || selects(t, pdb.Spec.Selector, worker.Labels) {
		t.Error("something guards the worker: a drain must be able to take it down")
	}
	if p := web.Spec.Containers[0].LivenessProbe; p == nil || p.PeriodSeconds != 1 || p.HTTPGet == nil || p.HTTPGet.Path != "/healthz" {
		t.Errorf("liveness probe is %v", p)
	}
	if len(web.Spec.TopologySpreadConstraints) != 1 {
		t.Errorf("web has %d spread constraints, want 1", len(web.Spec.TopologySpreadConstraints))
	}

	svc := o.services["web"]
	if !labels.SelectorFromSet(svc.Spec.Selector).Matches(labels.Set(web.Labels)) {
		t.Errorf("service selects %v, not the web pods %v", svc.Spec.Selector, web.Labels)
	}
	// The port of http://web.shop.svc:8080/, which scenarios probe.
	if len(svc.Spec.Ports) != 1 || svc.Spec.Ports[0].Port != 8080 || svc.Spec.Ports[0].TargetPort.String() != "http" {
		t.Errorf("service ports are %v, want 8080 to http", svc.Spec.Ports)
	}
}

func TestStoreVolumes(t *testing.T) {
	o := decode(t, Manifests())
	plain := o.statefulSets["store"]
	if n := len(plain.Spec.VolumeClaimTemplates); n != 0 {
		t.Errorf("plain store has %d volume claims", n)
	}
	svc := o.services["store"]
	if svc.Spec.ClusterIP != corev1.ClusterIPNone || svc.Name != plain.Spec.ServiceName {
		t.Errorf("service %s with cluster IP %q is not the headless service %s", svc.Name, svc.Spec.ClusterIP, plain.Spec.ServiceName)
	}

	for _, class := range []string{"local", ""} {
		s := decode(t, ManifestsWithVolumes(class)).statefulSets["store"]
		if len(s.Spec.VolumeClaimTemplates) != 1 {
			t.Fatalf("class %q: %d volume claims, want 1", class, len(s.Spec.VolumeClaimTemplates))
		}
		claim := s.Spec.VolumeClaimTemplates[0]
		switch got := claim.Spec.StorageClassName; {
		case class == "" && got != nil:
			t.Errorf("storage class is %q, want the default one", *got)
		case class != "" && (got == nil || *got != class):
			t.Errorf("storage class is %v, want %s", got, class)
		}
		ctr := &s.Spec.Template.Spec.Containers[0]
		if m := ctr.VolumeMounts; len(m) != 1 || m[0].Name != claim.Name || !slices.Contains(ctr.Command, "-data="+m[0].MountPath) {
			t.Errorf("mounts %v of claim %s are not where %v keeps its data", m, claim.Name, ctr.Command)
		}
		// The two stores are two files; apart from the volume they must stay one.
		ctr.VolumeMounts = nil
		got, _ := yaml.Marshal(s.Spec.Template)
		want, _ := yaml.Marshal(plain.Spec.Template)
		if !bytes.Equal(got, want) {
			t.Errorf("pods with and without volumes differ by more than the volume:\n%s\n---\n%s", got, want)
		}
	}
}

func selects(t *testing.T, s *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatalf("reading selector %v: %v", s, err)
	}
	return !selector.Empty() && selector.Matches(labels.Set(set))
}

type rule struct {
	Alert         string            `json:"alert"`
	Expr          string            `json:"expr"`
	For           string            `json:"for,omitempty"`
	KeepFiringFor string            `json:"keep_firing_for,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type ruleFile struct {
	Groups []struct {
		Name     string `json:"name"`
		Interval string `json:"interval"`
		Rules    []rule `json:"rules"`
	} `json:"groups"`
}

func TestAlertRulesKeepTheContract(t *testing.T) {
	groups := strict[ruleFile](t, AlertRules()).Groups
	if len(groups) != 1 || groups[0].Interval != "1s" {
		t.Fatalf("want one group evaluated every second, have %+v", groups)
	}
	severities := map[string]string{
		"ShopPodDown": "page", "ShopDown": "critical", "ShopWorkerDown": "warning", "StoreDegraded": "warning",
		"ShopSlowBurn": "page", "ShopMetricMissing": "warning", "Watchdog": "none",
	}
	rules := map[string]rule{}
	for _, r := range groups[0].Rules {
		rules[r.Alert] = r
		want, known := severities[r.Alert]
		if !known || r.Labels["severity"] != want {
			t.Errorf("%s has severity %q, want %q", r.Alert, r.Labels["severity"], want)
		}
		if r.Alert != "Watchdog" && r.Labels["namespace"] != Namespace {
			t.Errorf("%s has namespace %q, want %q", r.Alert, r.Labels["namespace"], Namespace)
		}
		for _, d := range []string{r.For, r.KeepFiringFor} {
			if _, err := time.ParseDuration(d); d != "" && err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
		}
		// A deleted pod's target is gone: only a rule that counts or asks for absence sees it.
		if strings.Contains(r.Expr, "shop_ready{") && !strings.Contains(r.Expr, "or vector(0)") && !strings.HasPrefix(r.Expr, "absent(") {
			t.Errorf("%s can stay quiet when its targets are gone: %s", r.Alert, r.Expr)
		}
	}
	if len(rules) != len(severities) || len(rules) != len(groups[0].Rules) {
		t.Errorf("have %d rules with %d names, want %d", len(groups[0].Rules), len(rules), len(severities))
	}
	if got := rules["ShopSlowBurn"].For; got != "15m" {
		t.Errorf("ShopSlowBurn waits %s, want 15m", got)
	}
	if got := rules["ShopDown"].For; got != "5s" {
		t.Errorf("ShopDown waits %s, want 5s", got)
	}
}

// The rules carry numbers and names that the manifests own.
func TestAlertRulesMatchManifests(t *testing.T) {
	o := decode(t, Manifests())
	replicas := map[string]int32{
		"web": *o.deployments["web"].Spec.Replicas, "worker": *o.deployments["worker"].Spec.Replicas,
		"store": *o.statefulSets["store"].Spec.Replicas,
	}
	selector := regexp.MustCompile(`shop_ready\{namespace="shop",app="(\w+)"\} == 1`)
	threshold := regexp.MustCompile(`or vector\(0\)\) < (\d+)$`)
	for _, r := range strict[ruleFile](t, AlertRules()).Groups[0].Rules {
		if !strings.Contains(r.Expr, "shop_ready{") {
			continue
		}
		app := selector.FindStringSubmatch(r.Expr)
		if app == nil || replicas[app[1]] == 0 {
			t.Errorf("%s looks for no workload of the shop: %s", r.Alert, r.Expr)
			continue
		}
		if n := threshold.FindStringSubmatch(r.Expr); n != nil && n[1] != strconv.Itoa(int(replicas[app[1]])) {
			t.Errorf("%s wants %s of %s, which has %d replicas", r.Alert, n[1], app[1], replicas[app[1]])
		}
	}
}
