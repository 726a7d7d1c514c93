// Package volumes makes and removes the directories that are a test cluster's
// volumes.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Provisioner is the name that a StorageClass asks for.
const Provisioner = "gameday.dev/local"

// mount is where a node has its directory of volumes.
const mount = "/mnt"

// Directories makes volumes below Nodes, which has a directory for each node.
type Directories struct{ Nodes string }

// On is the directory of the node in which its volumes are, which the node
// itself sees as mount.
func (d Directories) On(node string) string { return filepath.Join(d.Nodes, node, "mnt") }

// Find is the directory of the volume, on whatever node it is.
func (d Directories) Find(volume string) (string, error) {
	nodes, err := os.ReadDir(d.Nodes)
	if err != nil {
		return "", err
	}
	for _, node := range nodes {
		dir := filepath.Join(d.On(node.Name()), volume)
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, nil
		}
	}
	return "", fmt.Errorf("volume %s has no directory on any node: %w", volume, fs.ErrNotExist)
}

// Provision makes a volume on the node that the scheduler chose.
func (d Directories) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	node := o.SelectedNodeName
	if node == "" {
		return nil, controller.ProvisioningFinished, errors.New("no node was chosen: volumeBindingMode must be WaitForFirstConsumer")
	}
	dir := filepath.Join(d.On(node), o.PVName)
	err := os.Mkdir(dir, 0o777)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, controller.ProvisioningReschedule, fmt.Errorf("node %q has no place for volumes", node)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) { // it exists when the volume could not be recorded the last time
		return nil, controller.ProvisioningFinished, err
	}
	// Whatever the umask: the user of the container is not known here.
	if err := os.Chmod(dir, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return volume(o, node), controller.ProvisioningFinished, nil
}

// volume is of type local: Velero skips those of type hostPath.
func volume(o controller.ProvisionOptions, node string) *corev1.PersistentVolume {
	here := corev1.NodeSelectorRequirement{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node}}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			VolumeMode:                    o.PVC.Spec.VolumeMode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: filepath.Join(mount, o.PVName)},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{here}}},
			}},
		},
	}
}

// Delete removes what is in the volume, and its directory.
func (d Directories) Delete(_ context.Context, v *corev1.PersistentVolume) error {
	dir, err := d.Find(v.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
