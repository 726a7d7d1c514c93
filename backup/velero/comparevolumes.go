package velero

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
)

// eventFiles is what the comparison of files found; the rung is what is judged.
const eventFiles = "velero.files" // payload files.Result

// compareVolumes is the rung of content: every volume was in the backup, was
// restored, and, when asked, holds the files that it held.
func (c *climb) compareVolumes(ctx context.Context) backup.Rung {
	wanted := slices.DeleteFunc(slices.Clone(c.volumes), c.isIgnored)
	restores, err := c.velero.VolumeRestores(ctx, c.plan.Own)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	snapshots, err := c.snapshotRestores(ctx, wanted)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	found, whole := weighVolumes(wanted, restores, snapshots)
	if ignored := len(c.volumes) - len(wanted); ignored > 0 {
		found.Summary += fmt.Sprintf("; %d are ignored", ignored)
	}
	if c.spec.Volumes.Compare && len(whole) > 0 {
		found = with(found, c.compareFiles(ctx, whole))
	}
	found.Problems = capped(found.Problems)
	return found
}

// weighVolumes says what Velero's own records say of each volume, and which came
// back whole by them. A claim that several pods mount is among those once.
func weighVolumes(volumes []volumeBackup, restores []velerov1.PodVolumeRestore, snapshots snapshotRestores) (found backup.Rung, whole []volumeBackup) {
	var problems, doubts, notes []string
	byFiles, bySnapshot, bytes := 0, 0, int64(0)
	for _, volume := range volumes {
		problem, doubt := "not in the backup: "+volume.Lost, ""
		switch {
		case volume.Lost != "":
		case volume.Snapshot != nil:
			problem, doubt = snapshots.of(volume)
		default:
			problem = filesOf(volume, restores)
		}
		switch {
		case problem != "":
			problems = append(problems, fmt.Sprintf("%s: %s", volume, problem))
			continue
		case doubt != "":
			doubts = append(doubts, fmt.Sprintf("%s: %s", volume, doubt))
			continue
		case slices.ContainsFunc(whole, func(v volumeBackup) bool { return volume.Claim != "" && v.Claim == volume.Claim }):
			continue
		}
		whole = append(whole, volume)
		if volume.Snapshot != nil {
			bySnapshot++
			continue
		}
		byFiles++
		size := volume.Files.Status.Progress.TotalBytes
		bytes += size
		if size == 0 {
			notes = append(notes, fmt.Sprintf("%s: empty when it was backed up, or all its files were", volume))
		}
	}
	found = backup.Held("%d volumes, %d of them restored by files, %s, and %d from snapshots", len(volumes), byFiles, backup.Bytes(bytes), bySnapshot)
	if len(problems) > 0 {
		found = naming(backup.Broken("the content of %d of %d volumes is lost", len(problems), len(volumes)), problems)
	}
	if len(doubts) > 0 {
		found = with(found, naming(backup.Unsure("whether %d of %d volumes were restored can't be told", len(doubts), len(volumes)), doubts))
	}
	found.Notes = capped(notes)
	return found, whole
}

// with adds what else is known. A volume that is lost, or can't be compared, is no
// reason not to look into the others.
func with(found, more backup.Rung) backup.Rung {
	found.Verdict = verify.Worse(found.Verdict, more.Verdict)
	found.Summary += "; " + more.Summary
	found.Problems = slices.Concat(found.Problems, more.Problems)
	found.ProblemCount += more.ProblemCount
	found.Notes = slices.Concat(found.Notes, more.Notes)
	found.Hints = slices.Concat(found.Hints, more.Hints)
	return found
}

func (c *climb) isIgnored(volume volumeBackup) bool {
	names := func(name string) bool { return name != "" && (name == volume.Claim || name == volume.Name) }
	return slices.ContainsFunc(c.spec.Volumes.Ignore, names)
}

// filesOf says why the files of a volume did not come back; empty when they did.
// Velero counts the bytes of files on both ways.
func filesOf(volume volumeBackup, restores []velerov1.PodVolumeRestore) string {
	taken := volume.Files
	if taken.Status.SnapshotID == "" { // restic takes no snapshot of an empty volume
		return ""
	}
	at := slices.IndexFunc(restores, func(r velerov1.PodVolumeRestore) bool {
		return r.Spec.Pod.Name == taken.Spec.Pod.Name && r.Spec.Volume == taken.Spec.Volume
	})
	if at < 0 {
		return "in the backup, and Velero did not restore it"
	}
	restore := restores[at]
	switch done, want := restore.Status.Progress.BytesDone, taken.Status.Progress.TotalBytes; {
	case restore.Status.Phase != velerov1.PodVolumeRestorePhaseCompleted:
		return fmt.Sprintf("its restore ended %s: %s", orNew(string(restore.Status.Phase)), restore.Status.Message)
	case restore.Spec.SnapshotID != taken.Status.SnapshotID:
		return "restored from another snapshot than this backup's"
	case done == 0 && want > 0:
		return fmt.Sprintf("restored empty, %d bytes were backed up", want)
	case done < want:
		return fmt.Sprintf("%d of %d bytes were restored", done, want)
	default:
		return ""
	}
}

// compareFiles looks into the volumes on their nodes.
func (c *climb) compareFiles(ctx context.Context, volumes []volumeBackup) backup.Rung {
	pairs, gone, err := c.pairs(ctx, volumes)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	var found backup.Rung
	switch {
	case len(gone) == 0:
		found = c.comparePairs(ctx, pairs)
	case len(pairs) == 0:
		found = notOnBothSides(gone)
	default:
		found = with(notOnBothSides(gone), c.comparePairs(ctx, pairs))
	}
	if slices.ContainsFunc(volumes, func(v volumeBackup) bool { return v.Snapshot != nil }) {
		found.Notes = append(found.Notes, "in volumes from snapshots, what has changed at the original since the backup began, by Velero's clock, is taken for drift")
	}
	return found
}

func notOnBothSides(gone []string) backup.Rung {
	return naming(backup.Unsure("%d volumes can't be compared with the original", len(gone)), gone,
		"files are looked at where pods mount them: one that none mounts can be named in volumes.ignore")
}

func (c *climb) comparePairs(ctx context.Context, pairs []files.Pair) backup.Rung {
	at := 0
	tell := backup.NowAndThen(func(n int64) { c.Progress("volume %d of %d: %d files compared", at+1, len(pairs), n) })
	result, err := files.Compare(ctx, files.Options{
		Client: c.env.Client, Exec: c.env.Exec, Image: c.env.Image, Namespace: experiments.Namespace, RunID: c.env.RunID,
		KubeletRoot: c.spec.Volumes.KubeletRoot, Pairs: pairs, Fuse: orDefault(c.spec.Timeout, defaultTimeout) + time.Hour,
		Progress: func(p files.Progress) { at = p.Pair; tell(p.Restored.Files) },
	})
	c.env.Record.Record(eventFiles, result)
	return weighFiles(result, err)
}

// weighFiles says what a comparison of files means. What cannot be told from a loss
// is none, and no pass either.
func weighFiles(result files.Result, err error) backup.Rung {
	found := weighDifferences(result, err)
	found.Notes = fileNotes(result)
	return found
}

func weighDifferences(result files.Result, err error) backup.Rung {
	total := result.Total()
	lost, unclear := total.Of(files.Loss), total.Of(files.Unclear)
	var problems []string
	more := lost + unclear // differences of which there is no line
	for _, label := range []files.Label{files.Loss, files.Unclear} {
		for _, pair := range result.Pairs {
			for _, difference := range pair.Differences[label] {
				problems = append(problems, fmt.Sprintf("%s: %s", pair.Restored, describe(difference)))
				more -= int64(len(difference.Kinds)) + difference.Below
			}
		}
	}
	var untold []string
	for _, pair := range result.Pairs {
		why := pair.NotComparable + pair.Error
		if why == "" && pair.Untold() {
			why = fmt.Sprintf("of %d files, and %d in the copy, none has the same content on both sides", pair.InSource.Files, pair.InRestored.Files)
		}
		if why != "" {
			untold = append(untold, fmt.Sprintf("%s: %s", pair.Restored, why))
		}
	}
	var found backup.Rung
	switch {
	case lost > 0:
		found = backup.Broken("%d losses in the files of %d volumes", lost, len(result.Pairs))
	case err != nil:
		found = backup.Unsure("comparing files: %v", err)
	case len(untold) > 0 || unclear > 0:
		found = backup.Unsure("%d files and %d volumes can't be told", unclear, len(untold))
		problems = append(untold, problems...)
	case total.Equal == 0:
		found = backup.Unsure("no file could be compared")
	default:
		return backup.Held("%d files and directories of %d volumes are equal, %s by sha256; %d differences are expected by rule, %d have changed at the original since",
			total.Equal, len(result.Pairs), backup.Bytes(total.EqualBytes), passed(total), total.Of(files.Drift))
	}
	found = naming(found, problems)
	found.ProblemCount += max(0, more)
	return found
}

// passed counts what rules let pass.
func passed(total files.Tally) int64 {
	sum := int64(0)
	for _, n := range total.Ignored {
		sum += n
	}
	return sum
}

// fileNotes are what rules let pass, and what else is to be known of a volume.
func fileNotes(result files.Result) []string {
	var notes []string
	total := result.Total()
	for _, rule := range files.Explanations() {
		if n := total.Ignored[rule.Rule]; n > 0 {
			notes = append(notes, fmt.Sprintf("%d by rule %s: %s", n, rule.Rule, rule.Passes))
		}
	}
	if len(notes) > 0 {
		notes = slices.Insert(notes, 0, fmt.Sprintf("%d differences in files are let pass:", passed(total)))
	}
	for _, pair := range result.Pairs {
		for _, note := range pair.Notes {
			notes = append(notes, fmt.Sprintf("%s: %s", pair.Restored, note))
		}
	}
	return capped(notes)
}

// describe gives one line: `etc/passwd: content, mode (why)`.
func describe(difference *files.Difference) string {
	var kinds []string
	for _, kind := range difference.Kinds {
		kinds = append(kinds, string(kind))
	}
	line := difference.Path + ": " + strings.Join(kinds, ", ")
	if difference.Below > 0 {
		line += fmt.Sprintf(", with %d below it", difference.Below)
	}
	if difference.Why != "" {
		line += " (" + difference.Why + ")"
	}
	return line
}
