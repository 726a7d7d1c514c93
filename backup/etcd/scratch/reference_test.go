package scratch

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// flip is one byte changed.
type flip struct {
	at   int
	mask byte
}

// reference asks bbolt's own check about flips that it reads from stdin, one
// line for each: it answers "asking", and then "sound" or "damaged". It may die
// of one, which is an answer too; so is asking for memory without end.
func reference(path string, stdin io.Reader, stdout io.Writer) int {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 1
	}
	limit := unix.Rlimit{Cur: 2 << 30, Max: 2 << 30}
	if unix.Setrlimit(unix.RLIMIT_AS, &limit) != nil {
		return 1
	}
	for {
		var f flip
		if _, err := fmt.Fscanln(stdin, &f.at, &f.mask); err != nil {
			return 0
		}
		fmt.Fprintln(stdout, "asking")
		endless := time.AfterFunc(2*time.Second, func() { os.Exit(3) })
		var old [1]byte
		_, _ = file.ReadAt(old[:], int64(f.at))
		_, _ = file.WriteAt([]byte{old[0] ^ f.mask}, int64(f.at))
		verdict := "sound"
		if check(path) != nil {
			verdict = "damaged"
		}
		_, _ = file.WriteAt(old[:], int64(f.at))
		endless.Stop()
		fmt.Fprintln(stdout, verdict)
	}
}

func check(path string) error {
	db, err := bolt.Open(path, 0o400, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) (first error) {
		for err := range tx.Check() {
			first = err
		}
		return first
	})
}

// askReference gives bbolt's verdicts, true for damaged.
func askReference(t *testing.T, data []byte, flips []flip) []bool {
	t.Helper()
	var verdicts []bool
	for len(verdicts) < len(flips) {
		path := filepath.Join(t.TempDir(), "reference.db") // fresh: one that died has left its flip
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var asked bytes.Buffer
		for _, f := range flips[len(verdicts):] {
			fmt.Fprintln(&asked, f.at, f.mask)
		}
		command := exec.CommandContext(t.Context(), os.Args[0], asReference, path)
		command.Stdin = &asked
		output, err := command.Output()
		lines := bufio.NewScanner(bytes.NewReader(output))
		for lines.Scan() {
			if line := lines.Text(); line != "asking" {
				verdicts = append(verdicts, line == "damaged")
			}
		}
		switch {
		case len(verdicts) == len(flips):
		case err == nil || len(output) == 0:
			t.Fatalf("asking bbolt: %d answers to %d questions, %v", len(verdicts), len(flips), err)
		case strings.HasSuffix(string(output), "asking\n"):
			verdicts = append(verdicts, true) // it died of it
		}
	}
	return verdicts
}

// walkBytes is what the child does with a file's bytes.
func walkBytes(t testing.TB, data []byte) walked {
	t.Helper()
	w := walked{damage: &damage{}}
	if err := w.walk(context.Background(), data); err != nil {
		t.Fatalf("walking: %v", err)
	}
	return w
}
