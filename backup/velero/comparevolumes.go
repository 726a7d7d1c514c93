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
	restores, err := c.velero.VolumeRestores(ctx, c.plan.Own)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	var problems []string
	var whole []restoredVolume
	ignored, bytes := 0, int64(0)
	for _, volume := range c.volumes {
		if c.isIgnored(volume) {
			ignored++
			continue
		}
		restore, problem := restoredBy(volume, restores)
		if problem != "" {
			problems = append(problems, fmt.Sprintf("%s: %s", volume, problem))
			continue
		}
		if restore != nil {
			bytes += restore.Status.Progress.BytesDone
			whole = append(whole, restoredVolume{volume, restore})
		}
	}
	found := backup.Held("%d volumes, files of %d of them restored, %s", len(c.volumes), len(whole), backup.Bytes(bytes))
	if len(problems) > 0 {
		found = backup.Broken("the content of %d of %d volumes is lost", len(problems), len(c.volumes))
		found.Problems, found.ProblemCount = problems, int64(len(problems))
	}
	if ignored > 0 {
		found.Summary += fmt.Sprintf("; %d are ignored", ignored)
	}
	if c.spec.Volumes.Compare && len(whole) > 0 {
		found = with(found, c.compareFiles(ctx, whole))
	}
	found.Problems = capped(found.Problems)
	return found
}

// with adds what else is known. A volume that is lost, or can't be compared, is no
// reason not to look into the others.
func with(found, more backup.Rung) backup.Rung {
	found.Verdict = verify.Worse(found.Verdict, more.Verdict)
	found.Summary += "; " + more.Summary
	found.Problems = slices.Concat(found.Problems, more.Problems)
	found.ProblemCount += more.ProblemCount
	found.Notes = slices.Concat(found.Notes, more.Notes)
	return found
}

// restoredVolume is a volume whose files Velero says it has restored.
type restoredVolume struct {
	volumeBackup
	restore *velerov1.PodVolumeRestore
}

func (c *climb) isIgnored(volume volumeBackup) bool {
	names := func(name string) bool { return name == volume.Claim || name == volume.Name }
	return slices.ContainsFunc(c.spec.Volumes.Ignore, names)
}

// restoredBy finds what brought the content of a volume back. The restore is nil
// for one that did not come from files.
func restoredBy(volume volumeBackup, restores []velerov1.PodVolumeRestore) (*velerov1.PodVolumeRestore, string) {
	if volume.Lost != "" {
		return nil, "not in the backup: " + volume.Lost
	}
	if volume.Files == nil {
		return nil, ""
	}
	at := slices.IndexFunc(restores, func(r velerov1.PodVolumeRestore) bool {
		return r.Spec.Pod.Name == volume.Pod && r.Spec.Volume == volume.Name
	})
	if at < 0 {
		return nil, "in the backup, and Velero did not restore it"
	}
	restore := &restores[at]
	switch done, want := restore.Status.Progress.BytesDone, volume.Files.Status.Progress.TotalBytes; {
	case restore.Status.Phase != velerov1.PodVolumeRestorePhaseCompleted:
		return nil, fmt.Sprintf("its restore ended %s: %s", orNew(string(restore.Status.Phase)), restore.Status.Message)
	case restore.Spec.SnapshotID != volume.Files.Status.SnapshotID:
		return nil, "restored from another snapshot than this backup's"
	case done < want:
		return nil, fmt.Sprintf("%d of %d bytes were restored", done, want)
	default:
		return restore, ""
	}
}

// compareFiles looks into the volumes on their nodes.
func (c *climb) compareFiles(ctx context.Context, volumes []restoredVolume) backup.Rung {
	pairs, gone, err := c.pairs(ctx, volumes)
	if err != nil {
		return backup.Unsure("%v", err)
	}
	if len(gone) > 0 {
		found := backup.Unsure("%d volumes can't be compared with the original", len(gone))
		found.Problems, found.ProblemCount = gone, int64(len(gone))
		if len(pairs) == 0 {
			return found
		}
		return with(found, c.comparePairs(ctx, pairs))
	}
	return c.comparePairs(ctx, pairs)
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
	for _, label := range []files.Label{files.Loss, files.Unclear} {
		for _, pair := range result.Pairs {
			for _, difference := range pair.Differences[label] {
				problems = append(problems, fmt.Sprintf("%s: %s", pair.Restored, describe(difference)))
			}
		}
	}
	var untold []string
	for _, pair := range result.Pairs {
		if why := pair.NotComparable + pair.Error; why != "" {
			untold = append(untold, fmt.Sprintf("%s: %s", pair.Restored, why))
		}
	}
	var found backup.Rung
	switch {
	case lost > 0:
		found = backup.Broken("%d losses in the files of %d volumes", lost, len(result.Pairs))
		found.ProblemCount = max(lost+unclear, int64(len(problems)))
	case err != nil:
		found = backup.Unsure("comparing files: %v", err)
		found.ProblemCount = int64(len(problems))
	case len(untold) > 0 || unclear > 0:
		found = backup.Unsure("%d files and %d volumes can't be told", unclear, len(untold))
		problems = append(untold, problems...)
		found.ProblemCount = max(unclear, int64(len(problems)))
	case total.Equal == 0:
		found = backup.Unsure("no file could be compared")
	default:
		return backup.Held("%d files and directories of %d volumes are equal, %s by sha256; %d differences are expected by rule, %d have changed at the original since",
			total.Equal, len(result.Pairs), backup.Bytes(total.EqualBytes), passed(total), total.Of(files.Drift))
	}
	found.Problems = capped(problems)
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
