package scratch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// What a child can be asked for, with a request in JSON as second argument.
const (
	verbInspect = "inspect"
	verbMember  = "member"
)

// farewell is how long a child may take to end in an orderly way.
const farewell = 5 * time.Second

// reply is one line that a child writes to its standard output.
type reply struct {
	Inspection *Inspection    `json:"inspection,omitempty"`
	Content    *contentReply  `json:"content,omitempty"`
	Restored   *restoredReply `json:"restored,omitempty"`
	Serving    *servingReply  `json:"serving,omitempty"`
	Failed     *failedReply   `json:"failed,omitempty"`
}

type contentReply struct {
	At     time.Time `json:"at,omitzero"`
	Source string    `json:"source,omitempty"`
	Error  string    `json:"error,omitempty"`
}

type restoredReply struct {
	Took time.Duration `json:"took"`
}

type servingReply struct {
	Endpoint string        `json:"endpoint"`
	Took     time.Duration `json:"took"`
	Auth     bool          `json:"auth,omitempty"`
	Alarms   []string      `json:"alarms,omitempty"`
}

// failedReply is an orderly failure; a crash has only its last words.
type failedReply struct {
	Stage   string `json:"stage,omitempty"`
	Machine bool   `json:"machine,omitempty"`
	Message string `json:"message"`
}

func answer(stdout io.Writer, r reply) error { return json.NewEncoder(stdout).Encode(r) }

// Main is what the child does; cmd calls it for the hidden helper command. It
// returns the exit code. Besides the end of ctx, the end of stdin ends it: that
// pipe breaks when the parent is gone.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel(errors.New("the parent process is gone"))
	}()
	done := make(chan error, 1)
	go func() { done <- serve(ctx, args, stdout, stderr) }()
	err := wait(ctx, done)
	if err == nil {
		return 0
	}
	failure := &Failure{Machine: true, Err: err}
	errors.As(err, &failure)
	told := failedReply{Stage: failure.Stage, Machine: failure.Machine, Message: discreet(failure.Err.Error())}
	if err := answer(stdout, reply{Failed: &told}); err != nil {
		fmt.Fprintln(stderr, told.Message)
	}
	return 1
}

// wait waits for the work, or not for much longer once ctx has ended: a restore
// can't be interrupted.
func wait(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return context.Cause(ctx)
	}
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("this command is for gameday itself: it takes a verb and a request, not %d arguments", len(args))
	}
	switch args[0] {
	case verbInspect:
		var request inspectRequest
		if err := json.Unmarshal([]byte(args[1]), &request); err != nil {
			return fmt.Errorf("reading the request: %w", err)
		}
		return runInspect(ctx, request, stdout)
	case verbMember:
		var request memberRequest
		if err := json.Unmarshal([]byte(args[1]), &request); err != nil {
			return fmt.Errorf("reading the request: %w", err)
		}
		return runMember(ctx, request, stdout, stderr)
	default:
		return fmt.Errorf("this command is for gameday itself: it knows no %q", args[0])
	}
}
