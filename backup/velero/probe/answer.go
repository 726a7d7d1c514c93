package probe

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
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

// address is a URL wherever it is in a text, with its quotes.
var address = regexp.MustCompile(`"?\b[a-z]+://[^\s"]+"?`)

// withoutURL leaves out of an error what was asked for, and by which address: that has the
// arguments of a command, whoever quotes it, client-go or the API server.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	text := err.Error()
	if told := address.ReplaceAllString(text, "(address left out)"); told != text {
		return errors.New(told)
	}
	return err
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
