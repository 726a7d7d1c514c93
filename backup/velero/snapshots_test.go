package velero

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// recorded reads what Velero stores, in the form of its own types.
func recorded(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func claimIn(namespace, name, volume string, phase corev1.PersistentVolumeClaimPhase) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       corev1.PersistentVolumeClaimSpec{VolumeName: volume},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: phase},
	}
}

func TestSnapshotsRestored(t *testing.T) {
	type evidence = snapshotRestores
	info := func(e *evidence, claim string) *restoredInfo {
		for i := range e.infos {
			if e.infos[i].PVCName == claim {
				return &e.infos[i]
			}
		}
		t.Fatalf("no restore of claim %s is recorded", claim)
		return nil
	}
	for name, test := range map[string]struct {
		claim          string
		change         func(*evidence)
		problem, doubt string
	}{
		"csi":    {claim: "csi"},
		"moved":  {claim: "moved"},
		"native": {claim: "native"},

		"not restored":         {"csi", func(e *evidence) { e.infos = e.infos[:2] }, "in the backup by CSISnapshot, and Velero did not restore it", ""},
		"in another namespace": {"csi", func(e *evidence) { info(e, "csi").PVCNamespace = "shop" }, "did not restore it", ""},
		"another snapshot":     {"csi", func(e *evidence) { info(e, "csi").CSI.Handle = "csi-78" }, "another snapshot", ""},
		"another copy":         {"moved", func(e *evidence) { info(e, "moved").Movement.Handle = "kopia-8" }, "another snapshot", ""},
		"another native":       {"native", func(e *evidence) { info(e, "").Native.Handle = "snap-1" }, "another snapshot", ""},
		"no claim":             {"csi", func(e *evidence) { delete(e.claims, "csi") }, "its claim was not restored", ""},
		"volume gone":          {"csi", func(e *evidence) { e.claims["csi"].Status.Phase = corev1.ClaimLost }, "is gone", ""},
		"mover failed": {"moved", func(e *evidence) {
			e.operations[0].Status.Phase, e.operations[0].Status.Error = "Failed", "no node agent"
		}, "ended Failed: no node agent", ""},
		"mover not through": {"moved", func(e *evidence) { e.operations[0].Status.NCompleted = 2047 }, "2047 of 2048 bytes", ""},
		"moved nothing":     {"moved", func(e *evidence) { e.operations[0].Status.NCompleted = 0 }, "0 of 2048 bytes", ""},

		"nothing stored":         {"csi", func(e *evidence) { e.stored, e.infos = false, nil }, "", "has stored nothing"},
		"unknown snapshot":       {"csi", func(e *evidence) { info(e, "csi").CSI.Handle = "" }, "", "which snapshot"},
		"snapshot called so":     {"csi", func(e *evidence) { info(e, "csi").CSI.Handle = unknownHandle }, "", "which snapshot"},
		"mover's end not stored": {"moved", func(e *evidence) { e.operations = nil }, "", "how its data mover ended"},
		"not bound":              {"csi", func(e *evidence) { e.claims["csi"].Status.Phase = corev1.ClaimPending }, "", "its claim is Pending"},
		"moved, not bound":       {"moved", func(e *evidence) { e.claims["moved"].Status.Phase = corev1.ClaimPending }, "", "its claim is Pending"},
		"bound to another":       {"csi", func(e *evidence) { e.claims["csi"].Spec.VolumeName = "pvc-c3" }, "", "pvc-c3"},
	} {
		t.Run(name, func(t *testing.T) {
			restores := evidence{namespace: "drill", stored: true, claims: map[string]*corev1.PersistentVolumeClaim{
				"csi": claimIn("drill", "csi", "pvc-c2", corev1.ClaimBound), "moved": claimIn("drill", "moved", "pvc-m2", corev1.ClaimBound),
				"native": claimIn("drill", "native", "pv-native-copy", corev1.ClaimBound),
			}}
			recorded(t, "restorevolumeinfo", &restores.infos)
			recorded(t, "restoreitemoperations", &restores.operations)
			known := volumeKnowledge{namespace: "shop"}
			recorded(t, "backupvolumeinfos", &known.infos)
			if test.change != nil {
				test.change(&restores)
			}
			problem, doubt := restores.of(known.ofClaim(volumeBackup{Claim: test.claim}, "lost"))
			matches := func(got, want string) bool { return got == want || want != "" && strings.Contains(got, want) }
			if !matches(problem, test.problem) || !matches(doubt, test.doubt) {
				t.Errorf("problem %q, doubt %q", problem, doubt)
			}
		})
	}
}

// store is a Velero with its object store: what it answers to DownloadRequests.
func store(t *testing.T, files map[velerov1.DownloadTargetKind]string, objects ...runtime.Object) (velero.Client, *http.Transport) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, there := files[velerov1.DownloadTargetKind(strings.TrimPrefix(r.URL.Path, "/"))]
		if !there {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	kinds := map[schema.GroupVersionResource]string{
		{Group: velero.Group, Version: "v1", Resource: velero.DownloadRequests}: "DownloadRequestList",
		{Group: velero.Group, Version: "v1", Resource: velero.VolumeRestores}:   "PodVolumeRestoreList",
		{Group: velero.Group, Version: "v1", Resource: velero.VolumeBackups}:    "PodVolumeBackupList",
	}
	dynamic := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...)
	dynamic.PrependReactor("create", velero.DownloadRequests, func(action clienttesting.Action) (bool, runtime.Object, error) {
		request := action.(clienttesting.CreateAction).GetObject().(*unstructured.Unstructured)
		kind := textAt(request.Object, "spec", "target", "kind")
		return false, nil, unstructured.SetNestedField(request.Object, server.URL+"/"+kind, "status", "downloadURL")
	})
	return velero.Client{Dynamic: dynamic, Namespace: "velero"}, &http.Transport{}
}

func TestTheRungAsksForWhatVeleroRestored(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	type stored = map[velerov1.DownloadTargetKind]string
	infos, operations := read("restorevolumeinfo"), read("restoreitemoperations")
	for name, test := range map[string]struct {
		stored stored
		want   verify.Verdict
		says   string
	}{
		"whole":                    {stored{velerov1.DownloadTargetKindRestoreVolumeInfo: infos, velerov1.DownloadTargetKindRestoreItemOperations: operations}, verify.Pass, "2 volumes, 0 of them restored by files, 0 bytes, and 2 from snapshots"},
		"one is not among them":    {stored{velerov1.DownloadTargetKindRestoreVolumeInfo: strings.Replace(infos, `"csi"`, `"isc"`, 1), velerov1.DownloadTargetKindRestoreItemOperations: operations}, verify.Fail, "claim csi: in the backup by CSISnapshot"},
		"nothing is stored":        {nil, verify.Inconclusive, "claim csi: Velero has stored nothing"},
		"the movers' ends are not": {stored{velerov1.DownloadTargetKindRestoreVolumeInfo: infos}, verify.Inconclusive, "claim moved: Velero has not stored how"},
		"damaged":                  {stored{velerov1.DownloadTargetKindRestoreVolumeInfo: infos[:40]}, verify.Inconclusive, "reading RestoreVolumeInfo"},
	} {
		t.Run(name, func(t *testing.T) {
			client, transport := store(t, test.stored)
			known := volumeKnowledge{namespace: "shop"}
			recorded(t, "backupvolumeinfos", &known.infos)
			c := &climb{
				spec: &Restore{}, velero: client, transport: transport, plan: restorePlan{Into: "drill", Own: "gameday-1"},
				env: experiments.Env{Client: fake.NewClientset(claimIn("drill", "csi", "pvc-c2", corev1.ClaimBound), claimIn("drill", "moved", "pvc-m2", corev1.ClaimBound))},
			}
			for _, claim := range []string{"csi", "moved"} {
				c.volumes = append(c.volumes, known.ofClaim(volumeBackup{Claim: claim}, "lost"))
			}
			found := c.compareVolumes(t.Context())
			if found.Verdict != test.want || !strings.Contains(all(found), test.says) {
				t.Errorf("got %s: %s", found.Verdict, all(found))
			}
			if left, err := client.Names(t.Context(), velero.DownloadRequests, ""); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}
