package run

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/scenarios"
	"gameday.dev/gameday/verify"
)

// preflightBudget bounds the questions asked of one check beforehand.
const preflightBudget = 30 * time.Second

// Preview says what a run would do and what keeps it from being run.
type Preview struct {
	Scenario string         `json:"scenario"`
	Cluster  string         `json:"cluster"`
	Seed     int64          `json:"seed"`
	Steps    []StepPreview  `json:"steps"`
	Checks   []CheckPreview `json:"checks"`
	// MissingPermissions lists what the user or service account may not do.
	MissingPermissions []string `json:"missingPermissions,omitempty"`
	// Refusals lists everything for which a run would be refused now.
	Refusals []string `json:"refusals,omitempty"`
}

// StepPreview is one step of a Preview.
type StepPreview struct {
	Name       string           `json:"name"`
	Experiment string           `json:"experiment"`
	Targets    []journal.Target `json:"targets,omitempty"`
	Notes      []string         `json:"notes,omitempty"`
	Warnings   []string         `json:"warnings,omitempty"`
	Refusal    string           `json:"refusal,omitempty"`
}

// CheckPreview is one check of a Preview.
type CheckPreview struct {
	Name    string   `json:"name"`
	Notes   []string `json:"notes,omitempty"`
	Refusal string   `json:"refusal,omitempty"`
}

// Refusal returns all refusals as one, nil when there is none.
func (p Preview) Refusal() error {
	if len(p.Refusals) == 0 {
		return nil
	}
	return &refusal.Refusal{Reason: strings.Join(p.Refusals, "\n")}
}

// Preflight plans every step and asks every check what it can tell
// beforehand. It only reads.
func Preflight(ctx context.Context, options Options) Preview {
	preview := Preview{Scenario: options.Scenario.Metadata.Name, Cluster: options.Cluster, Seed: options.Seed}
	refuse := func(where string, err error) string {
		text := fmt.Sprintf("%s: %v", where, err)
		preview.Refusals = append(preview.Refusals, text)
		return err.Error()
	}

	if open, why := options.Scenario.Spec.Limits.Window.Open(time.Now()); !open {
		refuse("window", refusal.New("run inside the window, or change spec.limits.window on purpose", "%s", why))
	}
	missing, err := kube.Missing(ctx, options.Client, Permissions(options.Scenario, options.Velero.Namespace))
	if err != nil {
		refuse("permissions", err)
		return preview
	}
	for _, access := range missing {
		preview.MissingPermissions = append(preview.MissingPermissions, access.String())
	}
	if len(missing) > 0 {
		refuse("permissions", refusal.New("ask for a Role that allows it",
			"this user may not: %s", strings.Join(preview.MissingPermissions, "; ")))
	}

	limits := options.Scenario.Spec.Limits.ForExperiments()
	touched := map[string]bool{}
	for _, group := range groups(options.Scenario.Spec.Steps) {
		var plans []experiments.Plan
		for _, step := range group.steps {
			one := StepPreview{Name: step.Name, Experiment: step.Kind()}
			plan, err := step.Experiment().Plan(ctx, options.experimentEnv(step, silent{}))
			if err != nil {
				one.Refusal = refuse(step.Name, err)
			}
			if err := options.knowsItsNode(plan); err != nil {
				one.Refusal = refuse(step.Name, err)
			}
			one.Targets, one.Notes, one.Warnings = plan.Targets, plan.Notes, plan.Warnings
			preview.Steps = append(preview.Steps, one)
			plans = append(plans, plan)
			for _, node := range nodeNames(plan) {
				touched[node] = true
			}
		}
		if err := group.allow(limits, plans); err != nil {
			refuse("parallel steps together", err)
		}
	}
	if err := limits.AllowNodes(len(touched)); err != nil {
		refuse("all steps together", err)
	}

	for _, declared := range options.Scenario.Spec.Checks {
		one := CheckPreview{Name: declared.Name}
		if check, ok := declared.Check().(verify.Preflight); ok {
			checkCtx, cancel := context.WithTimeout(ctx, preflightBudget)
			notes, err := check.Preflight(checkCtx, options.checkEnv(silent{}, func() {}))
			cancel()
			one.Notes = notes
			if err != nil {
				one.Refusal = refuse(declared.Name, err)
			}
		}
		preview.Checks = append(preview.Checks, one)
	}
	return preview
}

// Permissions lists what a run of the scenario needs: the steps' and the
// checks' rules and those for the lock and the ledger. velero is the namespace
// of Velero's own objects.
func Permissions(scenario scenarios.Scenario, velero string) []kube.Permission {
	needed := []kube.Permission{
		{Namespace: Namespace, Rule: kube.Rule("coordination.k8s.io", []string{"leases"}, "get", "create", "update", "delete")},
		{Namespace: Namespace, Rule: kube.Rule("", []string{"configmaps"}, "get", "list", "create", "update", "delete")},
		{Rule: kube.Rule("", []string{"namespaces"}, "get"), Optional: true},
	}
	for _, group := range groups(scenario.Spec.Steps) {
		for _, step := range group.steps {
			needed = append(needed, step.Experiment().Permissions()...)
		}
	}
	for _, check := range scenario.Spec.Checks {
		needed = append(needed, check.Check().Permissions()...)
	}
	return kube.WithVelero(needed, velero)
}

// ensureNamespace makes the namespace of the lock and the ledger if it is not
// there. It stays, as the place where the next run looks for unfinished ones.
// Who may not look is taken to have it: the lock, which comes next, will tell.
func ensureNamespace(ctx context.Context, client kubernetes.Interface, id string) error {
	_, err := client.CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
	if err == nil || apierrors.IsForbidden(err) {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading namespace %s: %w", Namespace, err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace, Labels: map[string]string{experiments.LabelRun: id}}}
	_, err = client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return refusal.New("have it created: kubectl create namespace "+Namespace,
			"creating namespace %s for the lock: %v", Namespace, err)
	}
	return nil
}

// knowsItsNode refuses to touch nodes from inside the cluster without knowing
// which of them is the runner's own.
func (o Options) knowsItsNode(plan experiments.Plan) error {
	if o.Cluster != kube.InCluster || o.RunnerNode != "" || len(nodeNames(plan)) == 0 {
		return nil
	}
	return refusal.New("set the variable NODE_NAME of the runner's pod from the field spec.nodeName",
		"the runner may be on one of the nodes it would touch: it does not know its own")
}

// nodeNames lists the nodes among a plan's targets.
func nodeNames(plan experiments.Plan) []string {
	var names []string
	for _, target := range plan.Targets {
		if target.Kind == "Node" {
			names = append(names, target.Name)
		}
	}
	slices.Sort(names)
	return names
}

// experimentEnv is what a step is lent. Its random source depends on the run's
// seed and the step's name alone, so that adding a step changes no other choice.
func (o Options) experimentEnv(step scenarios.Step, recorder journal.Recorder) experiments.Env {
	hash := fnv.New64a()
	hash.Write([]byte(step.Name))
	env := experiments.Env{
		Client:     o.Client,
		Dynamic:    o.Dynamic,
		Exec:       o.Exec,
		Cluster:    o.Cluster,
		RunID:      o.ID,
		Rand:       rand.New(rand.NewPCG(uint64(o.Seed), hash.Sum64())),
		Limits:     o.Scenario.Spec.Limits.ForExperiments(),
		RunnerNode: o.RunnerNode,
		Etcd:       o.Etcd,
		Velero:     o.Velero,
		Image:      o.Image,
		Machine:    o.Machine,
		Record:     recorder,
	}
	if o.Dir != "" {
		env.Artifacts = filepath.Join(o.Dir, journal.ArtifactsName)
	}
	return env
}

func (o Options) checkEnv(recorder journal.Recorder, started func()) verify.Env {
	env := verify.Env{
		Client: o.Client, Dynamic: o.Dynamic, Record: recorder, Started: started, Grace: finalGrace,
		Prometheus: o.Prometheus, Alertmanager: o.Alertmanager, Receiver: o.Receiver,
		VeleroNamespace: o.Velero.Namespace,
	}
	if o.Etcd != nil {
		env.SnapshotDirectory = o.Etcd.SnapshotDirectory
	}
	return env
}

// silent records nothing: planning beforehand leaves no trace.
type silent struct{}

func (silent) Record(string, any) {}
