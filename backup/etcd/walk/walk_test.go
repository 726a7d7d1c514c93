package walk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// hurried makes pages of a few keys, so that a small test has many of them.
func hurried() pace {
	p := defaultPace()
	p.page, p.keys, p.pause = 1000, 8, 20*time.Millisecond
	return p
}

func walkAt(t *testing.T, o Options, p pace) Walked {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w := walker{Options: o, pace: p}
	walked, err := w.walk(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", walked); strings.Contains(text, "hunter") {
		t.Errorf("the result holds a Secret's value: %s", text)
	}
	return walked
}

// same asserts the comparison, whatever else was found.
func matches(t *testing.T, got, want Match) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func problems(first ...string) Problems {
	return Problems{First: first, Count: int64(len(first))}
}

func fill(t *testing.T, s *sides, n int) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("web-%03d", i)
		s.put(t, "/registry/configmaps/shop/"+name, configMap(name, "blue"))
	}
}

func TestEqualSides(t *testing.T) {
	s := newSides(t)
	fill(t, s, 100)
	s.put(t, "/registry/secrets/shop/db", secret("db", "hunter2"))
	s.put(t, "/registry/events/shop/web.1", event("web.1", "Killing"))
	s.put(t, "/registry/lab.io/widgets/shop/one", []byte(`{"apiVersion":"lab.io/v1","kind":"Widget","metadata":{"namespace":"shop","name":"one"}}`))
	s.put(t, "/registry/secrets/shop/sealed", []byte("k8s:enc:kms:v2:vault:xxxx"))
	s.put(t, "/registry/secrets/shop/broken", []byte("k8s\x00hunter"))
	s.put(t, "/registryother/secrets/shop/other", secret("other", "hunter2"))
	s.put(t, beside, nil)
	// What comes after the snapshot is not looked at.
	s.live.put(t, "/registry/configmaps/shop/web-001", configMap("web-001", "red"))
	s.live.put(t, "/registry/configmaps/shop/later", configMap("later", "red"))
	s.live.remove(t, "/registry/configmaps/shop/web-002")

	var progress []int64
	o := s.options(t)
	o.Progress = func(keys int64) { progress = append(progress, keys) }
	for name, p := range map[string]pace{"small pages": hurried(), "one page": defaultPace()} {
		t.Run(name, func(t *testing.T) {
			progress = nil
			walked := walkAt(t, o, p)
			matches(t, walked.Match, Match{Compared: true, Equal: 106})
			if walked.Keys != 106 || walked.Bytes < 106*20 {
				t.Errorf("%d keys of %d bytes", walked.Keys, walked.Bytes)
			}
			want := map[string]int64{"configmaps": 100, "events": 1, "namespaces": 1, "secrets": 3, "widgets.lab.io": 1}
			if diff := cmp.Diff(want, walked.Counts); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(map[string]int64{"kms v2 vault": 1}, walked.Encrypted); diff != "" {
				t.Error(diff)
			}
			if walked.Undecodable.Count != 1 || !strings.HasPrefix(walked.Undecodable.First[0], "Secret shop/broken: the envelope") {
				t.Errorf("undecodable: %+v", walked.Undecodable)
			}
			if walked.Unknown.Count != 1 || !strings.HasPrefix(walked.Unknown.First[0], `Secret shop/sealed: it is encrypted by the KMS plugin "vault"`) {
				t.Errorf("unknown: %+v", walked.Unknown)
			}
			if progress[len(progress)-1] != 106 {
				t.Errorf("progress: %v", progress)
			}
		})
	}
}

func TestWithoutALivingCluster(t *testing.T) {
	s := newSides(t)
	fill(t, s, 50)
	o := s.options(t)
	o.Live = nil
	walked := walkAt(t, o, hurried())
	if walked.Keys != 51 || walked.Match.Compared || walked.Match.Why == "" {
		t.Errorf("got %+v", walked)
	}
}

func TestEveryDifferenceAtTheRevision(t *testing.T) {
	s := newSides(t)
	fill(t, s, 40)
	put := s.puts
	// Three keys with the same content, each written at other revisions in one way only.
	const anew, moved, often = "/registry/configmaps/shop/anew", "/registry/configmaps/shop/moved", "/registry/configmaps/shop/often"
	created := put(t, anew, configMap("anew", "blue"), beside, nil)
	put(t, beside, nil, anew, configMap("anew", "blue"))
	s.put(t, anew, configMap("anew", "blue"))
	s.put(t, moved, configMap("moved", "blue"))
	written := put(t, moved, configMap("moved", "blue"), beside, nil)
	put(t, beside, nil, moved, configMap("moved", "blue"))
	s.put(t, often, configMap("often", "blue"))
	put(t, often, configMap("often", "blue"), beside, nil)
	s.put(t, often, configMap("often", "blue"))
	put(t, "/registry/configmaps/shop/web-007", configMap("web-007", "red"), "/registry/configmaps/shop/web-007", configMap("web-007", "green"))
	put(t, "/registry/secrets/shop/db", secret("db", "hunter2"), "/registry/secrets/shop/db", secret("db", "hunter3"))
	put(t, "/registry/configmaps/shop/lost", configMap("lost", "blue"), beside, nil)
	put(t, "/registry/lab.io/widgets/shop/lost", []byte(`{"apiVersion":"lab.io/v1","kind":"Widget","metadata":{"namespace":"shop","name":"lost"}}`), beside, nil)
	put(t, beside, nil, "/registry/zebras/shop/more", nil)
	put(t, beside, nil, "/registry/secrets/shop/more", secret("more", "hunter2"))
	put(t, "/registry/events/shop/web.1", event("web.1", "Killing"), "/registry/events/shop/web.1", event("web.1", "Pulling"))

	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{
		Compared: true, Equal: 40,
		Different: problems(
			fmt.Sprintf("ConfigMap shop/anew: the same content, but created at revision %d in the snapshot and at %d in the living cluster", created+1, created),
			fmt.Sprintf("ConfigMap shop/moved: the same content, but written at revision %d in the snapshot and at %d in the living cluster", written+1, written),
			"ConfigMap shop/often: the same content, but version 2 in the snapshot and 3 in the living cluster",
			"ConfigMap shop/web-007: data.color differs",
			"Event shop/web.1: message differs",
			"Secret shop/db: content differs"),
		Missing: problems("ConfigMap shop/lost: not in the snapshot", "Widget shop/lost: not in the snapshot"),
		Extra:   problems("Secret shop/more: not in the living cluster", "zebras shop/more: not in the living cluster"),
	})
}

// Of many problems the first are told, in the order of the keys, and all counted.
func TestManyDifferences(t *testing.T) {
	s := newSides(t)
	var want []string
	for i := range 300 {
		name := fmt.Sprintf("web-%03d", i)
		s.puts(t, "/registry/configmaps/shop/"+name, configMap(name, "blue"), beside, nil)
		if i < mostProblems {
			want = append(want, "ConfigMap shop/"+name+": not in the snapshot")
		}
	}
	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{Compared: true, Equal: 1, Missing: Problems{First: want, Count: 300}})
}

// An object that is bound to another lease than it was would go away after a
// restore though its content is right.
func TestAnotherLease(t *testing.T) {
	s := newSides(t)
	const key = "/registry/events/shop/web.1"
	bound := func(m *member) int64 {
		granted, err := m.Grant(t.Context(), 600) // each member chooses an id of its own
		if err != nil {
			t.Fatal(err)
		}
		answer, err := m.Put(t.Context(), key, string(event("web.1", "Killing")), clientv3.WithLease(granted.ID))
		if err != nil {
			t.Fatal(err)
		}
		return answer.Header.Revision
	}
	s.at = bound(s.restored)
	bound(s.live)
	walked := walkAt(t, s.options(t), hurried())
	if walked.Match.Different.Count != 1 || !strings.Contains(walked.Match.Different.First[0], "bound to lease") {
		t.Errorf("%+v", walked.Match)
	}
}

func TestAnotherCluster(t *testing.T) {
	s := newSides(t)
	fill(t, s, 10)
	s.puts(t, "/registry/namespaces/kube-system", namespace("kube-system", "uid-1"), "/registry/namespaces/kube-system", namespace("kube-system", "uid-2"))
	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{Compared: true,
		Wrong: "a snapshot of another cluster: the UID of namespace kube-system is uid-2 in the snapshot and uid-1 in the living cluster"})
	if walked.Keys != 11 {
		t.Errorf("%d keys decoded, want all 11", walked.Keys)
	}
}

func TestASnapshotFromTheFuture(t *testing.T) {
	s := newSides(t)
	fill(t, s, 10)
	now := s.at
	s.at = s.restored.put(t, beside, nil)
	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{Compared: true, Wrong: fmt.Sprintf(
		"the snapshot is at revision %d, the living cluster only at %d: a snapshot of another cluster, or the living one was itself restored from an older one", s.at, now)})
	if walked.Keys != 11 {
		t.Errorf("%d keys decoded, want all 11", walked.Keys)
	}
}

// later writes and compacts what happened after the snapshot.
func later(t *testing.T, s *sides) (compaction int64) {
	t.Helper()
	s.live.put(t, "/registry/configmaps/shop/web-001", configMap("web-001", "red")) // changed
	s.live.remove(t, "/registry/configmaps/shop/web-002")                           // deleted
	s.live.remove(t, "/registry/configmaps/shop/web-003")                           // created anew
	s.live.put(t, "/registry/configmaps/shop/web-003", configMap("web-003", "red"))
	s.live.put(t, "/registry/configmaps/shop/new", configMap("new", "red"))
	compaction = s.live.put(t, "/registry/events/shop/new.1", event("new.1", "Killing"))
	s.live.compact(t, compaction)
	return compaction
}

func TestACompactedRevision(t *testing.T) {
	s := newSides(t)
	fill(t, s, 40)
	put := s.puts
	first := put(t, "/registry/configmaps/shop/altered", configMap("altered", "blue"), "/registry/configmaps/shop/altered", configMap("altered", "green"))
	put(t, "/registry/configmaps/shop/lost", configMap("lost", "blue"), beside, nil)
	put(t, "/registry/configmaps/shop/lost-and-changed", configMap("lost-and-changed", "blue"), beside, nil)
	put(t, "/registry/configmaps/shop/older", configMap("older", "blue"), "/registry/configmaps/shop/older", configMap("older", "blue"))
	put(t, beside, nil, "/registry/configmaps/shop/older", configMap("older", "green"))
	put(t, "/registry/configmaps/shop/anew", configMap("anew", "blue"), beside, nil)
	put(t, beside, nil, "/registry/configmaps/shop/anew", configMap("anew", "blue"))
	s.put(t, "/registry/events/shop/web.1", event("web.1", "Killing"))
	put(t, "/registry/events/shop/web.2", event("web.2", "Killing"), beside, nil)
	s.live.put(t, "/registry/configmaps/shop/lost-and-changed", configMap("lost-and-changed", "red"))
	s.live.put(t, "/registry/configmaps/shop/anew", configMap("anew", "red"))
	compaction := later(t, s)

	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{
		Compared: true, Compacted: compaction,
		Equal: 38, // 37 of 40, and the namespace
		Moved: 4,
		Different: problems(
			"ConfigMap shop/altered: data.color differs",
			fmt.Sprintf("ConfigMap shop/anew: created at revision %d in the snapshot and at %d in the living cluster", first+6, first+5),
			"ConfigMap shop/older: data.color differs"),
		Missing: problems(
			fmt.Sprintf("ConfigMap shop/lost: not in the snapshot, though it was created before, at revision %d", first+1),
			fmt.Sprintf("ConfigMap shop/lost-and-changed: not in the snapshot, though it was created before, at revision %d", first+2)),
		Excluded: map[string]int64{"events": 3},
	})
}

func TestCompactionInTheMiddle(t *testing.T) {
	s := newSides(t)
	fill(t, s, 100)
	var compaction int64
	s.live.hook = func(request int) {
		if request == 4 {
			compaction = later(t, s)
		}
	}
	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{
		Compared: true, Compacted: compaction, Equal: 98, Moved: 4, Excluded: map[string]int64{"events": 1}})
	if walked.Keys != 101 {
		t.Errorf("%d keys, want 101: those of the first pass do not count", walked.Keys)
	}
}

// The present may be compacted away in its turn, a few times.
func TestCompactionAgainAndAgain(t *testing.T) {
	for name, c := range map[string]struct {
		compactions int
		compared    bool
	}{"a few times": {restarts, true}, "all the time": {1000, false}} {
		t.Run(name, func(t *testing.T) {
			s := newSides(t)
			fill(t, s, 100)
			later(t, s)
			left := c.compactions
			s.live.hook = func(request int) {
				if request%3 == 0 && left > 0 {
					left--
					s.live.compact(t, s.live.put(t, beside, nil))
				}
			}
			walked := walkAt(t, s.options(t), hurried())
			if m := walked.Match; m.Compared != c.compared || m.Compacted == 0 || (m.Why == "") != c.compared {
				t.Errorf("got %+v", m)
			}
			if walked.Keys != 101 || walked.Counts["configmaps"] != 100 {
				t.Errorf("%d keys decoded, want all 101", walked.Keys)
			}
		})
	}
}

// The restored side has no history to lose: when it lacks the revision, that is
// no word about the living cluster.
func TestTheRestoredSideLacksTheRevision(t *testing.T) {
	for name, lack := range map[string]func(*sides){
		"ahead":     func(s *sides) { s.at = s.live.put(t, beside, nil) },
		"compacted": func(s *sides) { s.at = s.restored.put(t, beside, nil) - 1; s.restored.compact(t, s.at+1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSides(t)
			fill(t, s, 10)
			lack(s)
			w := walker{Options: s.options(t), pace: hurried()}
			_, err := w.walk(t.Context())
			if err == nil || !strings.Contains(err.Error(), "reading the restored etcd: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A member that is lost is waited for, and no key is lost or seen twice.
func TestTheLivingMemberRestarts(t *testing.T) {
	s := newSides(t)
	fill(t, s, 100)
	up := make(chan struct{})
	s.live.hook = func(request int) {
		if request == 5 {
			s.live.stop()
			go func() {
				defer close(up)
				s.live.start(t)
			}()
		}
	}
	walked := walkAt(t, s.options(t), hurried())
	matches(t, walked.Match, Match{Compared: true, Equal: 101})
	<-up
}

func TestAMemberThatStaysAway(t *testing.T) {
	for _, side := range []string{"living", "restored"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel() // the client tries for seconds before it gives up
			s := newSides(t)
			fill(t, s, 100)
			gone := map[string]*member{"living": s.live, "restored": s.restored}[side]
			gone.hook = func(request int) {
				if request == 5 {
					gone.stop()
				}
			}
			p := hurried()
			p.patience = time.Second
			w := walker{Options: s.options(t), pace: p}
			_, err := w.walk(t.Context())
			if err == nil || !strings.Contains(err.Error(), "reading the "+side+" etcd, which has failed for") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACancelledWalkEndsSoon(t *testing.T) {
	s := newSides(t)
	fill(t, s, 100)
	why := errors.New("the run was aborted")
	ctx, cancel := context.WithCancelCause(context.Background())
	var cancelled time.Time
	s.live.hook = func(request int) {
		if request == 5 {
			cancelled = time.Now()
			cancel(why)
		}
	}
	w := walker{Options: s.options(t), pace: hurried()}
	_, err := w.walk(ctx)
	if !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(cancelled); took > 2*time.Second {
		t.Errorf("it took %s to end", took)
	}
}

// Pages shrink to the size of the values, and a response that is too large is
// asked for again in halves.
func TestLargeValues(t *testing.T) {
	s := newSides(t)
	fill(t, s, 200)
	large := strings.Repeat("x", 300_000)
	for i := range 20 {
		name := fmt.Sprintf("xxl-%02d", i)
		s.put(t, "/registry/configmaps/shop/"+name, configMap(name, large))
	}
	p := defaultPace()
	p.page, p.most = 256<<10, 1<<20
	walked := walkAt(t, s.options(t), p)
	matches(t, walked.Match, Match{Compared: true, Equal: 221})
	p.most = 100_000 // less than one value: it is read all the same
	walked = walkAt(t, s.options(t), p)
	matches(t, walked.Match, Match{Compared: true, Equal: 221})
}
