package probe

import (
	"bytes"
	"fmt"
	"regexp"
)

// mostOutput bounds what is kept of what a probe prints: a pattern is looked for
// in it, and nothing of it is reported, since it may be data.
const mostOutput = 1 << 20

func expect(pattern string, output []byte) error {
	matched, err := regexp.Match(pattern, output)
	if err != nil {
		return err
	}
	if !matched {
		return fmt.Errorf("the answer of %d bytes does not match %q", len(output), pattern)
	}
	return nil
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(data []byte) (int, error) {
	l.Buffer.Write(data[:min(len(data), max(0, l.most-l.Len()))])
	return len(data), nil
}
