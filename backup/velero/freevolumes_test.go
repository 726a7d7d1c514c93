package velero

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
)

// A claim of the copy may get any free volume of its class: none may lead to the
// original's files.
func TestFreeVolumesOfTheOriginal(t *testing.T) {
	const claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data}, spec: {volumeName: pv, storageClassName: hand}}"
	volume := func(name, annotations, spec string) string {
		return "{apiVersion: v1, kind: PersistentVolume, metadata: {name: " + name + ", annotations: {" + annotations + "}}, spec: {capacity: {storage: 1Gi}, storageClassName: hand, " + spec + "}}"
	}
	const nfs, share = "nfs: {server: a, path: /shop}", "csi: {driver: nfs.csi.k8s.io, volumeHandle: one, volumeAttributes: {server: a, share: /shop}}"
	for name, test := range map[string]struct {
		original, annotations, free string
		same                        bool
	}{
		"the same directory":         {nfs, "", nfs, true},
		"a directory in it":          {nfs, "", "nfs: {server: a, path: /shop/data/}", true},
		"a directory around it":      {nfs, "", "nfs: {server: a, path: /}", true},
		"a directory beside it":      {nfs, "", "nfs: {server: a, path: /shop-2}", false},
		"of another server":          {nfs, "", "nfs: {server: b, path: /shop}", false},
		"another kind":               {nfs, "", "hostPath: {path: /shop}", false},
		"bound":                      {nfs, "", nfs + ", claimRef: {namespace: other, name: data}", false},
		"of another class":           {nfs, "", nfs + ", storageClassName: other", false},
		"made by a provisioner":      {nfs, madeBy + ": x", nfs, false},
		"a share by its handle":      {share, "", "csi: {driver: nfs.csi.k8s.io, volumeHandle: one}", true},
		"a share by another handle":  {share, "", "csi: {driver: nfs.csi.k8s.io, volumeHandle: two, volumeAttributes: {server: a, share: /shop}}", true},
		"another share":              {share, "", "csi: {driver: nfs.csi.k8s.io, volumeHandle: two, volumeAttributes: {server: a, share: /other}}", false},
		"a share of Windows":         {"csi: {driver: smb.csi.k8s.io, volumeHandle: one, volumeAttributes: {source: //a/shop}}", "", "csi: {driver: smb.csi.k8s.io, volumeHandle: two, volumeAttributes: {source: //a/shop}}", true},
		"a disk":                     {"csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}", "", "csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}", true},
		"another disk":               {"csi: {driver: ebs.csi.aws.com, volumeHandle: vol-1}", "", "csi: {driver: ebs.csi.aws.com, volumeHandle: vol-2}", false},
		"the same device":            {"iscsi: {targetPortal: a, iqn: b, lun: 0}", "", "iscsi: {targetPortal: a, iqn: b, lun: 0}", true},
		"another device of the same": {"iscsi: {targetPortal: a, iqn: b, lun: 0}", "", "iscsi: {targetPortal: a, iqn: b, lun: 1}", false},
	} {
		t.Run(name, func(t *testing.T) {
			free := &corev1.PersistentVolume{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(parsed(t, volume("free", "", test.free)).Object, free); err != nil {
				t.Fatal(err)
			}
			c := &climb{
				spec: &Restore{}, plan: restorePlan{Source: "shop"}, env: experiments.Env{Client: fake.NewClientset(free)},
				contents: backedUp(t, claim, volume("pv", test.annotations, test.original)),
			}
			same, err := c.sameFree(t.Context())
			if err != nil || (len(same) > 0) != test.same {
				t.Errorf("got %q, %v", same, err)
			}
			if !test.same {
				return
			}
			found := c.restore(t.Context())
			if found.Verdict != verify.Inconclusive || !strings.Contains(found.Summary, "volume free is free and leads to where volume pv") {
				t.Errorf("%s: %s", found.Verdict, found.Summary)
			}
		})
	}
}
