package velero

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/backup/internal/climbtest"
	"gameday.dev/gameday/experiments"
)

// mounting is a pod on a node that mounts a claim and whose container waits for that reason.
func mounting(namespace, name, volume, claim, reason string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "uid"},
		Spec:       corev1.PodSpec{NodeName: "n1", Volumes: []corev1.Volume{claimed(volume, claim)}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}},
		}},
	}
}

func TestPairs(t *testing.T) {
	night := metav1.NewTime(climbtest.Night())
	fileBackup := backupOf("shop", "db-0", "data", velerov1.PodVolumeBackupPhaseCompleted)
	fileBackup.Status.StartTimestamp = &metav1.Time{Time: night.Add(time.Minute)}
	byFiles := volumeBackup{Pod: "db-0", Name: "data", Claim: "data", Files: &fileBackup}
	snapshotted := volumeBackup{Pod: "db-0", Name: "data", Claim: "data", Snapshot: &volumeInfo{}}
	moved := volumeBackup{Pod: "db-0", Name: "data", Claim: "data", Snapshot: &volumeInfo{snapshot: snapshot{Moved: true}}}
	never := backupOf("shop", "db-0", "data", velerov1.PodVolumeBackupPhaseCompleted)
	side := func(pods ...*corev1.Pod) mounts {
		m := mounts{pods: map[string]*corev1.Pod{}, claims: map[string]*corev1.PersistentVolumeClaim{"data": claimIn("", "data", "pv", corev1.ClaimBound)}}
		for _, pod := range pods {
			m.pods[pod.Name] = pod
		}
		return m
	}
	pod := func(name, reason string) *corev1.Pod {
		pod := mounting("shop", name, "data", "data", reason)
		pod.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: new(int64(2000))}
		return pod
	}
	over := pod("db-0", "")
	over.Status.Phase = corev1.PodSucceeded
	for name, test := range map[string]struct {
		volume             volumeBackup
		original, restored mounts
		why                string
		at                 time.Time
		blocks             bool
	}{
		"files":                        {byFiles, side(pod("db-0", "")), side(pod("db-0", "PodInitializing")), "", night.Add(time.Minute), false},
		"a snapshot":                   {snapshotted, side(pod("db-0", "")), side(pod("db-0", "CreateContainerConfigError")), "", night.Time, true},
		"a snapshot that was moved":    {moved, side(pod("db-0", "")), side(pod("db-0", "CreateContainerConfigError")), "", night.Time, false},
		"mounted by another pod":       {byFiles, side(pod("db-1", "")), side(pod("db-0", "")), "", night.Add(time.Minute), false},
		"not mounted yet":              {snapshotted, side(pod("db-0", "")), side(pod("db-0", "ContainerCreating")), "restored pod db-0 has not mounted it yet", time.Time{}, false},
		"no pod of the original":       {byFiles, side(), side(pod("db-0", "")), "no pod of the original", time.Time{}, false},
		"the original's pod has ended": {byFiles, side(over), side(pod("db-0", "")), "no pod of the original", time.Time{}, false},
		"no restored pod":              {byFiles, side(pod("db-0", "")), side(), "no restored pod", time.Time{}, false},
		"at no known time":             {volumeBackup{Pod: "db-0", Name: "data", Claim: "data", Files: &never}, side(pod("db-0", "")), side(pod("db-0", "")), "does not say when", time.Time{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			pair, why := pairOf(test.volume, test.original, test.restored, &night)
			if why != test.why && (test.why == "" || !strings.Contains(why, test.why)) || !pair.BackedUpAt.Equal(test.at) || pair.Blocks != test.blocks {
				t.Errorf("got %q, %+v", why, pair)
			}
			if group := pair.FSGroup; why == "" && (group == nil || *group != 2000) {
				t.Errorf("the fsGroup is %v", group)
			}
			if why == "" && (pair.Source.PV != "pv" || pair.Restored.Claim != "data" || pair.Restored.Name != "data") {
				t.Errorf("got %+v", pair)
			}
		})
	}
}

func TestUsedSince(t *testing.T) {
	pod := mounting("drill", "db-0", "data", "data", "CreateContainerConfigError")
	if at := usedSince(pod); !at.IsZero() {
		t.Errorf("a container that never began is used since %s", at)
	}
	early, late := metav1.NewTime(climbtest.Night()), metav1.NewTime(climbtest.Night().Add(time.Hour))
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{
		{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: late}}},
		{LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: early}}},
		{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}, // it never began either
	}
	if at := usedSince(pod); !at.Equal(climbtest.Night()) {
		t.Errorf("used since %s", at)
	}
}

// Storage systems make volumes of snapshots after Velero has called the restore complete.
func TestClaimsOfSnapshotsAreWaitedFor(t *testing.T) {
	volumes := []volumeBackup{{Pod: "db-0", Name: "data", Claim: "data", Snapshot: &volumeInfo{}}}
	for name, test := range map[string]struct {
		phase   corev1.PersistentVolumeClaimPhase
		reason  string
		compare bool
		after   time.Duration // something has changed
		waits   time.Duration
	}{
		"bound":                   {corev1.ClaimBound, "ContainerCreating", false, 0, 0},
		"bound and mounted":       {corev1.ClaimBound, "CreateContainerConfigError", true, 0, 0},
		"bound later":             {corev1.ClaimPending, "CreateContainerConfigError", true, time.Minute, time.Minute},
		"mounted later":           {corev1.ClaimBound, "ContainerCreating", true, time.Minute, time.Minute},
		"never bound":             {corev1.ClaimPending, "ContainerCreating", false, 0, mostSettling},
		"bound and never mounted": {corev1.ClaimBound, "ContainerCreating", true, 0, mostSettling},
		"bound, and no pod's":     {corev1.ClaimBound, "", true, 0, 0},
		"bound, without a node":   {corev1.ClaimBound, "no node", true, 0, mostSettling},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pod, claim := mounting("drill", "db-0", "data", "data", test.reason), claimIn("drill", "data", "pv", test.phase)
				if test.reason == "no node" {
					pod.Spec.NodeName = ""
				}
				if test.reason == "" {
					pod.Spec.Volumes[0] = claimed("data", "another")
					pod.Name = "web-0"
				}
				client := fake.NewClientset(pod, claim)
				if test.after > 0 {
					time.AfterFunc(test.after-time.Millisecond, func() {
						claim, pod := claim.DeepCopy(), pod.DeepCopy()
						claim.Status.Phase, pod.Status.ContainerStatuses[0].State.Waiting.Reason = corev1.ClaimBound, "CreateContainerConfigError"
						_, _ = client.CoreV1().PersistentVolumeClaims("drill").Update(t.Context(), claim, metav1.UpdateOptions{})
						_, _ = client.CoreV1().Pods("drill").Update(t.Context(), pod, metav1.UpdateOptions{})
					})
				}
				c := &climb{spec: &Restore{Volumes: Volumes{Compare: test.compare}}, plan: restorePlan{Into: "drill"}, env: experiments.Env{Client: client}}
				began := time.Now()
				if _, err := c.settled(t.Context(), volumes); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took < test.waits || took > test.waits+2*lookAgain {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}
