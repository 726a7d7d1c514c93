package files

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// tick is how far the kernel's time of a change may be behind its clock: it takes
// that of the last timer interrupt, of which there are a hundred a second or more.
const tick = int64(10 * time.Millisecond)

// judge labels what differs in one pair.
//
// What it knows of the time after the backup are ctimes: the kernel sets them with
// every change of content, name, owner or mode, and nobody can set them back. It
// never reads "changed since" more widely than it must, since every excuse may hide
// a loss: see written, moved and arrived.
type judge struct {
	backedUp  int64 // what is later has changed since the backup
	usedSince int64 // what is later was changed by the restored application; 0: there was none
	examples  int
	result    *PairResult
}

func newJudge(pair Pair, examples int, result *PairResult) judge {
	j := judge{backedUp: pair.BackedUpAt.UnixNano() - tick, examples: examples, result: result}
	if !pair.UsedSince.IsZero() {
		j.usedSince = pair.UsedSince.UnixNano() - tick
	}
	return j
}

// touched says that anything of it has changed at the source since the backup.
func (j judge) touched(s *entry) bool { return s.ChangeTime > j.backedUp }

// used says that anything of it has changed at the copy since that was restored.
func (j judge) used(r *entry) bool { return r != nil && j.usedSince != 0 && r.ChangeTime > j.usedSince }

// written says that the content of a file, or the list of names in a directory, may
// have changed at the source since the backup. A change of mode or owner alone, as a
// kubelet makes for an fsGroup, leaves the time of last modification that was
// backed up.
func (j judge) written(s, r *entry) bool {
	if !j.touched(s) {
		return false
	}
	if s.ModTime > j.backedUp || r == nil || s.Path == root || j.used(r) {
		return true
	}
	same, _ := sameTime(s.ModTime, r.ModTime)
	return !same
}

// moved says that a directory seems to have got its name since the backup: a rename
// changes its ctime and not its mtime, and the names in its parent.
func (j judge) moved(s *entry, in *directory) bool {
	return in.moved || s != nil && s.Type == Directory && j.touched(s) && s.ModTime <= j.backedUp &&
		in.source != nil && in.source.ModTime > j.backedUp
}

// arrived says that an entry may have come to where it is since the backup: then
// the directory has changed, too. A file that was written to in a directory that was
// not has been there before.
func (j judge) arrived(s *entry, in *directory) bool {
	return in.moved || j.touched(s) && in.source != nil && j.written(in.source, in.restored)
}

// root judges the volumes' own directories.
func (j judge) root(s, r *entry) *directory {
	j.count(s, r)
	d := &directory{path: root, source: s, restored: r}
	if s != nil && r != nil { // a root is there, or there was no stream
		j.both(d, s, r)
		d.blindSource, d.blindRestored, d.cache = s.Error, r.Error, s.Cache
	}
	return d
}

func (j judge) count(s, r *entry) {
	if s != nil {
		j.result.InSource.count(s)
		j.note(s)
	}
	if r != nil {
		j.result.InRestored.count(r)
	}
}

// entry judges one path in a directory, and returns it as a directory if it is one
// on either side. above are all from the root to the directory.
func (j judge) entry(in *directory, above []*directory, s, r *entry) *directory {
	j.count(s, r)
	var sourceGone, restoredGone bool
	if s != nil && s.Gone {
		s, sourceGone = nil, true
	}
	if r != nil && r.Gone {
		r, restoredGone = nil, true
	}
	if s == nil && r == nil {
		return nil
	}
	below := j.below(in, s, r)
	if rule := ruleFor(in, s, r); rule != "" {
		j.result.ignore(rule, 1)
		if below != nil && (rule == LostAndFound || rule == Marker) {
			below.ignored = rule
		}
		return below
	}
	switch {
	case r == nil:
		label, why := j.missing(s, in, above, restoredGone)
		j.list(label, []Kind{Missing}, s, nil, why, in, below)
	case s == nil:
		label, why := j.extra(r, in, above, sourceGone)
		j.list(label, []Kind{Extra}, nil, r, why, in, below)
	default:
		j.both(in, s, r)
	}
	return below
}

// below is the path as a directory, nil when it is none.
func (j judge) below(in *directory, s, r *entry) *directory {
	d := &directory{
		path: pathOf(s, r), ignored: in.ignored, cache: in.cache,
		blindSource: in.blindSource, blindRestored: in.blindRestored,
	}
	if s != nil && s.Type == Directory {
		d.source, d.blindSource, d.cache = s, orElse(s.Error, in.blindSource), in.cache || s.Cache
	}
	if r != nil && r.Type == Directory {
		d.restored, d.blindRestored = r, orElse(r.Error, in.blindRestored)
	}
	if d.source == nil && d.restored == nil {
		return nil
	}
	d.moved = j.moved(s, in)
	return d
}

// ruleFor finds the rule that lets a path pass, whatever it is like.
func ruleFor(in *directory, s, r *entry) Rule {
	if in.ignored != "" {
		return in.ignored
	}
	only := s
	if s == nil {
		only = r
	}
	if in.path == root && only.Path == ".velero" {
		return Marker
	}
	if in.path == root && only.Path == "lost+found" && (s == nil || s.Type == Directory) && (r == nil || r.Type == Directory) {
		return LostAndFound
	}
	if s != nil && r != nil && s.Type != r.Type {
		return ""
	}
	switch only.Type {
	case Socket:
		return Sockets
	case FIFO:
		return FIFOs
	case Device:
		return Devices
	}
	if r == nil && in.cache {
		return CacheDirectories
	}
	return ""
}

// nearest finds the lowest directory on the way that a side has.
func nearest(above []*directory, of func(*directory) *entry) *directory {
	for _, d := range slices.Backward(above) {
		if of(d) != nil {
			return d
		}
	}
	return nil
}

// missing labels what the source has and the copy has not.
func (j judge) missing(s *entry, in *directory, above []*directory, gone bool) (Label, string) {
	switch there := nearest(above, func(d *directory) *entry { return d.restored }); {
	case in.blindRestored != "":
		return Unclear, "the directory of the copy can't be read: " + in.blindRestored
	case gone:
		return Unclear, "the copy's went while it was looked at"
	case s.Type == Unknown:
		return Unclear, "the source's can't be looked at: " + s.Error
	case j.arrived(s, in):
		return Drift, ""
	case there != nil && j.used(there.restored):
		return Unclear, "the restored application may have deleted it"
	default:
		return Loss, ""
	}
}

// extra labels what the copy has and the source has not.
func (j judge) extra(r *entry, in *directory, above []*directory, gone bool) (Label, string) {
	switch there := nearest(above, func(d *directory) *entry { return d.source }); {
	case in.blindSource != "":
		return Unclear, "the directory of the source can't be read: " + in.blindSource
	case gone || in.moved, there != nil && j.written(there.source, there.restored):
		return Drift, "" // deleted at the source since
	case j.used(r) && in.restored != nil && j.used(in.restored):
		return Drift, "the restored application has made it"
	default:
		return Loss, ""
	}
}

// both labels what is different in what both sides have.
func (j judge) both(in *directory, s, r *entry) {
	found := map[Label][]Kind{}
	why := map[Label]string{}
	add := func(kind Kind, label Label, because string) {
		found[label] = append(found[label], kind)
		why[label] = orElse(why[label], because)
	}
	changed := j.touched(s) || in.moved
	since := func(excused bool) Label { // of what has no time of its own
		switch {
		case excused:
			return Drift
		case j.used(r):
			return Unclear
		default:
			return Loss
		}
	}
	if problem := unreadable(s, r); problem != "" {
		add(Unreadable, Unclear, problem)
	}
	switch {
	case s.Type == Unknown || r.Type == Unknown:
	case s.Type != r.Type:
		add(Type, since(changed), usedWhy(j.used(r)))
	default:
		j.sameType(in, s, r, since, add)
	}
	if len(found) == 0 {
		j.result.Equal++
		if s.Type == File {
			j.result.EqualBytes += s.Size
		}
		return
	}
	for _, label := range []Label{Loss, Drift, Unclear} {
		if kinds := found[label]; len(kinds) > 0 {
			j.list(label, kinds, s, r, why[label], in, nil)
		}
	}
}

func unreadable(s, r *entry) string {
	var problems []string
	if s.Error != "" {
		problems = append(problems, "the source: "+s.Error)
	}
	if r.Error != "" {
		problems = append(problems, "the copy: "+r.Error)
	}
	return strings.Join(problems, "; ")
}

func usedWhy(used bool) string {
	if used {
		return "the restored application has changed it"
	}
	return ""
}

func (j judge) sameType(in *directory, s, r *entry, since func(bool) Label, add func(Kind, Label, string)) {
	changed := j.touched(s) || in.moved
	because := usedWhy(j.used(r))
	same, coarse := sameTime(s.ModTime, r.ModTime)
	if s.Type == File && s.Error == "" && r.Error == "" && s.SHA256 != r.SHA256 {
		label := since(s.Changed || j.written(s, r) || in.moved)
		if label == Loss && r.Changed {
			label, because = Unclear, "the copy is being written to"
		}
		if label == Loss && same && s.Size == r.Size {
			because = "both have the same size and time of modification: kopia takes such a file for unchanged since the backup before"
		}
		add(Content, label, because)
	}
	if s.Type == Symlink && s.Target != r.Target {
		add(Target, since(changed), because)
	}
	if s.Type != Symlink && s.Mode != r.Mode { // Linux has no modes of symbolic links
		add(Mode, since(changed), because)
	}
	if s.UID != r.UID || s.GID != r.GID {
		add(Owner, since(changed), because)
	}
	switch {
	case same && coarse:
		j.result.ignore(CoarseTime, 1)
	case same:
	case s.Path == root:
		j.result.ignore(RootTime, 1)
	case s.Type == Directory && !changed: // what is in it is compared by itself
		j.result.ignore(DirectoryTime, 1)
	default:
		add(ModTime, since(changed), because)
	}
	if s.Links > 1 && r.Links <= 1 {
		j.result.ignore(HardLinks, 1)
	}
	if s.Attributes > r.Attributes {
		j.result.ignore(Attributes, 1)
	}
	if s.Sparse && !r.Sparse && s.SHA256 == r.SHA256 {
		j.result.ignore(Holes, 1)
	}
}

// sameTime compares a time with its copy, which may be on a file system that keeps
// less of it and cuts the rest off. For symbolic links kopia rounds up to
// microseconds (snapshot/restore/local_fs_output_unix.go, by unix.NsecToTimeval).
func sameTime(source, restored int64) (same, coarse bool) {
	behind := source - restored
	if behind == 0 {
		return true, false
	}
	if restored%int64(time.Microsecond) == 0 && max(behind, -behind) < int64(time.Microsecond) {
		return true, true
	}
	for _, unit := range []time.Duration{100, time.Millisecond, time.Second} {
		if restored%int64(unit) == 0 && behind > 0 && behind < int64(unit) {
			return true, true
		}
	}
	return false, false
}

// list counts a difference, and keeps it if it is among the first of its label.
// What is missing or extra with its directory is counted there.
func (j judge) list(label Label, kinds []Kind, s, r *entry, why string, in, below *directory) {
	for _, kind := range kinds {
		j.result.different(label, kind, 1)
	}
	one := kinds[0] == Missing || kinds[0] == Extra
	if one && in.listed != nil && in.listed.label == label && in.listed.kind == kinds[0] {
		in.listed.difference.Below++
		if below != nil {
			below.listed = in.listed
		}
		return
	}
	d := &Difference{Path: show(pathOf(s, r)), Kinds: kinds, Source: state(s), Restored: state(r), Why: why}
	if one && below != nil {
		below.listed = &listed{difference: d, label: label, kind: kinds[0]}
	}
	if len(j.result.Differences[label]) >= j.examples {
		return
	}
	if j.result.Differences == nil {
		j.result.Differences = map[Label][]*Difference{}
	}
	j.result.Differences[label] = append(j.result.Differences[label], d)
}

func state(e *entry) *State {
	if e == nil {
		return nil
	}
	s := &State{Type: e.Type, Size: e.Size, SHA256: e.SHA256, UID: e.UID, GID: e.GID, Error: e.Error, Target: show(e.Target)}
	if e.Type != Unknown {
		s.Mode = fmt.Sprintf("%04o", e.Mode)
		s.ModTime = time.Unix(0, e.ModTime).UTC().Format(time.RFC3339Nano)
	}
	return s
}

// note tells of names that kopia gives a meaning of its own.
func (j judge) note(s *entry) {
	switch name := path.Base(s.Path); {
	case name == ".kopiaignore" && s.Type == File:
		j.noteOnce("the source has .kopiaignore files: what they list is not backed up (kopia, snapshot/policy/policy_tree.go)")
	case strings.HasSuffix(name, ".kopia-entry"):
		j.noteOnce("the source has names that end in .kopia-entry, which kopia takes for its own placeholders (fs/localfs/shallowentry.go)")
	case strings.ToValidUTF8(name, "") != name:
		j.noteOnce("the source has names that are no UTF-8: kopia keeps names in JSON, which has no others")
	}
}

func (j judge) noteOnce(note string) {
	if !slices.Contains(j.result.Notes, note) {
		j.result.Notes = append(j.result.Notes, note)
	}
}
