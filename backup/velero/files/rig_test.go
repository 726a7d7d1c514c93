package files

import (
	"errors"
	"io"
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
