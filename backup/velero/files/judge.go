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
// every change of content, name, owner or mode, and nobody can set them back. But a
// kubelet that applies an fsGroup changes the ctime of everything when a pod starts,
// and every excuse may hide a loss. So a ctime alone excuses little: see written,
// born, moved and arrived.
type judge struct {
	backedUp  int64 // what is later has changed since the backup
	usedSince int64 // what is later was changed by the restored application; 0: there was none
	blocks    bool  // the copy is of a snapshot, not of kopia
	fsGroup   *int64
	examples  int
	result    *PairResult
}

func newJudge(pair Pair, examples int, result *PairResult) judge {
	j := judge{backedUp: pair.BackedUpAt.UnixNano() - tick, blocks: pair.Blocks, fsGroup: pair.FSGroup, examples: examples, result: result}
	if !pair.UsedSince.IsZero() {
		j.usedSince = pair.UsedSince.UnixNano() - tick
	}
	return j
}

// touched says that anything of it has changed at the source since the backup.
func (j judge) touched(s *entry) bool { return s.ChangeTime > j.backedUp }

// used says that anything of it has changed at the copy since that was restored.
func (j judge) used(r *entry) bool { return r != nil && j.usedSince != 0 && r.ChangeTime > j.usedSince }

// born says that it was made at the source since the backup.
func (j judge) born(s *entry) bool { return s.BirthTime > j.backedUp }

// written says that the content of a file, or the list of names in a directory, has
// changed at the source since the backup: that sets the time of last modification,
// which a change of owner or mode leaves alone. A time that was set back is seen only
// if the file was made anew, as tar and rsync do.
func (j judge) written(s *entry) bool { return s.ModTime > j.backedUp && j.touched(s) || j.born(s) }

// moved says that a directory seems to have got its name since the backup: a rename
// changes its ctime and not its mtime, and the mtime of its parent. What is in it is
// then not what was backed up by that name, but what has been touched itself, as
// with everything that an fsGroup was applied to, must speak for itself.
func (j judge) moved(s *entry, in *directory) bool {
	switch {
	case s == nil || s.Type != Directory:
		return in.moved
	case !j.touched(s):
		return in.moved
	default:
		return s.ModTime <= j.backedUp && in.source != nil && j.written(in.source)
	}
}

// elsewhere says that what is there by this name was somewhere else at the backup.
func (j judge) elsewhere(s *entry, in *directory) bool { return in.moved && !j.touched(s) }

// arrived says that an entry may have come to where it is since the backup: then
// names in the directory have changed, too. A file that was written to in a directory
// that was not has been there before.
func (j judge) arrived(s *entry, in *directory) bool {
	return j.born(s) || j.elsewhere(s, in) || j.touched(s) && in.source != nil && j.written(in.source)
}

// root judges the volumes' own directories.
func (j judge) root(s, r *entry) *directory {
	j.count(s, r)
	d := &directory{path: root, source: s, restored: r}
	if s != nil && r != nil { // a root is there, or there was no stream
		j.both(d, s, r)
		d.blindSource, d.blindRestored = s.Error, r.Error
		d.cache = j.cache("", s, r)
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
	if rule := j.ruleFor(in, s, r); rule != "" {
		j.result.ignore(rule, 1)
		if rule == CacheDirectories {
			j.noteCache(in.cache)
		}
		if below != nil && rule == Marker {
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
		d.source, d.blindSource = s, orElse(s.Error, in.blindSource)
		d.cache = j.cache(in.cache, s, r)
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

// cache gives the highest directory on the way that kopia took for a cache, empty
// where there is none. A copy that has the tag was backed up as it was, unless its
// application has made it anew.
func (j judge) cache(above string, s, r *entry) string {
	if !j.blocks && above == "" && s.Cache && (r == nil || !r.Cache || j.used(r)) {
		return s.Path
	}
	return above
}

// ruleFor finds the rule that lets a path pass, whatever it is like. All are of what
// copies files one by one.
func (j judge) ruleFor(in *directory, s, r *entry) Rule {
	if j.blocks {
		return ""
	}
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
	if r == nil && in.cache != "" && in.cache != root {
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
	case in.cache == root:
		return Loss, "the volume has a CACHEDIR.TAG at its root: kopia backs up nothing of it"
	default:
		return Loss, ""
	}
}

// extra labels what the copy has and the source has not.
func (j judge) extra(r *entry, in *directory, above []*directory, gone bool) (Label, string) {
	switch there := nearest(above, func(d *directory) *entry { return d.source }); {
	case in.blindSource != "":
		return Unclear, "the directory of the source can't be read: " + in.blindSource
	case gone || in.moved, there != nil && j.touched(there.source):
		return Drift, "" // it may have been deleted at the source since
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
	since := func(excused bool) Label {
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
		add(Type, since(j.written(s) || j.arrived(s, in)), usedWhy(j.used(r)))
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
	if s.Type == File && s.Error == "" && r.Error == "" && s.SHA256 == r.SHA256 {
		j.result.SameContent++
	} else if s.Type == File && s.Error == "" && r.Error == "" {
		label, because := j.content(in, s, r, since(false), same)
		add(Content, label, because)
	}
	if s.Type == Symlink && s.Target != r.Target {
		add(Target, since(j.written(s) || j.arrived(s, in)), because)
	}
	otherMode := s.Type != Symlink && s.Mode != r.Mode // Linux has no modes of symbolic links
	otherOwner := s.UID != r.UID || s.GID != r.GID
	if (otherMode || otherOwner) && j.grouped(s, r) {
		j.result.ignore(FSGroup, 1)
		otherMode, otherOwner = false, false
	}
	if otherMode {
		add(Mode, since(changed), because)
	}
	if otherOwner {
		add(Owner, since(changed), because)
	}
	switch {
	case same && coarse:
		j.result.ignore(CoarseTime, 1)
	case same:
	case s.Type == Directory && !j.blocks: // what is in it is compared by itself
		j.result.ignore(DirectoryTime, 1)
	default:
		add(ModTime, since(changed), because)
	}
	switch {
	case j.blocks && s.Links != r.Links:
		add(Links, since(changed), because)
	case s.Links > 1 && r.Links <= 1:
		j.result.ignore(HardLinks, 1)
	}
	switch {
	case j.blocks && s.Attributes != r.Attributes:
		add(Extended, since(changed), because)
	case s.Attributes > r.Attributes:
		j.result.ignore(Attributes, 1)
	}
	if s.Sparse && !r.Sparse && s.SHA256 == r.SHA256 {
		j.result.ignore(Holes, 1)
	}
}

// grouped says that owner and mode of a copy are what a kubelet makes of the source's
// for the fsGroup of the restored pod (kubernetes, pkg/volume/volume_linux.go,
// changeFilePermission): one that is read-only gets less.
func (j judge) grouped(s, r *entry) bool {
	if j.fsGroup == nil || int64(r.GID) != *j.fsGroup || r.UID != s.UID {
		return false
	}
	for _, mask := range []uint32{0o660, 0o440} {
		if s.Type == Directory {
			mask |= 0o2110
		}
		if s.Type == Symlink || r.Mode == s.Mode|mask {
			return true
		}
	}
	return false
}

// content labels other content of a file. otherwise is the label if the source has
// nothing to say for itself.
func (j judge) content(in *directory, s, r *entry, otherwise Label, sameTime bool) (Label, string) {
	switch {
	case s.Changed || j.written(s) || j.elsewhere(s, in):
		return Drift, ""
	case !sameTime && j.arrived(s, in):
		return Drift, "" // another file got its name, as when logs are rotated
	case otherwise == Unclear:
		return Unclear, usedWhy(true)
	case r.Changed:
		return Unclear, "the copy is being written to"
	case !j.blocks && sameTime && s.Size == r.Size:
		return Loss, "both have the same size and time of modification: kopia takes such a file for unchanged since the backup before"
	case !sameTime && j.touched(s):
		return Unclear, "the source's was touched since the backup, yet its time of modification is older: either it was set back, or the copy is of another state"
	default:
		return Loss, ""
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
	if j.blocks {
		return
	}
	switch name := path.Base(s.Path); {
	case name == ".kopiaignore" && s.Type == File:
		j.noteOnce("the source has .kopiaignore files: what they list is not backed up (kopia, snapshot/policy/policy_tree.go)")
	case strings.HasSuffix(name, ".kopia-entry"):
		j.noteOnce("the source has names that end in .kopia-entry, which kopia takes for its own placeholders (fs/localfs/shallowentry.go)")
	case strings.ToValidUTF8(name, "") != name:
		j.noteOnce("the source has names that are no UTF-8: kopia keeps names in JSON, which has no others")
	}
}

// noteCache tells of a directory whose content is not in the backup; of many, the
// first will do, since all are counted.
func (j judge) noteCache(path string) {
	if len(j.result.Notes) < mostNotes {
		j.noteOnce(show(path) + " has a CACHEDIR.TAG: nothing in it is in the backup")
	}
}

// mostNotes bounds the notes about single directories.
const mostNotes = 10

func (j judge) noteOnce(note string) {
	if !slices.Contains(j.result.Notes, note) {
		j.result.Notes = append(j.result.Notes, note)
	}
}
