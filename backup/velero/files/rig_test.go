package files

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
)

type atomicCounter struct{ n atomic.Int64 }

func (c *atomicCounter) next() int { return int(c.n.Add(1)) }

// brokenWriter breaks after so many bytes.
type brokenWriter struct {
	to     io.Writer
	left   int
	broken atomic.Bool
}

func (b *brokenWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		b.broken.Store(true)
		return 0, errors.New("broken pipe")
	}
	return b.to.Write(p)
}

// summary is what was found, in a few words: "loss content data/a; drift extra b".
func summary(result PairResult) string {
	var b strings.Builder
	for _, label := range []Label{Loss, Drift, Unclear} {
		for _, d := range result.Differences[label] {
			fmt.Fprintf(&b, "%s", label)
			for _, kind := range d.Kinds {
				fmt.Fprintf(&b, " %s", kind)
			}
			fmt.Fprintf(&b, " %s", d.Path)
			if d.Below > 0 {
				fmt.Fprintf(&b, " and %d below", d.Below)
			}
			b.WriteString("; ")
		}
	}
	return strings.TrimSuffix(b.String(), "; ")
}
