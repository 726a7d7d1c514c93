package velero

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/verify"
)

// backedUp is a backup of namespace shop that holds these objects.
func backedUp(t *testing.T, texts ...string) *contents.Contents {
	t.Helper()
	var tarball bytes.Buffer
	archive := tar.NewWriter(&tarball)
	for _, text := range texts {
		object := parsed(t, text)
		data, err := json.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		resource, where := strings.ToLower(object.GetKind())+"s", "namespaces/"+object.GetNamespace()
		if group := object.GroupVersionKind().Group; group != "" {
			resource += "." + group
		}
		if object.GetNamespace() == "" {
			where = "cluster"
		}
		header := &tar.Header{Name: fmt.Sprintf("resources/%s/%s/%s.json", resource, where, object.GetName()), Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	held, err := contents.Read(t.Context(), stored{&tarball}, t.TempDir(), "shop", func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return held
}

// webPod is a pod of the shop that has one volume, and what else its spec says.
func webPod(volume, spec string) string {
	return `{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop}, status: {phase: Running},
		spec: {containers: [{name: web, image: web}], volumes: [{name: share, ` + volume + `}]` + spec + `}}`
}

// filesOfShare is a file system backup of the volume of that pod.
func filesOfShare(phase velerov1.PodVolumeBackupPhase, snapshot string) velerov1.PodVolumeBackup {
	return velerov1.PodVolumeBackup{
		Spec:   velerov1.PodVolumeBackupSpec{Pod: corev1.ObjectReference{Namespace: "shop", Name: "web-1"}, Volume: "share"},
		Status: velerov1.PodVolumeBackupStatus{Phase: phase, SnapshotID: snapshot},
	}
}

// A copy must not be restored, or started, where it would act on the original. Each
// reason names the pod and the volume.
func TestOutside(t *testing.T) {
	const nfs = "nfs: {server: nfs.example, path: /shop}"
	taken := []velerov1.PodVolumeBackup{filesOfShare(velerov1.PodVolumeBackupPhaseCompleted, "4711")}
	failed := []velerov1.PodVolumeBackup{filesOfShare(velerov1.PodVolumeBackupPhaseFailed, "4711")}
	empty := []velerov1.PodVolumeBackup{filesOfShare(velerov1.PodVolumeBackupPhaseCompleted, "")}
	const restored, started = "Pod web-1: its files would be restored into the original's volume share", "Pod web-1: started, it would"
	template := func(kind, spec string) string {
		return `{apiVersion: apps/v1, kind: ` + kind + `, metadata: {name: web, namespace: shop}, spec: {template: {spec: ` + spec + `}}}`
	}
	for name, test := range map[string]struct {
		object string
		files  []velerov1.PodVolumeBackup
		start  bool
		says   string // empty when there is nothing to say
	}{
		"NFS":                           {webPod(nfs, ""), taken, false, restored + " (nfs)"},
		"NFS, in a failed backup":       {webPod(nfs, ""), failed, false, restored},
		"NFS, empty":                    {webPod(nfs, ""), empty, false, ""},
		"NFS, not backed up":            {webPod(nfs, ""), nil, false, ""},
		"NFS, started":                  {webPod(nfs, ""), nil, true, started + " write to the original's volume share (nfs)"},
		"CephFS":                        {webPod("cephfs: {monitors: [a]}", ""), taken, false, restored},
		"Azure file":                    {webPod("azureFile: {shareName: a, secretName: b}", ""), taken, false, restored},
		"flex volume":                   {webPod("flexVolume: {driver: a/b}", ""), taken, false, restored},
		"a kind of the future":          {webPod("dream: {}", ""), taken, false, restored},
		"a device, not backed up":       {webPod("iscsi: {targetPortal: a, iqn: b, lun: 0}", ""), nil, false, "it would mount the original's volume share (iscsi) a second time"},
		"a CSI driver that shares":      {webPod("csi: {driver: nfs.csi.k8s.io, volumeAttributes: {server: a, share: /}}", ""), taken, false, restored},
		"a CSI driver of certificates":  {webPod("csi: {driver: csi.cert-manager.io}", ""), taken, true, ""},
		"hostPath":                      {webPod("hostPath: {path: /data}", ""), nil, false, ""},
		"hostPath, started":             {webPod("hostPath: {path: /data}", ""), nil, true, started + " write to the original's volume share (hostPath)"},
		"a claim":                       {webPod("persistentVolumeClaim: {claimName: data}", ""), taken, true, ""},
		"an empty directory":            {webPod("emptyDir: {}", ""), taken, true, ""},
		"a claim of its own":            {webPod("ephemeral: {volumeClaimTemplate: {}}", ""), taken, true, ""},
		"a Secret":                      {webPod("secret: {secretName: a}", ""), taken, true, ""},
		"a ConfigMap":                   {webPod("configMap: {name: a}", ""), taken, true, ""},
		"as Velero once noted it":       {strings.Replace(webPod(nfs, ""), "name: web-1,", "name: web-1, annotations: {snapshot.velero.io/share: a},", 1), nil, false, restored},
		"over":                          {strings.Replace(webPod(nfs, ""), "Running", "Succeeded", 1), taken, true, ""},
		"the node's network":            {webPod("emptyDir: {}", ", hostNetwork: true"), nil, false, ""},
		"the node's network, started":   {webPod("emptyDir: {}", ", hostNetwork: true"), nil, true, started + " be on the network of its node"},
		"a port of the node":            {strings.Replace(webPod("emptyDir: {}", ""), "image: web", "image: web, ports: [{containerPort: 80, hostPort: 8080}]", 1), nil, true, started + " listen on port 8080"},
		"a sidecar's port of the node":  {webPod("emptyDir: {}", ", initContainers: [{name: proxy, image: proxy, restartPolicy: Always, ports: [{containerPort: 80, hostPort: 8080}]}]"), nil, true, started + " listen on port 8080"},
		"a template":                    {template("Deployment", "{volumes: [{name: share, "+nfs+"}]}"), nil, false, ""},
		"a template, started":           {template("Deployment", "{volumes: [{name: share, "+nfs+"}]}"), nil, true, "Deployment web: started, it would write to the original's volume share (nfs)"},
		"a template's network, started": {template("DaemonSet", "{hostNetwork: true}"), nil, true, "DaemonSet web: started, it would be on the network"},
		"a template's template, started": {
			`{apiVersion: batch/v1, kind: CronJob, metadata: {name: web, namespace: shop}, spec: {jobTemplate: {spec: {template: {spec: {volumes: [{name: share, ` + nfs + `}]}}}}}}`,
			nil, true, "CronJob web: started",
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := outside{start: test.start, files: filesRestored(test.files)}.find(t.Context(), backedUp(t, test.object))
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(found, "\n"); (all == "") != (test.says == "") || !strings.Contains(all, test.says) {
				t.Errorf("found %q, want %q", all, test.says)
			}
		})
	}
}

func TestABackupWithAVolumeOfTheOriginalIsNotRestored(t *testing.T) {
	c := &climb{
		spec: &Restore{}, plan: restorePlan{Source: "shop", Into: "shop-drill"}, env: experiments.Env{Client: fake.NewClientset()},
		contents: backedUp(t, webPod("nfs: {server: nfs.example, path: /shop}", "")),
		files:    []velerov1.PodVolumeBackup{filesOfShare(velerov1.PodVolumeBackupPhaseCompleted, "4711")},
	}
	found := c.restore(t.Context())
	if found.Verdict != verify.Inconclusive || !strings.Contains(found.Summary, "not restored") || !strings.Contains(found.Summary, "volume share (nfs)") {
		t.Errorf("%s: %s", found.Verdict, found.Summary)
	}
	if made := c.env.Client.(*fake.Clientset).Actions(); len(made) > 0 {
		t.Errorf("before it is refused, %v", made)
	}
}

// What the backup would take of living pods is asked of their annotations.
func TestABackupOfAVolumeOfTheOriginalIsRefused(t *testing.T) {
	no := false
	annotated := func(annotation string) string {
		return strings.Replace(webPod("nfs: {server: nfs.example, path: /shop}", ""), "name: web-1,", "name: web-1, annotations: {"+annotation+": share},", 1)
	}
	pod := webPod("nfs: {server: nfs.example, path: /shop}", "")
	for name, test := range map[string]struct {
		source  Source
		pod     string
		refused bool
	}{
		"by default":        {Source{}, pod, true},
		"left out":          {Source{}, annotated(velerov1.VolumesToExcludeAnnotation), false},
		"not by default":    {Source{DefaultVolumesToFsBackup: &no}, pod, false},
		"asked for by name": {Source{DefaultVolumesToFsBackup: &no}, annotated(velerov1.VolumesToBackupAnnotation), true},
		"a hostPath":        {Source{}, webPod("hostPath: {path: /data}", ""), false},
	} {
		t.Run(name, func(t *testing.T) {
			kinds := map[schema.GroupVersionResource]string{}
			for _, kind := range podMakers() {
				r := kind.resource
				kinds[schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name}] = r.Kind + "List"
			}
			env := experiments.Env{Dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, parsed(t, test.pod))}
			err := (&Restore{Backup: test.source}).planOutside(t.Context(), env, restorePlan{New: true, Source: "shop"})
			refused, is := refusal.As(err)
			if is != test.refused || is && (!strings.Contains(refused.Reason, "Pod web-1") || !strings.Contains(refused.Reason, "share") || refused.Hint == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}
