package live

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gameday.dev/gameday/internal/snapshots"
)

// whole checks a snapshot by reading it again.
func whole(t *testing.T, taken Taken) {
	t.Helper()
	sums, err := snapshots.Sum(t.Context(), taken.Path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(taken.Path)
	if err != nil {
		t.Fatal(err)
	}
	if sums.Whole != taken.SHA256 || !sums.Fits || info.Size() != taken.Size || info.Mode().Perm() != 0o600 {
		t.Errorf("%+v of %+v, %d bytes, mode %v", sums, taken, info.Size(), info.Mode())
	}
	alone(t, taken.Path)
}

// alone checks that a directory holds one file, or none.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != filepath.Base(path) {
			t.Errorf("%s is left", entry.Name())
		}
	}
}

func target(t *testing.T) string { return filepath.Join(t.TempDir(), "snapshot.db") }

func TestSave(t *testing.T) {
	r := start(t, 3, true)
	r.fill(48)
	c := r.connect()
	members := c.Members(t.Context())

	t.Run("from a follower", func(t *testing.T) {
		path := target(t)
		write(t, path+".part", []byte(strings.Repeat("what a killed run left", 10_000)))
		var seen []int64
		taken, err := c.Save(t.Context(), members, path, func(bytes int64) { seen = append(seen, bytes) })
		if err != nil {
			t.Fatal(err)
		}
		whole(t, taken)
		if taken.Leader || taken.Member == r.members[r.leads()].config.Client || len(taken.Attempts) > 0 || taken.Version == "" || taken.Took <= 0 {
			t.Errorf("%+v", taken)
		}
		if len(seen) == 0 || seen[len(seen)-1] != taken.Size {
			t.Errorf("progress ended at %v of %d", seen[len(seen)-1], taken.Size)
		}
		if content, err := snapshots.ReadContent(path, "/registry"); err != nil {
			t.Errorf("%+v, %v", content, err)
		}
	})
	t.Run("from the leader when there is no other", func(t *testing.T) {
		var leader []Member
		for _, member := range members {
			if member.Leader {
				leader = append(leader, member)
			}
		}
		taken, err := c.Save(t.Context(), leader, target(t), nil)
		if err != nil || !taken.Leader {
			t.Fatalf("%+v, %v", taken, err)
		}
		whole(t, taken)
	})
	t.Run("never over another file", func(t *testing.T) {
		path := target(t)
		write(t, path, []byte("precious"))
		if _, err := c.Save(t.Context(), members, path, nil); err == nil || !strings.Contains(err.Error(), "is not replaced") {
			t.Error(err)
		}
		if data, _ := os.ReadFile(path); string(data) != "precious" {
			t.Errorf("it holds %q", data)
		}
	})
	t.Run("into no directory", func(t *testing.T) {
		_, err := c.Save(t.Context(), members, filepath.Join(t.TempDir(), "gone", "a.db"), nil)
		if err == nil || !strings.Contains(err.Error(), "make the directory") || strings.Count(err.Error(), "gone") != 1 {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		path := target(t)
		_, err := c.Save(ctx, members, path, func(int64) { cancel(errors.New("a person had enough")) })
		if err == nil || !strings.Contains(err.Error(), "a person had enough") {
			t.Error(err)
		}
		alone(t, path)
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("a file is there: %v", err)
		}
	})
	t.Run("what is written is taken away", func(t *testing.T) {
		path := target(t)
		_, err := c.Save(t.Context(), members, path, func(int64) {
			_ = os.Remove(path + ".part")
			_ = os.WriteFile(path+".part", []byte("of another"), 0o600)
		})
		if err == nil || !strings.Contains(err.Error(), "another process") {
			t.Error(err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("a file is there: %v", err)
		}
	})
	t.Run("disk full", func(t *testing.T) {
		directory := t.TempDir()
		if err := syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=8m"); err != nil {
			t.Skipf("needs a small file system: %v", err)
		}
		defer func() { _ = syscall.Unmount(directory, 0) }()
		path := filepath.Join(directory, "snapshot.db")
		_, err := c.Save(t.Context(), members, path, nil)
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Error(err)
		}
		if entries, err := os.ReadDir(directory); err != nil || len(entries) > 0 {
			t.Errorf("%v is left (%v)", entries, err)
		}
	})
	t.Run("the member is killed", func(t *testing.T) {
		path := target(t)
		killed := -1
		from := int64(0)
		taken, err := c.Save(t.Context(), members, path, func(bytes int64) {
			if killed < 0 && bytes > 1<<20 {
				killed = r.index(sources(members)[0].Endpoint)
				r.kill(killed)
			}
			if bytes < from {
				from = 0
			}
			from = max(from, bytes)
		})
		if err != nil {
			t.Fatal(err)
		}
		whole(t, taken)
		if taken.Member == r.members[killed].config.Client || len(taken.Attempts) != 1 || !strings.Contains(taken.Attempts[0], "lost after") {
			t.Errorf("%+v", taken)
		}
		r.run(killed)
		r.eventually("it is back", func() bool { return r.states()[killed].Err == nil })
	})
	t.Run("the member freezes", func(t *testing.T) {
		members := c.Members(t.Context())
		c.stalled = 2 * time.Second
		path := target(t)
		frozen := -1
		taken, err := c.Save(t.Context(), members, path, func(bytes int64) {
			if frozen < 0 && bytes > 1<<20 {
				frozen = r.index(sources(members)[0].Endpoint)
				r.freeze(frozen)
			}
		})
		r.thaw(frozen)
		if err != nil {
			t.Fatal(err)
		}
		whole(t, taken)
		if taken.Member == r.members[frozen].config.Client || len(taken.Attempts) != 1 || !strings.Contains(taken.Attempts[0], "it sent nothing for 2s") {
			t.Errorf("%+v", taken)
		}
	})
	t.Run("a slow disk is no frozen member", func(t *testing.T) {
		c.stalled = time.Second
		defer func() { c.stalled = stallAfter }()
		slow := false
		taken, err := c.Save(t.Context(), c.Members(t.Context()), target(t), func(int64) {
			if !slow {
				slow = true
				time.Sleep(1500 * time.Millisecond)
			}
		})
		if err != nil || len(taken.Attempts) > 0 {
			t.Errorf("%+v, %v", taken, err)
		}
	})
	t.Run("none answers", func(t *testing.T) {
		for i := range r.members {
			r.kill(i)
		}
		path := target(t)
		_, err := c.Save(t.Context(), members, path, nil)
		if err == nil || strings.Count(err.Error(), "nothing answers there") != 3 {
			t.Error(err)
		}
		_, err = c.Save(t.Context(), c.Members(t.Context()), path, nil)
		if err == nil || strings.Count(err.Error(), "nothing answers there") != 3 {
			t.Error(err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
			t.Errorf("%v is left (%v)", entries, err)
		}
	})
}

func TestSources(t *testing.T) {
	tests := []struct {
		name    string
		members []Member
		want    string
	}{
		{"a follower before the leader", []Member{{Endpoint: "l", Leader: true, Applied: 9}, {Endpoint: "f", Applied: 8}}, "f l"},
		{"the furthest follower", []Member{{Endpoint: "a", Applied: 7}, {Endpoint: "b", Applied: 8}, {Endpoint: "l", Leader: true, Applied: 9}}, "b a l"},
		{"no learner", []Member{{Endpoint: "a", Learner: true}, {Endpoint: "l", Leader: true}}, "l"},
		{"none that is corrupt", []Member{{Endpoint: "a", Alarms: []string{"CORRUPT"}}, {Endpoint: "b", Alarms: []string{"NOSPACE"}}}, "b"},
		{"none that did not answer", []Member{{Endpoint: "a", Err: errors.New("x")}, {Endpoint: "l", Leader: true}}, "l"},
		{"far behind", []Member{{Endpoint: "a", Applied: 10}, {Endpoint: "l", Leader: true, Applied: 90_000}}, "l a"},
		{"without a leader last", []Member{{Endpoint: "a", Applied: 90_000, Leaderless: true}, {Endpoint: "b", Applied: 1}, {Endpoint: "l", Leader: true}}, "l b a"},
		{"nobody", nil, ""},
	}
	for _, test := range tests {
		var got []string
		for _, member := range sources(test.members) {
			got = append(got, member.Endpoint)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
}
