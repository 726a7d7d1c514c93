package scratch

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"gameday.dev/gameday/internal/child"
)

// helper is a child at work, seen from its parent.
type helper struct {
	*child.Process
	// replies is closed when the child has ended and all it said has been read.
	replies <-chan reply
	// lifeline is its standard input: nothing is ever written to it, and it breaks
	// when this process is gone, however that came.
	lifeline *os.File
}

// startHelper starts a child that does what verb says.
func startHelper(program []string, verb string, request any) (*helper, error) {
	encoded, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	input, lifeline, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to a child: %w", err)
	}
	defer input.Close()
	output, stdout := io.Pipe()
	process, err := child.Start(child.Spec{
		Args: append(slices.Clone(program), verb, string(encoded)), Stdin: input, Stdout: stdout,
	})
	if err != nil {
		lifeline.Close()
		return nil, err
	}
	go func() {
		<-process.Ended()
		_ = stdout.Close() // never fails
	}()
	return &helper{Process: process, replies: readReplies(output), lifeline: lifeline}, nil
}

// readReplies reads until the output ends. What is no reply ends the reading but
// must not make the child wait for a reader.
func readReplies(output io.Reader) <-chan reply {
	replies := make(chan reply, 8) // more than a child ever says
	go func() {
		defer close(replies)
		decoder := json.NewDecoder(output)
		for {
			var r reply
			if decoder.Decode(&r) != nil {
				break
			}
			replies <- r
		}
		_, _ = io.Copy(io.Discard, output)
	}()
	return replies
}

// stop ends the child; grace may be 0.
func (h *helper) stop(grace time.Duration) {
	h.Stop(grace)
	h.lifeline.Close()
}
