package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"gameday.dev/gameday/test/cluster"
)

// restoring is a step that restores into the namespace ${ns}-name, with these
// further fields.
func restoring(name, fields string) string {
	return fmt.Sprintf(`{name: %s, veleroRestore: {into: "${ns}-%s", %s}}`, name, name, fields)
}

// Fields that say which backup: one taken now, without the files of volumes or
// with them, and one that is there.
const (
	fromNow      = `backup: {namespaces: ["${ns}"], defaultVolumesToFsBackup: false}`
	fromNowWhole = `backup: {namespaces: ["${ns}"]}`
)

func fromBackup(name string) string {
	return fmt.Sprintf(`backup: {name: %s}, namespace: "${ns}"`, name)
}

// drills runs steps that restore, and wants nothing left of them.
func (s *scene) drills(steps ...string) *result {
	s.Helper()
	r := s.run(longer(climbing(steps...)), s.veleroFlags()...)
	if r.code != 4 { // which says itself that something is left
		r.undone().leavesNothing()
	}
	return r
}

// longer gives a drill more time than others get.
func longer(d drill) drill {
	d.timeout = "10m"
	return d
}

// veleroFlags are the flags of a run that restores with Velero.
func (s *scene) veleroFlags() []string {
	s.Helper()
	text, err := json.Marshal(map[string]any{
		"apiVersion": "gameday.dev/v1alpha1", "kind": "Environment", "metadata": map[string]any{"name": "e2e"},
		"spec": map[string]any{"context": s.context, "velero": map[string]any{"namespace": cluster.VeleroNamespace}, "image": cluster.GamedayImage},
	})
	s.must(err)
	s.must(os.MkdirAll(s.scratch(), 0o700))
	return []string{"--environment", s.write("velero-environment.yaml", string(text)), "--scratch-dir", s.scratch()}
}

// apply applies a file of testdata with the scene's names in it.
func (s *scene) apply(file string, values ...string) {
	s.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	s.must(err)
	values = append(values, "${ns}", s.ns)
	s.must(s.provider.Cluster().Apply(s.ctx, []byte(strings.NewReplacer(values...).Replace(string(text)))))
}

// at is the resource of a path like apps/v1/deployments.
func at(path string) schema.GroupVersionResource {
	parts := strings.Split("/"+path, "/")
	last := parts[len(parts)-3:]
	return schema.GroupVersionResource{Group: last[0], Version: last[1], Resource: last[2]}
}

func (s *scene) dynamic() dynamic.Interface {
	s.Helper()
	client, err := dynamic.NewForConfig(s.config)
	s.must(err)
	return client
}

// inVelero are the objects of one of Velero's own resources.
func (s *scene) inVelero(resource string) dynamic.ResourceInterface {
	s.Helper()
	return s.dynamic().Resource(at("velero.io/v1/" + resource)).Namespace(cluster.VeleroNamespace)
}

var classes sync.Once

// withClasses makes what applications of the scenes need of the cluster, and lets
// Velero know of it: it looks for new classes of objects every five minutes.
func (s *scene) withClasses() {
	s.Helper()
	classes.Do(func() {
		before := time.Now()
		s.apply("velero-cluster.yaml")
		one, err := s.dynamic().Resource(at("apiextensions.k8s.io/v1/customresourcedefinitions")).Get(s.ctx, "gadgets.e2e.gameday.dev", metav1.GetOptions{})
		s.must(err)
		if before.Sub(one.GetCreationTimestamp().Time) < 6*time.Minute {
			s.restartVelero()
		}
	})
}

// killVelero ends Velero's server at once; its Deployment starts it again.
func (s *scene) killVelero() {
	s.Helper()
	now := int64(0)
	s.must(s.client.CoreV1().Pods(cluster.VeleroNamespace).DeleteCollection(s.ctx, metav1.DeleteOptions{GracePeriodSeconds: &now},
		metav1.ListOptions{LabelSelector: "deploy=velero"}))
}

func (s *scene) restartVelero() {
	s.Helper()
	s.killVelero()
	s.untilVeleroServes()
}

// untilVeleroServes waits until a server runs that has looked at its bucket.
func (s *scene) untilVeleroServes() {
	s.Helper()
	began := metav1.Now().Rfc3339Copy()
	s.eventually("Velero serves", func() (bool, string) {
		pods, err := s.client.CoreV1().Pods(cluster.VeleroNamespace).List(s.ctx, metav1.ListOptions{LabelSelector: "deploy=velero"})
		s.must(err)
		if len(pods.Items) != 1 || pods.Items[0].DeletionTimestamp != nil || !s.ready(pods.Items[0]) {
			return false, fmt.Sprintf("%d pods", len(pods.Items))
		}
		var location velerov1.BackupStorageLocation
		s.read("backupstoragelocations", "default", &location)
		seen := location.Status.LastValidationTime
		return seen != nil && seen.After(began.Time) && location.Status.Phase == velerov1.BackupStorageLocationPhaseAvailable, fmt.Sprintf("%+v", location.Status)
	})
}

// renewAgents puts new agents, which have cached nothing, in the place of the old.
func (s *scene) renewAgents() {
	s.Helper()
	pods := s.client.CoreV1().Pods(cluster.VeleroNamespace)
	agents := metav1.ListOptions{LabelSelector: "role=node-agent"}
	before, err := pods.List(s.ctx, agents)
	s.must(err)
	now := int64(0)
	s.must(pods.DeleteCollection(s.ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, agents))
	s.eventually("every node has a new agent", func() (bool, string) {
		after, err := pods.List(s.ctx, agents)
		s.must(err)
		ready := 0
		for _, pod := range after.Items {
			old := slices.ContainsFunc(before.Items, func(one corev1.Pod) bool { return one.UID == pod.UID })
			if !old && s.ready(pod) {
				ready++
			}
		}
		return ready == len(before.Items), fmt.Sprintf("%d of %d", ready, len(before.Items))
	})
}

// scaleVelero takes Velero's server away, or brings it back.
func (s *scene) scaleVelero(replicas int) {
	s.Helper()
	patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
	_, err := s.client.AppsV1().Deployments(cluster.VeleroNamespace).Patch(s.ctx, "velero", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
	if replicas > 0 {
		s.untilVeleroServes()
		return
	}
	s.eventually("Velero's server is gone", func() (bool, string) {
		pods, err := s.client.CoreV1().Pods(cluster.VeleroNamespace).List(s.ctx, metav1.ListOptions{LabelSelector: "deploy=velero"})
		s.must(err)
		return len(pods.Items) == 0, fmt.Sprintf("%d pods are left", len(pods.Items))
	})
}

// stopBucket stops the object store; the returned function starts it again.
func (s *scene) stopBucket() (start func()) {
	s.Helper()
	server, err := s.provider.Cluster().Daemon("versitygw")
	s.must(err)
	s.must(server.Kill(s.ctx))
	start = sync.OnceFunc(func() {
		s.must(server.Start(s.ctx))
		s.untilVeleroServes()
	})
	s.Cleanup(start)
	return start
}

// untilAllRun waits until all pods of the namespace that are to run do.
func (s *scene) untilAllRun() {
	s.Helper()
	s.eventually("the application runs", func() (bool, string) {
		pods, err := s.client.CoreV1().Pods(s.ns).List(s.ctx, metav1.ListOptions{})
		s.must(err)
		for _, pod := range pods.Items {
			if pod.Status.Phase != corev1.PodSucceeded && (pod.Status.Phase != corev1.PodRunning || !s.ready(pod)) {
				return false, fmt.Sprintf("%s is %s: %+v", pod.Name, pod.Status.Phase, pod.Status.ContainerStatuses)
			}
		}
		return len(pods.Items) > 0, "there are none"
	})
}

// volumeOf is the directory with the files of a claim.
func (s *scene) volumeOf(namespace, claim string) string {
	s.Helper()
	var found string
	s.eventually("claim "+namespace+"/"+claim+" has a volume", func() (bool, string) {
		one, err := s.client.CoreV1().PersistentVolumeClaims(namespace).Get(s.ctx, claim, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, err.Error()
		}
		s.must(err)
		directory, err := s.provider.Cluster().VolumeDir(one.Spec.VolumeName)
		found = directory
		return one.Spec.VolumeName != "" && err == nil, fmt.Sprint(err)
	})
	return found
}
