package child

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary is also the parent that is killed.
const asParent = "as-parent"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asParent {
		// A thread that is locked by a goroutine ends with it; that of the caller
		// must not take the child along.
		var threads sync.WaitGroup
		for range 20 {
			threads.Go(func() {
				runtime.LockOSThread()
				process, err := Start(Spec{Args: os.Args[2:]})
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				fmt.Println(process.Pid())
			})
		}
		threads.Wait()
		fmt.Println("started")
		select {}
	}
	os.Exit(m.Run())
}

func sh(script string) []string { return []string{"sh", "-c", script} }

func start(t *testing.T, spec Spec) *Process {
	t.Helper()
	p, err := Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(0) })
	return p
}

func ended(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Ended():
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
}

// gone waits until a process is no more, or only waits to be counted.
func gone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		_, state, _ := strings.Cut(string(stat), ") ")
		if syscall.Kill(pid, 0) != nil || strings.HasPrefix(state, "Z") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

func TestHowAChildEnds(t *testing.T) {
	tests := map[string]struct {
		script string
		want   Exit
		text   string
	}{
		"well":      {"exit 0", Exit{}, ""},
		"with code": {"exit 3", Exit{Code: 3}, "exited with code 3"},
		"by signal": {"kill -9 $$", Exit{Code: -1, Signal: syscall.SIGKILL}, "ended by signal 9 (killed)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, Spec{Args: sh(test.script)})
			ended(t, p)
			if test.text == "" {
				if p.Err() != nil {
					t.Errorf("got %v", p.Err())
				}
				return
			}
			var exit *Exit
			if !errors.As(p.Err(), &exit) || *exit != test.want || exit.Error() != test.text {
				t.Errorf("got %v", p.Err())
			}
		})
	}
}

func TestWhatAChildReadsAndWrites(t *testing.T) {
	var out bytes.Buffer
	dir := t.TempDir()
	p := start(t, Spec{
		Args: sh("cat; pwd; echo $COLOUR; echo trouble >&2"), Dir: dir, Env: []string{"COLOUR=red", "PATH=" + os.Getenv("PATH")},
		Stdin: strings.NewReader("hello\n"), Stdout: &out,
	})
	ended(t, p)
	if p.Err() != nil || out.String() != "hello\n"+dir+"\nred\n" || p.Stderr() != "trouble\n" {
		t.Errorf("got %q, stderr %q, %v", out.String(), p.Stderr(), p.Err())
	}
}

func TestStartSaysWhatCannotBeStarted(t *testing.T) {
	if _, err := Start(Spec{Args: []string{"/no/such/program"}}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(Spec{}); err == nil {
		t.Error("nothing was started")
	}
}

func TestStopIsGentleFirst(t *testing.T) {
	output, stdout := io.Pipe()
	p := start(t, Spec{Args: sh("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"), Stdout: stdout})
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p.Stop(time.Minute)
	if want := (&Exit{Code: 7}).Error(); p.Err() == nil || p.Err().Error() != want {
		t.Errorf("got %v, want %s", p.Err(), want)
	}
	p.Stop(time.Second) // again
}

func TestStopKillsTheGroupOfWhoDoesNotListen(t *testing.T) {
	output, stdout := io.Pipe()
	p := start(t, Spec{Args: sh("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.01; done' & wait; wait"), Stdout: stdout})
	var grandchild int
	if _, err := fmt.Fscanln(bufio.NewReader(output), &grandchild); err != nil {
		t.Fatal(err)
	}
	p.Stop(50 * time.Millisecond)
	var exit *Exit
	if !errors.As(p.Err(), &exit) || exit.Signal != syscall.SIGKILL {
		t.Errorf("got %v", p.Err())
	}
	gone(t, p.Pid())
	gone(t, grandchild)
}

func TestWhatAChildLeavesInItsGroupGoesWithIt(t *testing.T) {
	output, stdout := io.Pipe()
	p := start(t, Spec{Args: sh("sleep 1000 & echo $!"), Stdout: stdout})
	var left int
	if _, err := fmt.Fscanln(bufio.NewReader(output), &left); err != nil {
		t.Fatal(err)
	}
	ended(t, p)
	gone(t, left)
}

func TestAChildHasItsOwnGroup(t *testing.T) {
	p := start(t, Spec{Args: []string{"sleep", "1000"}})
	if group, err := syscall.Getpgid(p.Pid()); err != nil || group != p.Pid() {
		t.Errorf("group %d of process %d, %v", group, p.Pid(), err)
	}
	if p.Err() != nil {
		t.Errorf("it runs, and has ended with %v", p.Err())
	}
}

func TestAChildDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0], asParent, "sleep", "1000")
	output, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var children []int
	for lines := bufio.NewScanner(output); lines.Scan() && lines.Text() != "started"; {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, pid)
	}
	time.Sleep(50 * time.Millisecond) // for threads to end, which nothing tells
	if len(children) != 20 {
		t.Fatalf("%d children of 20", len(children))
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, 0); err != nil {
			t.Errorf("child %d is gone before its parent: %v", pid, err)
		}
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	for _, pid := range children {
		gone(t, pid)
	}
}

func TestOnlyTheEndOfStandardErrorIsKept(t *testing.T) {
	p := start(t, Spec{Args: sh("echo first >&2; i=0; while [ $i -lt 3000 ]; do echo 'a line of some forty characters, or so' >&2; i=$((i+1)); done; echo last >&2")})
	ended(t, p)
	said := p.Stderr()
	if len(said) != kept || !strings.HasSuffix(said, "or so\nlast\n") || strings.Contains(said, "first") {
		t.Errorf("%d bytes, ending in %q", len(said), said[max(0, len(said)-30):])
	}
}

func TestTail(t *testing.T) {
	var all bytes.Buffer
	end := newTail()
	for i := range 400 {
		part := bytes.Repeat([]byte{byte('a' + i%26)}, i*7%1000)
		if i == 300 {
			part = bytes.Repeat([]byte("0123456789"), kept/5) // more than fits
		}
		all.Write(part)
		if n, err := end.Write(part); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
		want := all.Bytes()[max(0, all.Len()-kept):]
		if got := end.String(); got != string(want) {
			t.Fatalf("after %d bytes: %d kept, or others than the last", all.Len(), len(got))
		}
	}
}

func TestNoFilesAreLeftOpen(t *testing.T) {
	open := func() int {
		files, err := filepath.Glob("/proc/self/fd/*")
		if err != nil || len(files) == 0 {
			t.Skip("this system does not list open files")
		}
		return len(files)
	}
	p := start(t, Spec{Args: []string{"true"}, Stdin: strings.NewReader("x"), Stdout: io.Discard})
	ended(t, p) // what the runtime opens once is open now
	before := open()
	for range 20 {
		ended(t, start(t, Spec{Args: []string{"true"}, Stdin: strings.NewReader("x"), Stdout: io.Discard}))
		_, _ = Start(Spec{Args: []string{"/no/such/program"}, Stdin: strings.NewReader("x"), Stdout: io.Discard})
	}
	if after := open(); after > before {
		t.Errorf("%d files are open, %d were before", after, before)
	}
}
