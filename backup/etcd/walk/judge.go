package walk

import (
	"bytes"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// judge compares what both sides hold at one key.
type judge func(m *Match, p pair)

// exact compares at the snapshot's revision, where everything must be equal,
// what is ephemeral included.
func (w *walker) exact() judge {
	return func(m *Match, p pair) {
		switch {
		case p.restored == nil:
			m.Missing.add(func() string { return w.name(p.live) + ": not in the snapshot" })
		case p.live == nil:
			m.Extra.add(func() string { return w.name(p.restored) + ": not in the living cluster" })
		case !same(p):
			m.Different.add(func() string { return w.difference(p) })
		default:
			m.Equal++
		}
	}
}

// since compares the snapshot with a later state of the living cluster whose
// history has been compacted. What has been written since tells nothing, but
// what has not must be in the snapshot, and as it is.
func (w *walker) since() judge {
	return func(m *Match, p pair) {
		if rule, ephemeral := w.Decoder.Ephemeral(p.key()); ephemeral {
			m.Excluded[rule]++
			return
		}
		switch {
		case p.live == nil: // deleted since, or never there
			m.Moved++
		case p.restored == nil && p.live.CreateRevision <= w.Revision:
			m.Missing.add(func() string {
				return fmt.Sprintf("%s: not in the snapshot, though it was created before, at revision %d", w.name(p.live), p.live.CreateRevision)
			})
		case p.live.ModRevision > w.Revision && p.live.CreateRevision <= w.Revision && p.live.CreateRevision != p.restored.CreateRevision:
			m.Different.add(func() string {
				return fmt.Sprintf("%s: created at revision %d in the snapshot and at %d in the living cluster",
					w.name(p.restored), p.restored.CreateRevision, p.live.CreateRevision)
			})
		case p.live.ModRevision > w.Revision:
			m.Moved++
		case !same(p):
			m.Different.add(func() string { return w.difference(p) })
		default:
			m.Equal++
		}
	}
}

func (p pair) key() []byte {
	if p.restored != nil {
		return p.restored.Key
	}
	return p.live.Key
}

// same compares everything. The id of a lease is kept in a snapshot: with
// another one, an object would go away after a restore, or never.
func same(p pair) bool {
	a, b := p.restored, p.live
	return a.ModRevision == b.ModRevision && a.CreateRevision == b.CreateRevision && a.Version == b.Version && a.Lease == b.Lease && bytes.Equal(a.Value, b.Value)
}

// name names an object by its value if that decodes, else by its key.
func (w *walker) name(kv *mvccpb.KeyValue) string {
	o, _ := w.Decoder.Decode(kv.Key, kv.Value) // it names the key whatever the value
	return o.String()
}

// mostPaths is how many fields a difference names.
const mostPaths = 3

// difference says how the two values of a key differ, and never what they hold.
func (w *walker) difference(p pair) string {
	a, b := p.restored, p.live
	what := w.name(a) + ": "
	switch {
	case !bytes.Equal(a.Value, b.Value):
		return what + w.content(a, b)
	case a.ModRevision != b.ModRevision:
		return what + fmt.Sprintf("the same content, but written at revision %d in the snapshot and at %d in the living cluster", a.ModRevision, b.ModRevision)
	case a.CreateRevision != b.CreateRevision:
		return what + fmt.Sprintf("the same content, but created at revision %d in the snapshot and at %d in the living cluster", a.CreateRevision, b.CreateRevision)
	}
	if a.Lease != b.Lease {
		return what + fmt.Sprintf("the same content, but bound to lease %x in the snapshot and to %x in the living cluster: it would expire at another time", a.Lease, b.Lease)
	}
	return what + fmt.Sprintf("the same content, but version %d in the snapshot and %d in the living cluster", a.Version, b.Version)
}

func (w *walker) content(a, b *mvccpb.KeyValue) string {
	paths, same := w.Decoder.Difference(a.Key, a.Value, b.Value)
	switch {
	case same:
		return "the same object, but stored as other bytes"
	case len(paths) == 0:
		return "content differs"
	case len(paths) == 1:
		return paths[0] + " differs"
	case len(paths) > mostPaths:
		return fmt.Sprintf("%s and %d more fields differ", strings.Join(paths[:mostPaths], ", "), len(paths)-mostPaths)
	}
	return strings.Join(paths, ", ") + " differ"
}
