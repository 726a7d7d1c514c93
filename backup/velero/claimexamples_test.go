package velero

import (
	"slices"
	"strings"
	"testing"

	"gameday.dev/gameday/verify/objects"
)

// claimExample shows what a rule expects, and what it does not.
type claimExample struct {
	rule, path string
	// of is the object that it is shown on, of namespace shop.
	of string
	// wanted changes it to what the backup holds; found changes that to what was
	// restored of it or, with live, to the original at the same resourceVersion;
	// gone is no object. All are merge patches.
	wanted, found string
	live          bool
	// losses are neighbouring differences, losses or drift: merge patches of what was
	// found, or with "wanted: " in front of what the backup holds.
	losses []string
}

const (
	exampleClaim = `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data, uid: a, resourceVersion: '5'},
		spec: {accessModes: [ReadWriteOnce], storageClassName: fast, volumeName: pv-1, resources: {requests: {storage: 1Gi}}}, status: {phase: Bound}}`
	exampleSnapshot = `{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshot, metadata: {namespace: shop, name: velero-data-x, uid: a, resourceVersion: '5', labels: {velero.io/backup-name: nightly}},
		spec: {source: {persistentVolumeClaimName: data}, volumeSnapshotClassName: fast}}`
	// What Velero writes into a claim that it takes a snapshot of.
	marked = "metadata: {labels: {velero.io/backup-name: nightly, velero.io/volume-snapshot-name: velero-data-x}, annotations: {velero.io/volume-snapshot-name: velero-data-x, backup.velero.io/must-include-additional-items: 'true'}}"
)

func claimExamples() []claimExample {
	const (
		noMarks  = "{metadata: {labels: null, annotations: null}}"
		uploaded = "{metadata: {annotations: {velero.io/data-upload-name: velero/nightly-x}}, spec: {volumeName: null}}"
	)
	restored := restoredName("0b1c", "velero-data-x")
	source := "{apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: " + restored + "}"
	otherName := "{metadata: {name: " + restored + ", annotations: {velero.io/csi-vsc-deletion-policy: Retain}}, spec: {source: {persistentVolumeClaimName: null, volumeSnapshotContentName: " + restored + "}, volumeSnapshotClassName: null}}"
	all := []claimExample{
		// What a backup changes.
		{"selector of a bound claim", "spec.selector", exampleClaim, "", "{spec: {selector: {matchLabels: {tier: gold}}}}", true,
			[]string{"wanted: {status: {phase: Pending}}", "wanted: {spec: {selector: {matchLabels: {tier: red}}}}", "{spec: {storageClassName: ''}}"}},
		{"selector of a bound claim", "spec.selector.matchLabels[velero.io/*]", exampleClaim, "{spec: {storageClassName: '', selector: {matchLabels: {tier: gold}}}}", "{spec: {selector: {matchLabels: {velero.io/dynamic-pv-restore: x}}}}", true,
			[]string{"{spec: {selector: {matchLabels: {more: x}}}}", "wanted: {spec: {volumeName: null}}"}},
		{"size of a CSI snapshot", "spec.resources.requests.storage", exampleClaim, "{" + marked + ", spec: {resources: {requests: {storage: 2Gi}}}}", "{metadata: {labels: null, annotations: null}, spec: {resources: {requests: {storage: 1Gi}}}}", true,
			[]string{"{spec: {resources: {requests: {storage: 3Gi}}}}", "wanted: " + noMarks}},
		{"words to itself", "metadata.annotations[backup.velero.io/skipped-no-csi-pv]", exampleClaim, "{metadata: {annotations: {backup.velero.io/skipped-no-csi-pv: 'true'}}}", "{metadata: {annotations: null}}", true,
			[]string{"wanted: {metadata: {annotations: {backup.velero.io/skipped-no-csi-pv: other}}}"}},
		{"words to itself", "metadata.annotations[backup.velero.io/must-include-additional-items]", exampleSnapshot, "{metadata: {annotations: {backup.velero.io/must-include-additional-items: 'true'}}}", "{metadata: {annotations: null}}", true,
			[]string{"wanted: {metadata: {annotations: {backup.velero.io/must-include-additional-items: other}}}", "{metadata: {annotations: {more: x}}}"}},
		{"marks of a CSI snapshot", "metadata.annotations[velero.io/data-upload-name]", exampleClaim, "{" + strings.Replace(marked, "annotations: {", "annotations: {velero.io/data-upload-name: velero/nightly-x, ", 1) + "}", noMarks, true,
			[]string{"wanted: {metadata: {annotations: {velero.io/volume-snapshot-name: null}}}"}},
		{"snapshots of its own", "", exampleSnapshot, "", gone, true, []string{"wanted: {metadata: {labels: {velero.io/backup-name: other}}}"}},
		// How claims get their volumes back.
		{"as large as its snapshot", "spec.resources.requests.storage", exampleClaim, "{" + marked + "}", "{metadata: {annotations: {velero.io/volume-snapshot-name: null}}, spec: {resources: {requests: {storage: 2Gi}}}}", false,
			[]string{"{spec: {resources: {requests: {storage: 1Mi}}}}", "wanted: " + noMarks}},
		{"filled by the data mover", "spec.selector.matchLabels[velero.io/dynamic-pv-restore]", exampleClaim, uploaded, "{metadata: {annotations: null}, spec: {selector: {matchLabels: {velero.io/dynamic-pv-restore: drill.data.abcde}}}}", false,
			[]string{"{spec: {selector: {matchLabels: {velero.io/dynamic-pv-restore: drill.other.abcde}}}}", "{spec: {selector: {matchLabels: {tier: gold}}}}", "wanted: {metadata: {annotations: null}}"}},
		{"a snapshot under another name", "spec.source.volumeSnapshotContentName", exampleSnapshot, "", otherName, false,
			[]string{"{spec: {source: {volumeSnapshotContentName: other}}}"}},
		{"a snapshot under another name", "spec.source.persistentVolumeClaimName", exampleSnapshot, "", otherName, false, []string{"{spec: {source: {persistentVolumeClaimName: other}}}"}},
		{"a snapshot under another name", "spec.volumeSnapshotClassName", exampleSnapshot, "", otherName, false, []string{"{spec: {volumeSnapshotClassName: other}}"}},
		{"a snapshot under another name", "metadata.annotations[velero.io/csi-vsc-deletion-policy]", exampleSnapshot, "", otherName, false, []string{"{metadata: {annotations: {velero.io/csi-vsc-deletion-policy: Delete}}}"}},
		{"a snapshot under another name", "metadata.name", exampleSnapshot, "", otherName, false, []string{"{metadata: {name: other}}", "wanted: {metadata: {labels: null}}"}},
	}
	for _, field := range []string{"dataSource", "dataSourceRef"} {
		all = append(all,
			claimExample{"source of a bound claim", "spec." + field, exampleClaim, "", "{spec: {dataSource: {kind: A, name: a}, dataSourceRef: {kind: A, name: a}}}", true,
				[]string{"wanted: {status: {phase: Pending}}", "wanted: {spec: {" + field + ": {kind: A, name: b}}}"}},
			claimExample{"filled from a snapshot", "spec." + field, exampleClaim, "{" + marked + "}", "{metadata: {annotations: {velero.io/volume-snapshot-name: null}}, spec: {dataSource: " + source + ", dataSourceRef: " + source + "}}", false,
				[]string{"{spec: {" + field + ": {name: other}}}", "wanted: " + noMarks}},
		)
	}
	for _, label := range []string{"velero.io/restore-name", "velero.io/backup-name", "velero.io/volume-snapshot-name", "backup.velero.io/must-include-additional-items"} {
		all = append(all, claimExample{"labels of earlier backups and restores", "metadata.labels[" + label + "]", exampleClaim, "", "{metadata: {labels: {" + label + ": old}}}", true,
			[]string{"{metadata: {labels: {more: x}}}", "wanted: {status: {phase: Pending}}", "wanted: {metadata: {labels: {" + label + ": other}}}"}})
	}
	for path, loss := range map[string]string{
		"labels[velero.io/backup-name]":               "wanted: {metadata: {labels: {velero.io/backup-name: other}}}",
		"labels[velero.io/volume-snapshot-name]":      "wanted: {metadata: {labels: {velero.io/volume-snapshot-name: other}}}",
		"annotations[velero.io/volume-snapshot-name]": "wanted: {metadata: {annotations: {velero.io/volume-snapshot-name: other}}}",
	} {
		all = append(all, claimExample{"marks of a CSI snapshot", "metadata." + path, exampleClaim, "{" + marked + "}", noMarks, true, []string{loss}})
	}
	for _, note := range []string{"velero.io/volume-snapshot-name", "velero.io/data-upload-name"} {
		all = append(all, claimExample{"marks that a restore takes off", "metadata.annotations[" + note + "]", exampleClaim, "{metadata: {annotations: {" + note + ": x}}}", "{metadata: {annotations: null}}", false,
			[]string{"{metadata: {annotations: {" + note + ": other}}}"}})
	}
	return all
}

// compared compares an example by these rules, with a patch of what the backup holds
// and one of the other side.
func (e claimExample) compared(t *testing.T, rules []objects.Rule, wantedToo, foundToo string) objects.Result {
	t.Helper()
	backup := merged(t, parsed(t, e.of), e.wanted)
	comparison := objects.Comparison{Wanted: objects.NewSet(merged(t, backup, wantedToo)), Namespaces: map[string]string{"shop": "drill"}, Rules: rules, Keep: 50}
	names, err := snapshotNames(t.Context(), comparison.Wanted, "0b1c")
	if err != nil {
		t.Fatal(err)
	}
	comparison.Names = ofSnapshots(names)
	other := objects.NewSet()
	if e.found != gone {
		object := merged(t, merged(t, backup, e.found), foundToo)
		if !e.live {
			object.SetNamespace("drill")
			object.SetUID("b")
		}
		other = objects.NewSet(object)
	}
	if e.live {
		comparison.Live = other
	} else {
		comparison.Found = other
	}
	result, err := comparison.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestEveryRuleOfClaimsHasAnExample(t *testing.T) {
	rules := veleroRules(restoreOfNightly())
	shown := map[string]bool{}
	for _, example := range claimExamples() {
		t.Run(strings.ReplaceAll(example.rule+" "+example.path, "/", "_"), func(t *testing.T) {
			if result := example.compared(t, rules, "", ""); result.LossCount+result.DriftCount > 0 {
				t.Errorf("not expected: %v %v", result.Loss, result.Drift)
			}
			name := "velero: " + example.rule
			shown[name+"|"+example.path] = true
			others := slices.DeleteFunc(slices.Clone(rules), func(r objects.Rule) bool { return r.Name == name && r.Path == example.path })
			if len(others) != len(rules)-1 {
				t.Errorf("there are %d such rules", len(rules)-len(others))
			}
			if result := example.compared(t, others, "", ""); result.LossCount+result.DriftCount == 0 {
				t.Error("without the rule it is expected too")
			}
			for _, loss := range example.losses {
				wantedToo, ofWanted := strings.CutPrefix(loss, "wanted: ")
				foundToo := ""
				if !ofWanted {
					wantedToo, foundToo = "", loss
				}
				if result := example.compared(t, rules, wantedToo, foundToo); result.LossCount+result.DriftCount == 0 {
					t.Errorf("with %s there is nothing to tell, but %v", loss, result.Expected)
				}
			}
		})
	}
	for _, rule := range slices.Concat(backedUpClaimRules("nightly"), restoredClaimRules("0b1c")) {
		if !shown[rule.Name+"|"+rule.Path] {
			t.Errorf("rule %s %s of %v has no example", rule.Name, rule.Path, rule.Kinds)
		}
		if rule.Source == "" || rule.Why == "" {
			t.Errorf("rule %s %s has no source or no reason", rule.Name, rule.Path)
		}
	}
}

// What Velero restores of a claim with a CSI snapshot, and what it holds besides.
func TestACleanRestoreFromACSISnapshot(t *testing.T) {
	of := func(object string, patches ...string) string {
		result := parsed(t, object)
		for _, patch := range patches {
			result = merged(t, result, patch)
		}
		data, err := result.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	const bound = "{metadata: {annotations: {pv.kubernetes.io/bound-by-controller: 'yes'}}}"
	source := "{apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: " + restoredName("0b1c", "velero-data-x") + "}"
	wanted := []string{of(exampleClaim, "{"+marked+"}", bound), exampleSnapshot, of(exampleSnapshot, "{metadata: {name: before-upgrade, labels: null}}")}
	found := []string{of(wanted[0], "{metadata: {namespace: drill, uid: b, annotations: {velero.io/volume-snapshot-name: null}, labels: {velero.io/restore-name: gameday-1}}, "+
		"spec: {volumeName: pv-2, dataSource: "+source+", dataSourceRef: "+source+"}}")}
	for _, name := range []string{"velero-data-x", "before-upgrade"} {
		name = restoredName("0b1c", name)
		found = append(found, of(exampleSnapshot, "{metadata: {namespace: drill, uid: b, name: "+name+", labels: {velero.io/restore-name: gameday-1}, annotations: {velero.io/csi-vsc-deletion-policy: Retain}}, "+
			"spec: {source: {persistentVolumeClaimName: null, volumeSnapshotContentName: "+name+"}, volumeSnapshotClassName: null}}"))
	}
	result := drilled(t, wanted, found)
	// One that somebody made is called by its name in manifests.
	if result.LossCount != 2 || result.Equal != 2 || result.Loss[0].What != objects.Extra || result.Loss[1].Name != "before-upgrade" || !strings.Contains(result.Loss[1].Why, "under a name of its own making") {
		t.Errorf("%v", result.Loss)
	}
}
