package objects

const (
	sourceBinding     = "staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go"
	sourceProtection  = sourceAdmission + "storage/storageobjectinuseprotection/admission.go"
	sourceProvisioner = "https://github.com/kubernetes-csi/external-provisioner"
	sourceSnapshotter = "https://github.com/kubernetes-csi/external-snapshotter/blob/master/pkg/utils/util.go"
)

func storageRules() []Rule {
	claim, volume := []string{"PersistentVolumeClaim"}, []string{"PersistentVolume"}
	rules := []Rule{
		{
			Name: "volume of a claim", Kinds: claim, Path: "spec.volumeName", What: bothWays(), When: boundByController,
			Why: "the claim is bound anew, to a volume of its own", Source: sourceBinding,
		},
		{
			Name: "default storage class", Kinds: claim, Path: "spec.storageClassName", What: []string{Extra}, When: func(c Case) bool { return c.Found != "" },
			Why: "a claim that names none gets the default class", Source: sourceAdmission + "storage/storageclass/setdefault/admission.go",
		},
		{
			Name: "protection", Kinds: claim, Path: "metadata.finalizers[kubernetes.io/pvc-protection]", What: []string{Extra},
			Why: "added to every claim at creation", Source: sourceProtection,
		},
		{
			Name: "protection", Kinds: volume, Path: "metadata.finalizers[kubernetes.io/pv-protection]", What: []string{Extra},
			Why: "added to every volume at creation", Source: sourceProtection,
		},
		{
			Name: "protection", Kinds: volume, Path: "metadata.finalizers[external-provisioner.volume.kubernetes.io/finalizer]", What: []string{Missing, Extra},
			Why: "the provisioner's, on a volume that it has made", Source: sourceProvisioner,
		},
		{
			Name: "protection", Kinds: volume, Path: "metadata.finalizers[external-attacher/*]", What: []string{Missing, Extra},
			Why: "the attacher's, on a volume that is attached", Source: "https://github.com/kubernetes-csi/external-attacher",
		},
		{
			Name: "claim of a volume", Kinds: volume, Path: "spec.claimRef.uid", What: bothWays(),
			Why: "the claim was created anew too; namespace and name say which it is", Source: sourceBinding,
		},
		{
			Name: "claim of a volume", Kinds: volume, Path: "spec.claimRef.resourceVersion", What: bothWays(),
			Why: "the claim was created anew too", Source: sourceBinding,
		},
		{
			Name: "provisioner", Kinds: volume, Path: "spec.csi.volumeAttributes[storage.kubernetes.io/csiProvisionerIdentity]", What: []string{Changed},
			Why: "it names the process that made the volume", Source: sourceProvisioner,
		},
	}
	for _, name := range []string{"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"} {
		rules = append(rules, Rule{
			Name: "volume of a claim", Kinds: []string{"PersistentVolumeClaim", "PersistentVolume"}, Path: "metadata.annotations[" + name + "]", What: []string{Missing, Extra},
			Why: "a note of the controller that binds", Source: sourceBinding,
		})
	}
	for _, name := range []string{"volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"} {
		rules = append(rules, Rule{
			Name: "provisioner", Kinds: claim, Path: "metadata.annotations[" + name + "]", What: []string{Missing, Extra},
			Why: "a note of the controller that asks for a volume", Source: sourceBinding,
		})
	}
	return append(rules,
		Rule{
			Name: "scheduling", Kinds: claim, Path: "metadata.annotations[volume.kubernetes.io/selected-node]", What: bothWays(),
			Why: "the scheduler chooses anew", Source: sourceBinding,
		},
		Rule{
			Name: "provisioner", Kinds: claim, Path: "metadata.annotations[volume.kubernetes.io/storage-resizer]", What: []string{Missing, Extra},
			Why: "a note of the controller that grows volumes", Source: sourceController + "volume/expand/expand_controller.go",
		},
		Rule{
			Name: "provisioner", Kinds: volume, Path: "metadata.annotations[pv.kubernetes.io/provisioned-by]", What: []string{Missing, Extra},
			Why: "a note of the provisioner", Source: sourceBinding,
		},
	)
}

// boundByController says that a controller chose the volume, and not the
// owner of the claim.
func boundByController(c Case) bool {
	return c.Wanted == nil || annotation(c.WantedObject, "pv.kubernetes.io/bound-by-controller") != ""
}

func snapshotRules() []Rule {
	snapshot, content := []string{"VolumeSnapshot.snapshot.storage.k8s.io"}, []string{"VolumeSnapshotContent.snapshot.storage.k8s.io"}
	rules := []Rule{
		{
			Name: "claim of a snapshot", Kinds: content, Path: "spec.volumeSnapshotRef.uid", What: bothWays(),
			Why: "the VolumeSnapshot was created anew too; namespace and name say which it is", Source: sourceSnapshotter,
		},
		{
			Name: "claim of a snapshot", Kinds: content, Path: "spec.volumeSnapshotRef.resourceVersion", What: bothWays(),
			Why: "the VolumeSnapshot was created anew too", Source: sourceSnapshotter,
		},
		{
			Name: "protection", Kinds: content, Path: "metadata.finalizers[snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection]", What: []string{Missing, Extra},
			Why: "the snapshot controller's, while it is bound", Source: sourceSnapshotter,
		},
		{
			Name: "protection", Kinds: []string{"PersistentVolumeClaim"}, Path: "metadata.finalizers[snapshot.storage.kubernetes.io/pvc-as-source-protection]", What: []string{Missing, Extra},
			Why: "the snapshot controller's, while it takes a snapshot", Source: sourceSnapshotter,
		},
	}
	for _, name := range []string{"volumesnapshot-as-source-protection", "volumesnapshot-bound-protection"} {
		rules = append(rules, Rule{
			Name: "protection", Kinds: snapshot, Path: "metadata.finalizers[snapshot.storage.kubernetes.io/" + name + "]", What: []string{Missing, Extra},
			Why: "the snapshot controller's, while it is in use", Source: sourceSnapshotter,
		})
	}
	for _, name := range []string{"being-created", "being-deleted"} {
		rules = append(rules, Rule{
			Name: "snapshot under way", Kinds: content, Path: "metadata.annotations[snapshot.storage.kubernetes.io/volumesnapshot-" + name + "]", What: []string{Missing, Extra},
			Why: "a note of the snapshot controller, while it works", Source: sourceSnapshotter,
		})
	}
	return rules
}
