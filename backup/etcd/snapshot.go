package etcd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/snapshots"
	"gameday.dev/gameday/verify"
)

// unverified ends the name of a snapshot that has not been looked at yet, so
// that nobody takes it for one.
const unverified = ".unverified"

// snapshotPlan is what Inject and Undo need to know.
type snapshotPlan struct {
	Directory string `json:"directory"`
	// Draft is where the stream goes until it is verified.
	Draft string `json:"draft"`
	Place place  `json:"place"`
}

// Plan refuses when there is no etcd, no directory or no space.
func (s *Snapshot) Plan(ctx context.Context, env experiments.Env) (experiments.Plan, error) {
	size, plan, err := planLive(ctx, env)
	if err != nil {
		return experiments.Plan{}, err
	}
	directory, err := directoryOf(s.Directory, env)
	if err != nil {
		return experiments.Plan{}, err
	}
	if err := enoughSpace(directory, size, &plan); err != nil {
		return experiments.Plan{}, err
	}
	own := snapshotPlan{Directory: directory, Place: placeOf(directory, env)}
	own.Draft = filepath.Join(directory, fmt.Sprintf(".gameday-%s-%08x%s", env.RunID, env.Rand.Uint32(), unverified))
	plan.Targets = []journal.Target{{Kind: targetKind, Name: directory}}
	if s.Keep != nil {
		plan.Notes = append(plan.Notes, fmt.Sprintf("keeps the newest %d of its own snapshots in %s", *s.Keep, directory))
	}
	return plan, plan.SetData(own)
}

// Inject takes a snapshot, verifies it, and only then gives it its name.
func (s *Snapshot) Inject(ctx context.Context, env experiments.Env, plan experiments.Plan) (journal.Outcome, error) {
	var own snapshotPlan
	if err := plan.GetData(&own); err != nil {
		return journal.Outcome{}, err
	}
	cluster, err := live.Connect(*env.Etcd)
	if err != nil {
		return journal.Outcome{}, err
	}
	defer cluster.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, timeoutOf(s.Timeout), backup.ErrTimeout)
	defer cancel()
	taking := &taking{Teller: backup.Teller{Record: env.Record}, spec: s, env: env, plan: own, cluster: cluster}
	path, err := taking.store(ctx)
	switch {
	case ctx.Err() != nil && err != nil && !errors.Is(context.Cause(ctx), backup.ErrTimeout):
		return journal.Outcome{}, context.Cause(ctx)
	case err != nil:
		return journal.Outcome{State: journal.Failed, Summary: err.Error()}, nil
	}
	return journal.Outcome{State: journal.Done, Expected: true, Summary: "stored " + path}, nil
}

// Settle has nothing to wait for: a snapshot disturbs nothing.
func (s *Snapshot) Settle(context.Context, experiments.Env, experiments.Plan) (journal.Settled, error) {
	return journal.Settled{Recovered: true}, nil
}

// Undo removes what was being written. A snapshot that has its name stays.
func (s *Snapshot) Undo(_ context.Context, env experiments.Env, plan experiments.Plan) (string, error) {
	var own snapshotPlan
	if err := plan.GetData(&own); err != nil {
		return "", err
	}
	if name, ok := strings.CutSuffix(strings.TrimPrefix(filepath.Base(own.Draft), "."), unverified); !ok || !isHome(filepath.Join(filepath.Dir(own.Draft), name), env.RunID) {
		return "", experiments.Lasting(fmt.Errorf("removing %q: it is no draft of run %s: look at it, and remove it by hand", own.Draft, env.RunID))
	}
	removed := false
	for _, path := range []string{own.Draft, own.Draft + ".part"} {
		err := os.Remove(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("removing an unfinished snapshot: %w: finish it with rm -f %s", err, path)
		}
		removed = removed || err == nil
	}
	if removed {
		return "unfinished snapshot removed", nil
	}
	return own.Place.gone("unfinished snapshot", own.Draft, env)
}

// taking is one snapshot being taken.
type taking struct {
	backup.Teller
	spec    *Snapshot
	env     experiments.Env
	plan    snapshotPlan
	cluster *live.Cluster
}

// store writes what it finds on each rung and returns the path of the snapshot
// that was stored, or why none was.
func (t *taking) store(ctx context.Context) (string, error) {
	members := compareMembers(ctx, t.cluster)
	members.Name = rungMembers
	t.Rung(members)
	began := time.Now()
	taken, err := t.cluster.Save(ctx, t.cluster.Members(ctx), t.plan.Draft, backup.NowAndThen(func(n int64) {
		t.Progress("%s streamed", backup.Bytes(n))
	}))
	if err != nil {
		return "", t.fail(rungSnapshot, began, backup.Broken("no snapshot was taken: %v", err))
	}
	defer os.Remove(t.plan.Draft) // nothing is left of it once it has its name
	found := tookSnapshot(taken)
	found.Name, found.Seconds = rungSnapshot, time.Since(began).Seconds()
	t.Rung(found)
	t.Found(backup.Found{At: taken.At.UTC(), AtSource: "taken by this run", Facts: factsOf(taken)})
	return t.verify(ctx, taken)
}

// verify looks at the snapshot and gives it its name when it is whole.
func (t *taking) verify(ctx context.Context, taken live.Taken) (string, error) {
	began := time.Now()
	inspection, err := scratch.InspectKnown(ctx, t.env.Machine.Program, t.plan.Draft, t.env.Etcd.Prefix,
		scratch.KnownHash{SHA256: taken.SHA256, Size: taken.Size, TrailerOK: true})
	if err != nil {
		return "", t.fail(rungIntegrity, began, backup.Broken("the snapshot could not be verified, and is not kept: %v", err))
	}
	found := whole(t.plan.Draft, inspection, nil)
	if found.Verdict != verify.Pass {
		return "", t.fail(rungIntegrity, began, found)
	}
	found.Problems = nil // it has no sidecar yet
	path, err := keep(t.plan.Draft, t.series(taken), taken)
	if err != nil {
		return "", t.fail(rungIntegrity, began, backup.Broken("the snapshot could not be stored: %v", err))
	}
	t.Found(backup.Found{Facts: inspectedFacts(path, inspection)})
	found.Name, found.Seconds = rungIntegrity, time.Since(began).Seconds()
	found.Hints = t.prune(path, t.series(taken))
	t.Rung(found)
	return path, nil
}

// series names the snapshots of one cluster: by what people call it, and by
// the id that etcd gave it, since kubeadm calls every cluster the same.
func (t *taking) series(taken live.Taken) string {
	return fmt.Sprintf("%s-%08x", t.env.Cluster, uint32(taken.ClusterID))
}

// keep gives a draft its name, with its sha256 beside it. A name holds seconds;
// one that is taken is not replaced.
func keep(draft, series string, taken live.Taken) (path string, err error) {
	directory := filepath.Dir(draft)
	for at := taken.At; ; at = at.Add(time.Second) {
		path = filepath.Join(directory, snapshots.Name(series, at))
		if err = rename(draft, path); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	if err := errors.Join(snapshots.WriteSidecar(path, taken.SHA256), snapshots.SyncDir(directory)); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// rename gives a file a name that must be free. Where there are no hard links,
// which alone say so for certain, it looks first.
func rename(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// prune removes the oldest of this cluster's snapshots beyond those to keep,
// and says what it could not remove. The one just stored always stays. Others
// count only if they are older and have their sha256 beside them: a stray file,
// or one from a clock that was ahead, must not cost a good one its place.
func (t *taking) prune(stored, series string) []string {
	if t.spec.Keep == nil {
		return nil
	}
	list, err := snapshots.List(t.plan.Directory)
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	kept := 1
	for _, file := range list {
		if !snapshots.Ours(file.Path, series) || !file.Taken.Before(snapshots.TakenAt(stored)) || !complete(file) {
			continue
		}
		if kept++; kept <= *t.spec.Keep {
			continue
		}
		for _, path := range []string{file.Path, snapshots.SidecarOf(file.Path)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				left = append(left, "an old snapshot could not be removed: "+err.Error())
			}
		}
	}
	return left
}

// complete says whether a snapshot was stored to its end: its sha256 comes last.
func complete(file snapshots.File) bool {
	sum, err := snapshots.ReadSidecar(file.Path)
	return err == nil && sum != "" && file.Size > 0
}

func (t *taking) fail(rung string, began time.Time, found backup.Rung) error {
	found.Name, found.Seconds = rung, time.Since(began).Seconds()
	t.Rung(found)
	return errors.New(found.Summary)
}
