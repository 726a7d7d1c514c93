package velero

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/kube"
)

// madeBy is what a provisioner writes on volumes that it makes. One without it was
// made by hand.
const madeBy = "pv.kubernetes.io/provisioned-by"

// sameFree finds free volumes that lead to where a volume of the original is. Velero
// restores a claim without its volume when the content is in the backup: one whose
// volume was made by hand gets any free one of its class, and its files would be
// written to where that leads.
func (c *climb) sameFree(ctx context.Context) ([]string, error) {
	byHand, err := c.volumesByHand(ctx)
	if err != nil || len(byHand) == 0 {
		return nil, err
	}
	var same []string
	_, err = kube.Each(ctx, c.env.Client.CoreV1().PersistentVolumes(), metav1.ListOptions{}, func(free *corev1.PersistentVolume) error {
		if free.Spec.ClaimRef != nil {
			return nil
		}
		spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&free.Spec)
		if err != nil {
			return fmt.Errorf("reading volume %s: %w", free.Name, err)
		}
		for _, volume := range byHand {
			original, _, _ := unstructured.NestedMap(volume.Object, "spec")
			if textAt(original, "storageClassName") == free.Spec.StorageClassName && leadToTheSame(original, spec) {
				same = append(same, fmt.Sprintf("volume %s is free and leads to where volume %s of the original does", free.Name, volume.GetName()))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for free volumes that the copy would get: %w", err)
	}
	return same, nil
}

// volumesByHand are the volumes of claims in the backup that no provisioner made.
func (c *climb) volumesByHand(ctx context.Context) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for claim, err := range c.contents.Objects(ctx, contents.Claims()) {
		if err != nil {
			return nil, err
		}
		volume, err := c.contents.Get("persistentvolumes", "", textAt(claim.Object, "spec", "volumeName"))
		if err != nil {
			return nil, err
		}
		if volume != nil && volume.GetAnnotations()[madeBy] == "" {
			all = append(all, volume)
		}
	}
	return all, nil
}

// leadToTheSame says of two specs of volumes that what is written to the one is in the
// other: the same device, or directories of which one is in the other. The attributes
// are those of csi-driver-nfs and csi-driver-smb.
func leadToTheSame(a, b map[string]any) bool {
	csi := []string{"csi", "volumeAttributes"}
	for _, at := range []struct {
		fields            []string
		server, directory string
	}{{[]string{"nfs"}, "server", "path"}, {csi, "server", "share"}, {csi, "", "source"}} {
		in := func(spec map[string]any, field string) string {
			return textAt(spec, append(slices.Clone(at.fields), field)...)
		}
		one, other := in(a, at.directory), in(b, at.directory)
		if one != "" && other != "" && in(a, at.server) == in(b, at.server) {
			return within(one, other) || within(other, one)
		}
	}
	if handle := textAt(a, "csi", "volumeHandle"); handle != "" {
		return textAt(a, "csi", "driver") == textAt(b, "csi", "driver") && handle == textAt(b, "csi", "volumeHandle")
	}
	for kind, source := range a {
		if _, is := source.(map[string]any); is && !slices.Contains(besideSource(), kind) {
			return reflect.DeepEqual(source, b[kind])
		}
	}
	return false
}

// besideSource are the maps in the spec of a volume that are not where it is.
func besideSource() []string { return []string{"capacity", "claimRef", "nodeAffinity"} }

func within(directory, other string) bool {
	other = strings.TrimSuffix(path.Clean(other), "/") + "/"
	return strings.HasPrefix(path.Clean(directory)+"/", other)
}
