package files

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mutation changes one entry of a tree; false when it is none that can be changed so.
type mutation struct {
	kind Kind
	do   func(t *testing.T, path string, random *rand.Rand) bool
}

// mutations are silent when they leave times of modification as they were: that is
// how a copy would be bad. Whoever writes to the source leaves traces.
func mutations(silent bool) []mutation {
	isFile := func(path string) bool {
		info, err := os.Lstat(path)
		return err == nil && info.Mode().IsRegular()
	}
	keepingTime := func(t *testing.T, path string, change func()) {
		var stat unix.Stat_t
		do(t, unix.Lstat(path, &stat))
		change()
		if !silent {
			return
		}
		do(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{stat.Mtim, stat.Mtim}, unix.AT_SYMLINK_NOFOLLOW))
	}
	return []mutation{
		{Missing, func(t *testing.T, path string, _ *rand.Rand) bool {
			keepingTime(t, filepath.Dir(path), func() { do(t, os.RemoveAll(path)) })
			return true
		}},
		{Extra, func(t *testing.T, path string, _ *rand.Rand) bool {
			keepingTime(t, filepath.Dir(path), func() { do(t, os.WriteFile(path+"+", nil, 0o600)) })
			return true
		}},
		{Content, func(t *testing.T, path string, random *rand.Rand) bool {
			content, err := os.ReadFile(path)
			if !isFile(path) || err != nil || len(content) == 0 {
				return false
			}
			keepingTime(t, path, func() {
				content[random.IntN(len(content))] ^= 1 << random.IntN(8)
				do(t, os.WriteFile(path, content, 0o600))
			})
			return true
		}},
		{Mode, func(t *testing.T, path string, random *rand.Rand) bool {
			var stat unix.Stat_t
			do(t, unix.Lstat(path, &stat))
			if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
				return false
			}
			bits := []uint32{0o1, 0o20, 0o4, 0o1000, 0o2000, 0o4000}
			do(t, unix.Chmod(path, stat.Mode&0o7777^bits[random.IntN(len(bits))]))
			return true
		}},
		{Owner, func(t *testing.T, path string, random *rand.Rand) bool {
			if os.Geteuid() != 0 {
				return false
			}
			do(t, os.Lchown(path, 1000+random.IntN(9), -1))
			return true
		}},
		{ModTime, func(t *testing.T, path string, random *rand.Rand) bool {
			moment := time.Unix(random.Int64N(1e9), random.Int64N(1e9)).UnixNano()
			times := []unix.Timespec{unix.NsecToTimespec(moment), unix.NsecToTimespec(moment)}
			do(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW))
			return true
		}},
		{Target, func(t *testing.T, path string, _ *rand.Rand) bool {
			target, err := os.Readlink(path)
			if err != nil {
				return false
			}
			var stat unix.Stat_t
			do(t, unix.Lstat(path, &stat))
			keepingTime(t, filepath.Dir(path), func() { do(t, os.Remove(path), os.Symlink(target+"/", path)) })
			do(t, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{stat.Mtim, stat.Mtim}, unix.AT_SYMLINK_NOFOLLOW))
			return true
		}},
	}
}

// A random tree, and one change of its copy, or of itself since: exactly that is
// found, by name, and labelled for what it is.
func TestOneChangeIsFoundAndNothingElse(t *testing.T) {
	rounds := uint64(60)
	if testing.Short() {
		rounds = 12
	}
	tried := map[Kind]int{}
	for seed := range rounds {
		random := rand.New(rand.NewPCG(seed, 42))
		volumes, source, restored, pair := pairOf(t)
		all := grow(t, random, source, 40)
		copyTree(t, source, restored)
		changed, label := restored, Loss
		if seed%2 == 1 {
			changed, label = source, Drift
		}
		backUp(&pair)
		possible := mutations(label == Loss)
		m := possible[random.IntN(len(possible))]
		path := ""
		for range 200 {
			candidate := all[1+random.IntN(len(all)-1)]
			if m.do(t, filepath.Join(changed, candidate), random) {
				path = candidate
				break
			}
		}
		if path == "" {
			continue
		}
		tried[m.kind]++
		kind, below := m.kind, 0
		switch {
		case kind == Missing && label == Drift:
			kind = Extra
		case kind == Extra && label == Drift:
			kind = Missing
		}
		if m.kind == Missing {
			below = len(slices.DeleteFunc(slices.Clone(all), func(p string) bool { return p == path || !within(p, path) }))
		}
		if m.kind == Extra {
			path += "+"
		}
		want := fmt.Sprintf("%s %s %s", label, kind, show(path))
		if below > 0 {
			want += fmt.Sprintf(" and %d below", below)
		}
		result := compareDirectories(t, volumes, pair)
		side := Kind("") // what a change that is not silent changes, too
		if label == Drift {
			side = ModTime
		}
		if got := withoutTimes(result, side); got != want {
			t.Errorf("seed %d: got  %s\nwant %s", seed, got, want)
		}
		if want := int64(len(all) - below - 1); m.kind != Extra && result.Equal != want && label == Loss {
			t.Errorf("seed %d, %s: %d equal, want %d", seed, m.kind, result.Equal, want)
		}
	}
	if len(tried) < 5 {
		t.Errorf("only %v were tried", tried)
	}
}

// withoutTimes is the summary but for differences of a kind that come along.
func withoutTimes(result PairResult, along Kind) string {
	for label, differences := range result.Differences {
		var left []*Difference
		for _, d := range differences {
			if others := slices.DeleteFunc(slices.Clone(d.Kinds), func(k Kind) bool { return k == along }); len(others) > 0 {
				d.Kinds = others
				left = append(left, d)
			} else if len(differences) == 1 {
				left = append(left, d) // that was the change itself
			}
		}
		result.Differences[label] = left
	}
	return summary(result)
}
