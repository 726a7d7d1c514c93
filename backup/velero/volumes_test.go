package velero

import (
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// backupOf is a file system backup of a volume of a pod.
func backupOf(namespace, pod, volume string, phase velerov1.PodVolumeBackupPhase) velerov1.PodVolumeBackup {
	one := velerov1.PodVolumeBackup{ObjectMeta: metav1.ObjectMeta{Namespace: "velero", Name: "b-" + pod + volume, Labels: map[string]string{velerov1.BackupNameLabel: "nightly"}}}
	one.Spec.Pod = corev1.ObjectReference{Namespace: namespace, Name: pod}
	one.Spec.Volume = volume
	one.Status.Phase, one.Status.SnapshotID, one.Status.Progress.TotalBytes = phase, "kopia-1", 4096
	return one
}

func claimed(volume, claim string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}
}

func TestWhatABackupHasOfAVolume(t *testing.T) {
	failed := backupOf("shop", "db-0", "broken", velerov1.PodVolumeBackupPhaseFailed)
	failed.Status.Message = "no space"
	known := volumeKnowledge{namespace: "shop", files: []velerov1.PodVolumeBackup{
		backupOf("other", "db-0", "host", velerov1.PodVolumeBackupPhaseCompleted), backupOf("shop", "db-0", "data", velerov1.PodVolumeBackupPhaseCompleted),
		backupOf("shop", "db-0", "scratch", velerov1.PodVolumeBackupPhaseCompleted), backupOf("shop", "db-0", "certs", velerov1.PodVolumeBackupPhaseCompleted),
		backupOf("shop", "db-0", "token", velerov1.PodVolumeBackupPhaseCompleted), failed, backupOf("shop", "db-0", "begun", ""),
	}}
	recorded(t, "backupvolumeinfos", &known.infos)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "db-0"}}
	from := func(name string, source corev1.VolumeSource) corev1.Volume {
		return corev1.Volume{Name: name, VolumeSource: source}
	}
	for name, test := range map[string]struct {
		volume      corev1.Volume
		none        bool
		claim, lost string
		files       string // the pod's volume that they were backed up through
		snapshot    string
	}{
		"files":                         {volume: claimed("data", "data-db-0"), claim: "data-db-0", files: "data"},
		"files of an emptyDir":          {volume: from("scratch", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}), files: "scratch"},
		"an emptyDir left out":          {volume: from("tmp", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}), none: true},
		"configuration":                 {volume: from("conf", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}), none: true},
		"credentials":                   {volume: from("key", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}), none: true},
		"an image":                      {volume: from("image", corev1.VolumeSource{Image: &corev1.ImageVolumeSource{}}), none: true},
		"an inline CSI volume":          {volume: from("certs", corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}}), files: "certs"},
		"one that was left out":         {volume: from("others", corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}}), none: true},
		"one that is not restored":      {volume: from("token", corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}), none: true},
		"failed":                        {volume: claimed("broken", "b"), claim: "b", lost: "its backup ended Failed: no space"},
		"not ended":                     {volume: claimed("begun", "b"), claim: "b", lost: "its backup ended New"},
		"a hostPath":                    {volume: from("host", corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{}}), lost: "hostPath"},
		"on a server":                   {volume: from("nfs", corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{}}), lost: "its files were not backed up"},
		"an ephemeral claim":            {volume: from("eph", corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}), claim: "db-0-eph", lost: "its files were not backed up"},
		"a snapshot":                    {volume: claimed("c", "csi"), claim: "csi", snapshot: "csi-77"},
		"a native snapshot":             {volume: claimed("n", "native"), claim: "native", snapshot: "snap-0a1b"},
		"a snapshot, skipped and moved": {volume: claimed("m", "moved"), claim: "moved", snapshot: "kopia-9"},
		"a failed snapshot":             {volume: claimed("f", "failed"), claim: "failed", lost: "NativeSnapshot failed"},
		"skipped":                       {volume: claimed("s", "skipped"), claim: "skipped", lost: "skipped: not satisfied"},
		"through another pod":           {volume: claimed("mine", "files"), claim: "files", files: "data"},
		"nobody knows":                  {volume: claimed("x", "x"), claim: "x", lost: "its files were not backed up"},
	} {
		t.Run(name, func(t *testing.T) {
			got, has := known.ofPod(pod, test.volume)
			if has == test.none {
				t.Fatalf("has content: %v", has)
			}
			if test.none {
				return
			}
			files, taken := "", ""
			if got.Files != nil {
				files = got.Files.Spec.Volume
			}
			if got.Snapshot != nil {
				taken = got.Snapshot.handle()
			}
			lost := got.Lost == test.lost || test.lost != "" && strings.Contains(got.Lost, test.lost)
			if got.Claim != test.claim || !lost || files != test.files || taken != test.snapshot || got.Pod != "db-0" || got.Name != test.volume.Name {
				t.Errorf("got %+v, files %q, snapshot %q", got, files, taken)
			}
			if states := btoi(got.Lost != "") + btoi(got.Files != nil) + btoi(got.Snapshot != nil); states != 1 {
				t.Errorf("it is %d of lost, in files and in a snapshot", states)
			}
		})
	}
}

func btoi(is bool) int {
	if is {
		return 1
	}
	return 0
}

func TestReadVolumes(t *testing.T) {
	pvb := backupOf("shop", "db-0", "data", velerov1.PodVolumeBackupPhaseCompleted)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "velero.io/v1", "kind": "PodVolumeBackup",
		"metadata": map[string]any{"namespace": "velero", "name": pvb.Name, "labels": map[string]any{velerov1.BackupNameLabel: "nightly"}},
		"spec":     map[string]any{"pod": map[string]any{"namespace": "shop", "name": "db-0"}, "volume": "data"},
		"status":   map[string]any{"phase": "Completed", "snapshotID": "kopia-1"},
	}}
	client, transport := store(t, nil, object)
	c := &climb{
		velero: client, transport: transport, plan: restorePlan{Source: "shop", Own: "gameday-1"},
		backup: &velerov1.Backup{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}},
		contents: backedUp(t,
			`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db-0}, spec: {volumes: [{name: data, persistentVolumeClaim: {claimName: data-db-0}}, {name: conf, configMap: {name: conf}}]}, status: {phase: Running}}`,
			`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: job}, spec: {volumes: [{name: out, persistentVolumeClaim: {claimName: out}}]}, status: {phase: Succeeded}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data-db-0}}`,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: out}}`,
		),
	}
	if err := c.readVolumes(t.Context()); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, volume := range c.volumes {
		said = append(said, volume.String()+" "+volume.Lost)
	}
	want := "claim data-db-0 (volume data of pod db-0) \nclaim out no running pod mounts it, so its files were not backed up"
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	if names, err := client.Names(t.Context(), velero.DownloadRequests, ""); err != nil || len(names) > 0 {
		t.Errorf("left are %v, %v", names, err)
	}
}

func TestVolumesThatTheCopyWouldShare(t *testing.T) {
	volume := func(policy string) string {
		return `{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {persistentVolumeReclaimPolicy: ` + policy + `}}`
	}
	claim := func(volume string) string {
		return `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data}, spec: {volumeName: "` + volume + `"}}`
	}
	lost := volumeBackup{Claim: "data", Lost: "its files were not backed up"}
	empty := velerov1.PodVolumeBackup{Status: velerov1.PodVolumeBackupStatus{Phase: velerov1.PodVolumeBackupPhaseCompleted}}
	for name, test := range map[string]struct {
		volume volumeBackup
		holds  []string
		shared bool
	}{
		"kept and lost":        {lost, []string{claim("pv"), volume("Retain")}, true},
		"kept and backed up":   {volumeBackup{Claim: "data"}, []string{claim("pv"), volume("Retain")}, false},
		"kept and empty":       {volumeBackup{Claim: "data", Files: &empty}, []string{claim("pv"), volume("Retain")}, true},
		"empty, and listed":    {volumeBackup{Claim: "data", Files: &empty, Listed: true}, []string{claim("pv"), volume("Retain")}, false},
		"not kept":             {lost, []string{claim("pv"), volume("Delete")}, false},
		"without a claim":      {volumeBackup{Pod: "db-0", Name: "host", Lost: "a hostPath"}, []string{volume("Retain")}, false},
		"not bound":            {lost, []string{claim(""), volume("Retain")}, false},
		"volume not in backup": {lost, []string{claim("pv")}, false},
		"claim not in backup":  {lost, []string{volume("Retain")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := &climb{plan: restorePlan{Source: "shop"}, contents: backedUp(t, test.holds...), volumes: []volumeBackup{test.volume}}
			shared, err := c.sharedVolumes()
			if err != nil || len(shared) > 0 != test.shared {
				t.Errorf("got %q", shared)
			}
			if test.shared && !strings.Contains(shared[0], "claim data: volume pv is kept (Retain)") {
				t.Errorf("got %q", shared)
			}
		})
	}
}

// What can't be looked at is no leave to restore.
func TestWhatCannotBeReadIsNotRestored(t *testing.T) {
	c := &climb{
		spec: &Restore{}, plan: restorePlan{Source: "shop"}, volumes: []volumeBackup{{Claim: "data", Lost: "skipped"}},
		contents: backedUp(t, `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data}, spec: {volumeName: pv}}`),
	}
	c.contents.Close()
	if found := c.restore(t.Context()); found.Verdict != verify.Inconclusive {
		t.Errorf("%s: %s", found.Verdict, found.Summary)
	}
}

func TestWeighVolumes(t *testing.T) {
	files := func(change func(*velerov1.PodVolumeBackup)) volumeBackup {
		one := backupOf("shop", "db-0", "data", velerov1.PodVolumeBackupPhaseCompleted)
		if change != nil {
			change(&one)
		}
		return volumeBackup{Pod: "db-0", Name: "data", Claim: "data-db-0", Files: &one}
	}
	restored := func(change func(*velerov1.PodVolumeRestore)) velerov1.PodVolumeRestore {
		var one velerov1.PodVolumeRestore
		one.Spec.Pod.Name, one.Spec.Volume, one.Spec.SnapshotID = "db-0", "data", "kopia-1"
		one.Status.Phase, one.Status.Progress.BytesDone = velerov1.PodVolumeRestorePhaseCompleted, 4096
		if change != nil {
			change(&one)
		}
		return one
	}
	csi := volumeBackup{Claim: "csi", Snapshot: &volumeInfo{BackupMethod: "CSISnapshot"}}
	type pvr = velerov1.PodVolumeRestore
	for name, test := range map[string]struct {
		volumes  []volumeBackup
		restores []pvr
		want     verify.Verdict
		whole    int
		says     string
	}{
		"restored":          {[]volumeBackup{files(nil)}, []pvr{restored(nil)}, verify.Pass, 1, "1 volumes, 1 of them restored by files, 4.1 kB, and 0 from snapshots"},
		"none":              {nil, nil, verify.Pass, 0, "0 volumes"},
		"not in the backup": {[]volumeBackup{{Claim: "data", Lost: "skipped: by policy"}}, nil, verify.Fail, 0, "claim data: not in the backup: skipped: by policy"},
		"not restored":      {[]volumeBackup{files(nil)}, nil, verify.Fail, 0, "in the backup, and Velero did not restore it"},
		"of another volume": {[]volumeBackup{files(nil)}, []pvr{restored(func(r *pvr) { r.Spec.Volume = "logs" })}, verify.Fail, 0, "did not restore it"},
		"failed":            {[]volumeBackup{files(nil)}, []pvr{restored(func(r *pvr) { r.Status.Phase, r.Status.Message = velerov1.PodVolumeRestorePhaseFailed, "no node agent" })}, verify.Fail, 0, "its restore ended Failed: no node agent"},
		"not begun":         {[]volumeBackup{files(nil)}, []pvr{restored(func(r *pvr) { r.Status.Phase = "" })}, verify.Fail, 0, "its restore ended New"},
		"another snapshot":  {[]volumeBackup{files(nil)}, []pvr{restored(func(r *pvr) { r.Spec.SnapshotID = "kopia-2" })}, verify.Fail, 0, "another snapshot"},
		"part of it":        {[]volumeBackup{files(nil)}, []pvr{restored(func(r *pvr) { r.Status.Progress.BytesDone = 4095 })}, verify.Fail, 0, "4095 of 4096 bytes"},
		"restored empty":    {[]volumeBackup{files(nil)}, []pvr{restored(func(r *pvr) { r.Status.Progress.BytesDone = 0 })}, verify.Fail, 0, "restored empty, 4096 bytes were backed up"},
		"backed up empty": {
			[]volumeBackup{files(func(b *velerov1.PodVolumeBackup) { b.Status.Progress.TotalBytes = 0 })},
			[]pvr{restored(func(r *pvr) { r.Status.Progress.BytesDone = 0 })}, verify.Pass, 1, "claim data-db-0 (volume data of pod db-0): empty when it was backed up",
		},
		"empty, by restic": {
			[]volumeBackup{files(func(b *velerov1.PodVolumeBackup) { b.Status.Progress.TotalBytes, b.Status.SnapshotID = 0, "" })},
			nil, verify.Pass, 1, "empty when it was backed up",
		},
		"a claim of two pods":          {[]volumeBackup{files(nil), {Pod: "db-1", Name: "mine", Claim: "data-db-0", Files: files(nil).Files}}, []pvr{restored(nil)}, verify.Pass, 1, "1 of them restored by files"},
		"a snapshot without evidence":  {[]volumeBackup{csi, files(nil)}, []pvr{restored(nil)}, verify.Inconclusive, 1, "claim csi: Velero has stored nothing"},
		"a loss is worse than a doubt": {[]volumeBackup{csi, files(nil)}, nil, verify.Fail, 0, "claim csi: Velero has stored nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			found, whole := weighVolumes(test.volumes, test.restores, snapshotRestores{namespace: "drill"})
			if found.Verdict != test.want || len(whole) != test.whole || !strings.Contains(all(found), test.says) {
				t.Errorf("%d whole, got %s: %s", len(whole), found.Verdict, all(found))
			}
			if found.Verdict == verify.Pass && found.ProblemCount > 0 {
				t.Error("it passes and has problems")
			}
		})
	}
}

// A tarball that somebody made may have quantities that are computed for minutes.
func TestOnlyVolumesOfAPodAreDecoded(t *testing.T) {
	const wild = "'1e-64000000'"
	pod, err := podOf(parsed(t, "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db-0}, status: {phase: Running}, spec: {overhead: {cpu: "+wild+"}, "+
		"containers: [{name: db, resources: {limits: {cpu: "+wild+"}}}], "+
		"volumes: [{name: tmp, emptyDir: {sizeLimit: "+wild+"}}, {name: data, persistentVolumeClaim: {claimName: data}}, "+
		"{name: own, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: "+wild+"}}}}}}, "+
		"{name: facts, downwardAPI: {items: [{path: p, resourceFieldRef: {resource: limits.cpu, divisor: "+wild+"}}]}}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	volumes := pod.Spec.Volumes
	if pod.Name != "db-0" || pod.Status.Phase != corev1.PodRunning || len(volumes) != 4 || volumes[0].EmptyDir == nil || volumes[1].PersistentVolumeClaim.ClaimName != "data" ||
		volumes[2].Ephemeral == nil || volumes[3].DownwardAPI == nil {
		t.Errorf("%+v", pod)
	}
}
