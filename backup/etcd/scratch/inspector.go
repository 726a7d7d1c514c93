package scratch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"gameday.dev/gameday/internal/snapshots"
)

// inspectRequest is what the child is asked.
type inspectRequest struct {
	Path   string     `json:"path"`
	Prefix string     `json:"prefix"`
	Known  *KnownHash `json:"known,omitempty"`
}

// inspect reads a snapshot, in the child. It hashes and walks at the same time:
// both are bound by the processor once the file is in memory.
func inspect(ctx context.Context, r inspectRequest) (Inspection, error) {
	file, err := os.Open(r.Path)
	if err != nil {
		return Inspection{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Inspection{}, err
	}
	if !info.Mode().IsRegular() {
		return Inspection{}, fmt.Errorf("%s is no file", r.Path)
	}
	result := Inspection{Size: info.Size()}
	if r.Known != nil && r.Known.Size != result.Size {
		return Inspection{}, fmt.Errorf("%s has %d bytes, and %d were written", r.Path, result.Size, r.Known.Size)
	}
	var group errgroup.Group
	group.Go(func() error { return result.hash(ctx, r) })
	walked, err := result.read(ctx, file)
	if other := group.Wait(); err == nil {
		err = other
	}
	if err != nil {
		return Inspection{}, err
	}
	result.take(walked)
	return result, nil
}

// hash tells the sums of the file, unless they are known.
func (i *Inspection) hash(ctx context.Context, r inspectRequest) error {
	if r.Known != nil {
		i.SHA256, i.Trailer = r.Known.SHA256, r.Known.trailer()
		return nil
	}
	sums, err := snapshots.Sum(ctx, r.Path)
	i.SHA256, i.Trailer = sums.Whole, trailer(sums.Trailer, sums.Fits)
	return err
}

// walked is what a walk has found.
type walked struct {
	damage *damage
	db     *database // nil when there was nothing to walk through
}

// read walks the database in the file.
func (i *Inspection) read(ctx context.Context, file *os.File) (walked, error) {
	size := i.Size
	if snapshots.HasTrailer(size) {
		size -= snapshots.TrailerSize
	}
	w := walked{damage: &damage{}}
	if size == 0 {
		w.damage.add(0, "it is empty")
		return w, nil
	}
	data, release, err := mapFile(file, size)
	if err != nil {
		return w, fmt.Errorf("reading %s: %w", file.Name(), err)
	}
	defer release()
	return w, w.walk(ctx, data)
}

func (w *walked) walk(ctx context.Context, data []byte) error {
	var l *layout
	if err := safely(func() { l = readLayout(data, w.damage) }); err != nil || l == nil {
		return err
	}
	db, err := newWalk(ctx, l, w.damage, runtime.GOMAXPROCS(0)).readDatabase()
	w.db = db
	return err
}

// take writes down what was found, the file being at rest.
func (i *Inspection) take(w walked) {
	i.Damage, i.DamageCount = w.damage.named(), w.damage.count
	if w.db == nil {
		return
	}
	i.Pages = int64(w.db.layout.pages)
	i.Revisions = w.db.entries.count
	i.Compacted = w.db.facts.compacted
	// A member begins at its last compaction when that took the newest changes;
	// see restore in server/storage/mvcc/kvstore.go. An empty one is at revision 1.
	i.Revision = max(w.db.entries.newest, i.Compacted, 1)
	i.Version = w.db.facts.version
	i.Alarms = w.db.facts.alarms
	if i.DamageCount == 0 { // damaged entries are missing too, and that is told already
		i.Torn = w.db.entries.torn(i.Compacted)
	}
	slices.SortFunc(w.db.facts.members, func(a, b member) int { return cmp.Compare(a.ID, b.ID) })
	for _, m := range w.db.facts.members {
		i.MemberIDs = append(i.MemberIDs, m.ID)
		i.MemberNames = append(i.MemberNames, m.Name)
	}
}

// runInspect answers twice: first with what is wrong with the file, then with
// how old it is.
func runInspect(ctx context.Context, r inspectRequest, stdout io.Writer) error {
	result, err := inspect(ctx, r)
	if err != nil {
		return err
	}
	if err := answer(stdout, reply{Inspection: &result}); err != nil {
		return err
	}
	content, err := snapshots.ReadContent(r.Path, r.Prefix)
	age := contentReply{At: content.At, Source: content.Source}
	if err != nil {
		age.Error = err.Error()
	}
	return answer(stdout, reply{Content: &age})
}

// errNoAnswer is a child that ended well and has not said all.
var errNoAnswer = errors.New("it ended without an answer")
