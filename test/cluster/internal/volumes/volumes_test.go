package volumes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func options(volume, node string) controller.ProvisionOptions {
	reclaim := corev1.PersistentVolumeReclaimDelete
	return controller.ProvisionOptions{
		PVName: volume, SelectedNodeName: node,
		PVC: &corev1.PersistentVolumeClaim{}, StorageClass: &storagev1.StorageClass{ReclaimPolicy: &reclaim},
	}
}

func TestVolumeComesAndGoes(t *testing.T) {
	d := Directories{Nodes: t.TempDir()}
	for _, node := range []string{"n1", "n2"} {
		if err := os.MkdirAll(d.On(node), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Twice, as after a failure to record it.
	for range 2 {
		v, _, err := d.Provision(t.Context(), options("pvc-a", "n2"))
		if err != nil {
			t.Fatal(err)
		}
		here := v.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0]
		if v.Spec.Local == nil || v.Spec.Local.Path != "/mnt/pvc-a" || here.Key != "kubernetes.io/hostname" || here.Values[0] != "n2" {
			t.Errorf("the volume is %+v", v.Spec)
		}
	}
	dir, err := d.Find("pvc-a")
	if err != nil || dir != filepath.Join(d.Nodes, "n2", "mnt", "pvc-a") {
		t.Fatalf("it was found at %q, %v", dir, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data"), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	gone := &corev1.PersistentVolume{}
	gone.Name = "pvc-a"
	for range 2 {
		if err := d.Delete(t.Context(), gone); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Find("pvc-a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still found: %v", err)
	}
}

// The scheduler is asked for another node than one that is not there.
func TestVolumeNeedsANode(t *testing.T) {
	d := Directories{Nodes: t.TempDir()}
	if _, state, err := d.Provision(t.Context(), options("pvc-a", "n9")); err == nil || state != controller.ProvisioningReschedule {
		t.Errorf("on a node that is not there: %s, %v", state, err)
	}
	if _, _, err := d.Provision(t.Context(), options("pvc-a", "")); err == nil {
		t.Error("a volume was made on no node")
	}
	if left, err := os.ReadDir(d.Nodes); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
