package e2e

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/test/shop"
)

const labelRun = "gameday.dev/run"

// trait changes a pod from the plain one: a worker that starts and ends quickly.
type trait func(*corev1.PodTemplateSpec)

// on keeps pods on these nodes.
func on(nodes ...string) trait {
	return func(pod *corev1.PodTemplateSpec) {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: nodes}},
			}}},
		}}
	}
}

// rather puts pods on a node whenever it takes any.
func rather(node string) trait {
	return func(pod *corev1.PodTemplateSpec) {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 100, Preference: corev1.NodeSelectorTerm{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
			}}},
		}}
	}
}

// probed pods are Ready when they say so themselves.
func probed(pod *corev1.PodTemplateSpec) {
	neverReady(pod)
	pod.Spec.Containers[0].ReadinessProbe.HTTPGet.Path = "/readyz"
}

// neverReady pods run and fail their readiness probe.
func neverReady(pod *corev1.PodTemplateSpec) {
	pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/nowhere", Port: intstr.FromInt32(8080)}},
		PeriodSeconds: 1, FailureThreshold: 1,
	}
}

// stubborn pods ignore SIGTERM and use up their grace period.
func stubborn(seconds int64) trait {
	return func(pod *corev1.PodTemplateSpec) {
		pod.Spec.TerminationGracePeriodSeconds = &seconds
		pod.Spec.Containers[0].Command = append(pod.Spec.Containers[0].Command, "--ignore-term")
	}
}

// keepsData pods have an emptyDir.
func keepsData(pod *corev1.PodTemplateSpec) {
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "cache", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
}

// annotated pods carry these annotations.
func annotated(annotations map[string]string) trait {
	return func(pod *corev1.PodTemplateSpec) { pod.Annotations = annotations }
}

// finalized pods stay until somebody takes the finalizer away.
func finalized(name string) trait {
	return func(pod *corev1.PodTemplateSpec) { pod.Finalizers = append(pod.Finalizers, name) }
}

func (s *scene) template(app string, traits []trait) corev1.PodTemplateSpec {
	quick := int64(1)
	pod := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &quick,
			AutomountServiceAccountToken:  new(false),
			Tolerations:                   []corev1.Toleration{{Key: reserved, Operator: corev1.TolerationOpExists}},
			Containers: []corev1.Container{{
				Name: app, Image: shop.Image, ImagePullPolicy: corev1.PullIfNotPresent,
				Command: []string{shop.Binary, "worker", "-drain=0s"},
			}},
		},
	}
	for _, trait := range append([]trait{on(s.stage, s.wing)}, traits...) {
		trait(&pod)
	}
	return pod
}

func selects(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

// deployment is created and waited for.
func (s *scene) deployment(name string, replicas int32, traits ...trait) {
	s.Helper()
	_, err := s.client.AppsV1().Deployments(s.ns).Create(s.ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: selects(name), Template: s.template(name, traits)},
	}, metav1.CreateOptions{})
	s.must(err)
	s.untilRunning(name, int(replicas))
}

func (s *scene) statefulSet(name string, replicas int32, traits ...trait) {
	s.Helper()
	_, err := s.client.AppsV1().StatefulSets(s.ns).Create(s.ctx, &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.StatefulSetSpec{Replicas: &replicas, ServiceName: name, Selector: selects(name),
			PodManagementPolicy: appsv1.ParallelPodManagement, Template: s.template(name, traits)},
	}, metav1.CreateOptions{})
	s.must(err)
	s.untilRunning(name, int(replicas))
}

// daemonSet has one pod on each of the nodes its traits name.
func (s *scene) daemonSet(name string, pods int, traits ...trait) {
	s.Helper()
	_, err := s.client.AppsV1().DaemonSets(s.ns).Create(s.ctx, &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       appsv1.DaemonSetSpec{Selector: selects(name), Template: s.template(name, traits)},
	}, metav1.CreateOptions{})
	s.must(err)
	s.untilRunning(name, pods)
}

// pod has no controller.
func (s *scene) pod(name string, traits ...trait) {
	s.Helper()
	template := s.template(name, traits)
	template.Name = name
	_, err := s.client.CoreV1().Pods(s.ns).Create(s.ctx, &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}, metav1.CreateOptions{})
	s.must(err)
	s.untilRunning(name, 1)
}

// budget guards the pods of an app. It returns when the controller has counted them.
func (s *scene) budget(name, app string, minAvailable int32, policy ...policyv1.UnhealthyPodEvictionPolicyType) {
	s.Helper()
	least := intstr.FromInt32(minAvailable)
	budget := &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       policyv1.PodDisruptionBudgetSpec{MinAvailable: &least, Selector: selects(app)},
	}
	if len(policy) > 0 {
		budget.Spec.UnhealthyPodEvictionPolicy = &policy[0]
	}
	_, err := s.client.PolicyV1().PodDisruptionBudgets(s.ns).Create(s.ctx, budget, metav1.CreateOptions{})
	s.must(err)
	s.eventually("PDB "+name+" is counted", func() (bool, string) {
		now, err := s.client.PolicyV1().PodDisruptionBudgets(s.ns).Get(s.ctx, name, metav1.GetOptions{})
		s.must(err)
		pods, ready := s.pods(app), int32(0)
		for _, pod := range pods {
			if s.ready(pod) {
				ready++
			}
		}
		return now.Status.ObservedGeneration == now.Generation && int(now.Status.ExpectedPods) == len(pods) && now.Status.CurrentHealthy == ready, fmt.Sprintf("%+v", now.Status)
	})
}

// relax is the other actor who lets a budget allow more.
func (s *scene) relax(budget string, minAvailable int) {
	s.Helper()
	patch := fmt.Sprintf(`{"spec":{"minAvailable":%d}}`, minAvailable)
	_, err := s.client.PolicyV1().PodDisruptionBudgets(s.ns).Patch(s.ctx, budget, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

// pods are those of an app that do not terminate, by name.
func (s *scene) pods(app string) map[string]corev1.Pod {
	s.Helper()
	list, err := s.client.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	s.must(err)
	pods := map[string]corev1.Pod{}
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			pods[pod.Name] = pod
		}
	}
	return pods
}

func (s *scene) untilRunning(app string, count int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d pods of %s run", count, app), func() (bool, string) {
		running := 0
		why := ""
		for name, pod := range s.pods(app) {
			if pod.Status.Phase == corev1.PodRunning && (s.ready(pod) || pod.Spec.Containers[0].ReadinessProbe != nil) {
				running++
				continue
			}
			why += fmt.Sprintf("%s is %s: %v; ", name, pod.Status.Phase, pod.Status.Conditions)
			for _, container := range pod.Status.ContainerStatuses {
				if waiting := container.State.Waiting; waiting != nil { // ErrImageNeverPull, for one
					why += fmt.Sprintf("%s waits: %s %s; ", container.Name, waiting.Reason, waiting.Message)
				}
			}
		}
		return running == count, why
	})
}

func (s *scene) ready(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
	})
}

// survivors are the pods of before that are still the same ones.
func (s *scene) survivors(app string, before map[string]corev1.Pod) []string {
	s.Helper()
	var same []string
	for name, pod := range s.pods(app) {
		if old, ok := before[name]; ok && old.UID == pod.UID {
			same = append(same, name)
		}
	}
	slices.Sort(same)
	return same
}

func (s *scene) node(name string) *corev1.Node {
	s.Helper()
	node, err := s.client.CoreV1().Nodes().Get(s.ctx, name, metav1.GetOptions{})
	s.must(err)
	return node
}

func (s *scene) cordon(node string, on bool) {
	s.Helper()
	patch := fmt.Sprintf(`{"spec":{"unschedulable":%t},"metadata":{"labels":{%q:null}}}`, on, labelRun)
	_, err := s.client.CoreV1().Nodes().Patch(s.ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

func (s *scene) wantCordoned(node string, want bool) {
	s.Helper()
	if got := s.node(node).Spec.Unschedulable; got != want {
		s.Errorf("node %s: cordoned is %v, want %v", node, got, want)
	}
}

func (s *scene) label(pod, key, value string) {
	s.Helper()
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, key, value)
	_, err := s.client.CoreV1().Pods(s.ns).Patch(s.ctx, pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}
