package walk

import (
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"gameday.dev/gameday/backup/etcd/objects"
)

// mostProblems is how many of a kind are put into words.
const mostProblems = 20

func (p *Problems) add(words func() string) {
	if p.Count++; len(p.First) < mostProblems {
		p.First = append(p.First, words())
	}
}

func (p *Problems) merge(later Problems) {
	p.Count += later.Count
	p.First = append(p.First, later.First[:min(len(later.First), mostProblems-len(p.First))]...)
}

// tally is what was found in some keys.
type tally struct{ Walked }

func newTally() *tally {
	return &tally{Walked{
		Counts: map[string]int64{}, Encrypted: map[string]int64{}, Match: Match{Excluded: map[string]int64{}}}}
}

// merge adds what was found in the keys that follow.
func (t *tally) merge(later *tally) {
	t.Keys += later.Keys
	t.Bytes += later.Bytes
	addAll(t.Counts, later.Counts)
	addAll(t.Encrypted, later.Encrypted)
	t.Undecodable.merge(later.Undecodable)
	t.Unknown.merge(later.Unknown)
	t.Match.Equal += later.Match.Equal
	t.Match.Moved += later.Match.Moved
	t.Match.Different.merge(later.Match.Different)
	t.Match.Missing.merge(later.Match.Missing)
	t.Match.Extra.merge(later.Match.Extra)
	addAll(t.Match.Excluded, later.Match.Excluded)
}

func addAll(to, from map[string]int64) {
	for name, count := range from {
		to[name] += count
	}
}

// decode decodes one value and counts it.
func (w *walker) decode(t *tally, kv *mvccpb.KeyValue) {
	o, err := w.Decoder.Decode(kv.Key, kv.Value)
	t.Keys++
	t.Bytes += int64(len(kv.Value))
	if o.Resource != "" {
		t.Counts[o.Resource]++
	}
	if o.Encrypted != "" {
		t.Encrypted[o.Encrypted]++
	}
	if err == nil {
		return
	}
	problems := &t.Undecodable
	if failed := (*objects.Undecodable)(nil); errors.As(err, &failed) && failed.Unknown {
		problems = &t.Unknown
	}
	problems.add(func() string { return o.String() + ": " + err.Error() })
}
