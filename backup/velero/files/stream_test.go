package files

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gameday.dev/gameday/internal/kube"
)

// executorFunc is an executor made of one function.
type executorFunc func(ctx context.Context, command kube.Command) error

func (f executorFunc) Exec(ctx context.Context, command kube.Command) error { return f(ctx, command) }

// afterOf is the path that a reader is asked to begin behind.
func afterOf(command kube.Command) string {
	if i := slices.Index(command.Command, "--"+flagAfter); i >= 0 {
		after, _ := base64.StdEncoding.DecodeString(command.Command[i+1])
		return string(after)
	}
	return ""
}

// names are the entries of a volume with that many files.
func names(n int) []string {
	all := []string{root}
	for i := range n {
		all = append(all, fmt.Sprintf("f%04d", i))
	}
	return all
}

// printBehind prints what a reader would, behind a path.
func printBehind(out io.Writer, all []string, after string) error {
	lines := json.NewEncoder(out)
	var counts Counts
	if err := encode(lines, line{Begin: &begin{Version: formatVersion, Directory: "d"}}); err != nil {
		return err
	}
	for _, name := range all {
		if after != "" && comparePaths(name, after) <= 0 {
			continue
		}
		e := fileAt(name, before).entry
		if name == root {
			e = dirAt(root, before).entry
		}
		counts.count(e)
		if err := encode(lines, line{Entry: e}); err != nil {
			return err
		}
	}
	return encode(lines, line{End: &counts})
}

// receive collects what a stream hands on.
func receive(ctx context.Context, s *stream, each func(i int)) ([]string, error) {
	lines := make(chan told)
	var got []string
	var ran error
	var running sync.WaitGroup
	running.Go(func() { ran = s.run(ctx, lines) })
	for t := range lines {
		if t.entry != nil {
			got = append(got, t.entry.Path)
		}
		each(len(got))
	}
	running.Wait()
	return got, ran
}

func TestAStreamIsHandedOnWhole(t *testing.T) {
	all := names(500)
	s := newStream(executorFunc(func(_ context.Context, c kube.Command) error { return printBehind(c.Stdout, all, afterOf(c)) }), kube.PodRef{}, Volume{})
	got, err := receive(t.Context(), s, func(int) {})
	if err != nil || !slices.Equal(got, all) {
		t.Errorf("%d of %d, %v", len(got), len(all), err)
	}
}

// A side that has to wait gives its connection up, and goes on where it was.
func TestAStreamPausesAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := names(500)
		var behind []string
		s := newStream(executorFunc(func(ctx context.Context, c kube.Command) error {
			behind = append(behind, afterOf(c))
			ended := make(chan error, 1)
			go func() { ended <- printBehind(c.Stdout, all, afterOf(c)) }()
			select {
			case err := <-ended:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		}), kube.PodRef{}, Volume{})
		got, err := receive(t.Context(), s, func(i int) {
			if i == 100 || i == 300 {
				time.Sleep(time.Hour)
			}
		})
		if err != nil || !slices.Equal(got, all) {
			t.Errorf("%d of %d, %v", len(got), len(all), err)
		}
		if len(behind) != 3 || behind[0] != "" || behind[1] < "f0098" || behind[1] > "f0102" {
			t.Errorf("asked behind %q", behind)
		}
	})
}

func TestABrokenConnectionIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := names(500)
		calls := 0
		s := newStream(executorFunc(func(_ context.Context, c kube.Command) error {
			calls++
			stdout := c.Stdout
			if calls <= 6 {
				stdout = &brokenWriter{to: c.Stdout, left: 5000 * calls}
			}
			return printBehind(stdout, all, afterOf(c))
		}), kube.PodRef{}, Volume{})
		got, err := receive(t.Context(), s, func(int) {})
		if err != nil || !slices.Equal(got, all) || calls < 5 {
			t.Errorf("%d of %d after %d calls, %v", len(got), len(all), calls, err)
		}
	})
}

func TestWhyAStreamEnds(t *testing.T) {
	print := func(text string) executorFunc {
		return func(_ context.Context, c kube.Command) error {
			_, _ = io.WriteString(c.Stdout, text)
			return nil
		}
	}
	fail := func(complaint string, err error) executorFunc {
		return func(_ context.Context, c kube.Command) error {
			_, _ = io.WriteString(c.Stderr, complaint)
			return err
		}
	}
	const start = `{"begin":{"version":1,"directory":"d"}}` + "\n"
	const top = `{"entry":{"path":".","type":"dir"}}` + "\n"
	tests := map[string]struct {
		exec  executorFunc
		want  string
		calls int
	}{
		"cut off":           {print(start + top), "was cut off", mostTries},
		"in a line":         {print(start + `{"entry":{"pa`), "was cut off", mostTries},
		"lines lost":        {print(start + top + `{"end":{"entries":3}}` + "\n"), "entries came of 3", mostTries},
		"not understood":    {print("hello\n"), "not understood", 1},
		"twice the same":    {print(start + top + `{"entry":{"path":"a","type":"dir"}}` + "\n" + `{"entry":{"path":"a","type":"dir"}}` + "\n"), "a after a", 1},
		"a longer line":     {print(start + strings.Repeat("x", longestLine+10) + "\n"), "a line longer than", 1},
		"another version":   {print(`{"begin":{"version":7}}` + "\n"), "another version of gameday", 1},
		"another gameday":   {fail("unknown command files-helper\nhint: see gameday --help", &kube.ExitError{Code: 2}), "another version of gameday", 1},
		"no volume":         {fail("volume pvc-1 is not mounted on the node", &kube.ExitError{Code: exitNoVolume}), "on node n1: volume pvc-1 is not mounted", 1},
		"reader in trouble": {fail("opening the volume: stale file handle", &kube.ExitError{Code: exitFailed}), "stale file handle", 1},
		"no connection":     {fail("", errors.New("connection refused")), "connection refused", mostTries},
		"forbidden":         {fail("", errors.New(`pods "x" is forbidden: cannot create pods/exec`)), "is forbidden", 1},
		"silent": {func(ctx context.Context, c kube.Command) error {
			_, _ = io.WriteString(c.Stdout, start+top)
			<-ctx.Done()
			return ctx.Err()
		}, "has fallen silent for 2m0s", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				s := newStream(executorFunc(func(ctx context.Context, c kube.Command) error {
					calls++
					if afterOf(c) != "" {
						c.Stdout = &skipping{to: c.Stdout}
					}
					return test.exec(ctx, c)
				}), kube.PodRef{Name: "reader"}, Volume{Name: "data", Node: "n1"})
				_, err := receive(t.Context(), s, func(int) {})
				if err == nil || !strings.Contains(err.Error(), test.want) || calls > test.calls+1 || calls < test.calls {
					t.Errorf("after %d calls: %v, want %s", calls, err, test.want)
				}
			})
		})
	}
}

// skipping drops the line of the root, as a reader does that begins behind it.
type skipping struct{ to io.Writer }

func (s *skipping) Write(p []byte) (int, error) {
	_, err := s.to.Write(bytes.ReplaceAll(p, []byte(`{"entry":{"path":".","type":"dir"}}`+"\n"), nil))
	return len(p), err
}
