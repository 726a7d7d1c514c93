package files

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"gameday.dev/gameday/internal/kube"
)

// sides are made by hand: what comes in the order of its lines.
func merged(t testing.TB, pair Pair, source, restored []told) (PairResult, error) {
	t.Helper()
	feed := func(lines []told) <-chan told {
		to := make(chan told, len(lines)+1)
		for _, l := range lines {
			to <- l
		}
		close(to)
		return to
	}
	result := PairResult{}
	err := newMerger(newJudge(pair, 10, &result), feed(source), feed(restored), func() {}).run(t.Context())
	return result, err
}

const (
	before = int64(100 * time.Second)
	after  = int64(200 * time.Second)
)

func handmade() Pair { return Pair{BackedUpAt: time.Unix(150, 0)} }

func dirAt(path string, ctime int64) told {
	return told{entry: &entry{Path: path, attributes: attributes{Type: Directory, ModTime: ctime, ChangeTime: ctime}}}
}

func fileAt(path string, ctime int64) told {
	return told{entry: &entry{Path: path, attributes: attributes{Type: File, SHA256: anySum, ModTime: ctime, ChangeTime: ctime}}}
}

func gone(path string) told {
	return told{entry: &entry{Path: path, attributes: attributes{Type: Unknown, Gone: true}}}
}

func inError(t told, problem string) told {
	changed := *t.entry
	changed.Error, changed.SHA256 = problem, ""
	return told{entry: &changed, again: t.again}
}

func again(t told) told { t.again = true; return t }

func TestWhatChangesWhileItIsRead(t *testing.T) {
	end := told{}
	tests := map[string]struct {
		source, restored []told
		want             string
	}{
		"gone at the source": {
			[]told{dirAt(root, before), gone("a"), end}, []told{dirAt(root, before), fileAt("a", before), end},
			"drift extra a",
		},
		"gone at the copy": {
			[]told{dirAt(root, before), fileAt("a", before), end}, []told{dirAt(root, before), gone("a"), end},
			"unclear missing a",
		},
		"gone at both": {
			[]told{dirAt(root, before), gone("a"), end}, []told{dirAt(root, before), gone("a"), end}, "",
		},
		"the directory changes while it is read": {
			[]told{dirAt(root, before), dirAt("d", before), fileAt("d/a", before), again(dirAt("d", after)), end},
			[]told{dirAt(root, before), dirAt("d", before), fileAt("d/a", before), fileAt("d/b", before), end},
			"drift extra d/b",
		},
		"a directory that can't be read at the source": {
			[]told{dirAt(root, before), inError(dirAt("d", before), "permission denied"), end},
			[]told{dirAt(root, before), dirAt("d", before), fileAt("d/a", before), dirAt("d/e", before), fileAt("d/e/f", before), end},
			"unclear unreadable d; unclear extra d/a; unclear extra d/e and 1 below",
		},
		"a directory that can't be read on at the copy": {
			[]told{dirAt(root, before), dirAt("d", before), fileAt("d/a", before), fileAt("d/b", before), fileAt("e", before), end},
			[]told{dirAt(root, before), dirAt("d", before), fileAt("d/a", before), again(inError(told{entry: &entry{Path: "d", attributes: attributes{Type: Directory}}}, "input/output error")), end},
			"loss missing e; unclear missing d/b",
		},
		"a file that can't be read": {
			[]told{dirAt(root, before), inError(fileAt("a", before), "input/output error"), fileAt("b", before), end},
			[]told{dirAt(root, before), fileAt("a", before), inError(fileAt("b", before), "permission denied"), end},
			"unclear unreadable a; unclear unreadable b",
		},
		"a file that can't be read, and is missing": {
			[]told{dirAt(root, before), inError(fileAt("a", before), "permission denied"), end}, []told{dirAt(root, before), end},
			"loss missing a",
		},
		"what can't be looked at": {
			[]told{dirAt(root, before), {entry: &entry{Path: "a", attributes: attributes{Type: Unknown, Error: "stale file handle"}}}, end},
			[]told{dirAt(root, before), end},
			"unclear missing a",
		},
		"the copy is written to while it is read": {
			[]told{dirAt(root, before), fileAt("a", before), end},
			[]told{dirAt(root, before), {entry: &entry{Path: "a", attributes: attributes{Type: File, Changed: true, SHA256: anySum[1:] + "0", ModTime: before}}}, end},
			"unclear content a",
		},
		"one side is empty": {
			[]told{dirAt(root, before), dirAt("d", before), fileAt("d/a", before), end}, []told{dirAt(root, before), end},
			"loss missing d and 1 below",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			result, err := merged(t, handmade(), test.source, test.restored)
			if got := summary(result); got != test.want || err != nil {
				t.Errorf("got  %s, %v\nwant %s", got, err, test.want)
			}
		})
	}
}

func TestASideThatIsCutOffIsNotTakenForEmpty(t *testing.T) {
	whole := []told{dirAt(root, before), fileAt("a", before), fileAt("b", before), {}}
	result, err := merged(t, handmade(), whole, whole[:2])
	if err == nil || summary(result) != "" {
		t.Errorf("got %s, %v", summary(result), err)
	}
}

func TestAnEntryWithoutItsDirectoryIsRefused(t *testing.T) {
	if _, err := merged(t, handmade(), []told{fileAt("a", before), {}}, []told{{}}); err == nil {
		t.Error("it was compared")
	}
	if _, err := merged(t, handmade(), []told{dirAt(root, before), fileAt("d/a", before), {}}, []told{{}}); err == nil {
		t.Error("it was compared")
	}
}

func TestTimesThatAreKeptLessExactly(t *testing.T) {
	at := int64(1_700_000_000_123_456_789)
	for name, test := range map[string]struct {
		restored     int64
		same, coarse bool
	}{
		"equal":                   {at, true, false},
		"100ns":                   {at - 89, true, true},
		"cut to microseconds":     {at - 789, true, true},
		"rounded up, as kopia":    {at + 211, true, true},
		"cut to milliseconds":     {at - 456_789, true, true},
		"cut to seconds":          {at - 123_456_789, true, true},
		"a nanosecond earlier":    {at - 1, false, false},
		"a nanosecond later":      {at + 1, false, false},
		"rounded up to a second":  {at + 876_543_211, false, false},
		"the second before":       {at - 1_123_456_789, false, false},
		"a microsecond too early": {at - 1_789, false, false},
	} {
		if same, coarse := sameTime(at, test.restored); same != test.same || coarse != test.coarse {
			t.Errorf("%s: %v, %v", name, same, coarse)
		}
	}
}

// A file whose content came back counts, though its owner has changed since; others
// say nothing of the volume.
func TestSameContentIsCounted(t *testing.T) {
	changed := func(name, sum string) told {
		file := fileAt(name, after)
		file.entry.SHA256, file.entry.UID = sum, 7
		return file
	}
	source := []told{dirAt(root, before), changed("a", fileAt("a", before).entry.SHA256), changed("b", "other"), {}}
	one, err := merged(t, handmade(), source, []told{dirAt(root, before), fileAt("a", before), fileAt("b", before), {}})
	if err != nil {
		t.Fatal(err)
	}
	if one.SameContent != 1 || one.Untold() || one.Of(Loss) != 0 {
		t.Errorf("%+v", one)
	}
	one, err = merged(t, handmade(), slices.Delete(source, 1, 2), []told{dirAt(root, before), fileAt("b", before), {}})
	if err != nil || one.SameContent != 0 || !one.Untold() {
		t.Errorf("%+v, %v", one, err)
	}
}

func TestTotals(t *testing.T) {
	one, err := merged(t, handmade(), []told{dirAt(root, before), fileAt("a", before), {}}, []told{dirAt(root, before), {}})
	if err != nil {
		t.Fatal(err)
	}
	total := Result{Pairs: []PairResult{one, one, {NotComparable: "a block volume"}}}.Total()
	if total.InSource.Files != 2 || total.InRestored.Files != 0 || total.Equal != 2 || total.Of(Loss) != 2 {
		t.Errorf("%+v", total)
	}
}

// printed is what a reader prints of so many files, 1000 in each directory.
type printed []byte

func generate(files int) printed {
	var out bytes.Buffer
	lines := json.NewEncoder(&out)
	var counts Counts
	tell := func(t told) {
		counts.count(t.entry)
		_ = encode(lines, line{Entry: t.entry})
	}
	_ = encode(lines, line{Begin: &begin{Version: formatVersion}})
	tell(dirAt(root, before))
	for i := range files {
		if i%1000 == 0 {
			tell(dirAt(fmt.Sprintf("d%06d", i/1000), before))
		}
		tell(fileAt(fmt.Sprintf("d%06d/some-file-%03d", i/1000, i%1000), before))
	}
	_ = encode(lines, line{End: &counts})
	return out.Bytes()
}

// Exec prints it.
func (p printed) Exec(_ context.Context, command kube.Command) error {
	_, err := command.Stdout.Write(p)
	return err
}

// Decoding and merging: what the runner does, without nodes and network. Memory
// must not grow with the number of files: live-B is what is held at the end, B/file
// what the garbage collector has to do.
func BenchmarkMerge(b *testing.B) {
	for _, files := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(files), func(b *testing.B) {
			data := generate(files)
			base := heldNow()
			var result PairResult
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				result = PairResult{}
				err := mergeStreams(b.Context(), newStream(data, kube.PodRef{}, Volume{}), newStream(data, kube.PodRef{}, Volume{}), newJudge(handmade(), 10, &result), func() {})
				if err != nil || result.InSource.Files != int64(files) || result.Of(Loss) != 0 {
					b.Fatalf("%v %+v", err, result)
				}
			}
			runtime.ReadMemStats(&after)
			total := float64(files) * float64(b.N)
			b.ReportMetric(total/b.Elapsed().Seconds(), "files/s")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/total, "B/file")
			b.ReportMetric(float64(int64(heldNow())-int64(base)), "live-B")
			runtime.KeepAlive(data)
		})
	}
}

func heldNow() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
