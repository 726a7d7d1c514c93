package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify/report"
)

// process is a gameday at work.
type process struct {
	*scene
	cmd            *exec.Cmd
	stdout, stderr buffer
	runs           string // its --runs-dir, if any
	ended          chan struct{}
}

// result is what a gameday that has ended leaves behind.
type result struct {
	*scene
	command        string
	code           int
	stdout, stderr string
	dir            string // the run directory, empty if it made none
	report         report.Report
}

// gameday calls the program with these arguments and nothing else.
func (s *scene) gameday(args ...string) *result {
	s.Helper()
	return s.start(args...).wait()
}

// plan asks what a run of the drill would do.
func (s *scene) plan(d drill, flags ...string) *result {
	s.Helper()
	return s.gameday(append([]string{"plan", s.file(d), "--context", s.context, "--set", "ns=" + s.ns, "--set", "node=" + s.stage}, flags...)...)
}

// run runs the drill to its end.
func (s *scene) run(d drill, flags ...string) *result {
	s.Helper()
	return s.begin(d, flags...).wait()
}

// begin starts a run of the drill.
func (s *scene) begin(d drill, flags ...string) *process {
	s.Helper()
	runs, err := os.MkdirTemp(s.dir, "runs-")
	s.must(err)
	return s.start(append([]string{"run", s.file(d), "--yes", "--context", s.context, "--runs-dir", runs,
		"--set", "ns=" + s.ns, "--set", "node=" + s.stage}, flags...)...)
}

// recover undoes what runs have left.
func (s *scene) recover(args ...string) *result {
	s.Helper()
	return s.gameday(append([]string{"recover", "--yes", "--context", s.context}, args...)...)
}

func (s *scene) start(args ...string) *process {
	s.Helper()
	p := &process{scene: s, cmd: exec.CommandContext(s.ctx, s.program, args...), ended: make(chan struct{})}
	for i, arg := range args {
		if arg == "--runs-dir" {
			p.runs = args[i+1]
		}
	}
	p.cmd.Dir = s.dir
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "GAMEDAY_ENVIRONMENT=")
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	s.must(p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // the exit code says it
		close(p.ended)
	}()
	s.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
	return p
}

// until waits for an event of the run, as its record has it, and returns it.
func (p *process) until(kind string, is ...func(journal.Event) bool) journal.Event {
	p.Helper()
	var found journal.Event
	p.eventually("the run has written "+kind, func() (bool, string) {
		record, err := journal.Read(p.dirNow())
		if err == nil {
			for event := range record.All() {
				if event.Kind == kind && (len(is) == 0 || is[0](event)) {
					found = event
					return true, ""
				}
			}
		}
		select {
		case <-p.ended:
			p.Fatalf("the run ended before it wrote %s:\n%s%s", kind, p.stdout.String(), p.stderr.String())
		default:
		}
		return false, fmt.Sprintf("%v\n%s", err, p.stderr.String())
	})
	return found
}

// untilSays waits for a text on standard error.
func (p *process) untilSays(text string) {
	p.Helper()
	p.eventually("gameday says "+text, func() (bool, string) {
		return strings.Contains(p.stderr.String(), text), p.stderr.String()
	})
}

func (p *process) signal(signal os.Signal) {
	p.Helper()
	p.must(p.cmd.Process.Signal(signal))
}

// dirNow is the run directory as soon as there is one.
func (p *process) dirNow() string {
	dirs, _ := filepath.Glob(filepath.Join(p.runs, "*", journal.ArtifactsName))
	if p.runs == "" || len(dirs) == 0 {
		return ""
	}
	return filepath.Dir(dirs[0])
}

// longest is what any run may take: ten minutes of drills, five of undoing, and some to
// settle.
const longest = 17 * time.Minute

func (p *process) wait() *result {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(longest):
		p.Fatalf("%s does not end:\n%s%s", p.cmd, p.stdout.String(), p.stderr.String())
	}
	r := &result{
		scene: p.scene, command: strings.Join(p.cmd.Args, " "), code: p.cmd.ProcessState.ExitCode(),
		stdout: p.stdout.String(), stderr: p.stderr.String(), dir: p.dirNow(),
	}
	if r.dir != "" {
		data, err := os.ReadFile(filepath.Join(r.dir, report.JSONFile))
		if err == nil {
			p.must(json.Unmarshal(data, &r.report))
		} else if !errors.Is(err, os.ErrNotExist) {
			p.Error(err)
		}
	}
	p.Logf("$ gameday %s\n%s%sexit code %d", strings.Join(p.cmd.Args[1:], " "), r.stderr, r.stdout, r.code)
	return r
}

// exits holds the run against its exit code: the contract with scripts.
func (r *result) exits(code int) *result {
	r.Helper()
	if r.code != code {
		r.Fatalf("exit code %d, want %d", r.code, code)
	}
	if r.report.Kind != "" && r.report.ExitCode != r.code {
		r.Errorf("report.json says exit code %d, the process ended with %d", r.report.ExitCode, r.code)
	}
	return r
}

// says wants each text in what a person reads.
func (r *result) says(texts ...string) *result {
	r.Helper()
	all := oneLine(r.stdout + "\n" + r.stderr)
	for _, text := range texts {
		if !strings.Contains(all, r.fill(text)) {
			r.Errorf("nothing is said of %q", r.fill(text))
		}
	}
	return r
}

func (r *result) saysNot(text string) *result {
	r.Helper()
	if strings.Contains(oneLine(r.stdout+"\n"+r.stderr), r.fill(text)) {
		r.Errorf("it says %q", r.fill(text))
	}
	return r
}

// undone wants the report to say that nothing is left.
func (r *result) undone() *result {
	r.Helper()
	if !r.report.Undone || len(r.report.Left) > 0 {
		r.Errorf("the report says undone=%v, left=%q", r.report.Undone, r.report.Left)
	}
	return r
}

// step is a step of the report.
func (r *result) step(name string) report.Step {
	r.Helper()
	for _, step := range r.report.Steps {
		if step.Name == name {
			return step
		}
	}
	r.Fatalf("the report has no step %s", name)
	return report.Step{}
}

// taken are the names of the pods that the run took away, by its record.
func (r *result) taken() []string {
	r.Helper()
	record, err := journal.Read(r.dir)
	r.must(err)
	var names []string
	for event := range record.All() {
		if event.Kind == journal.PodDisrupted {
			var disruption journal.Disruption
			r.must(event.Decode(&disruption))
			names = append(names, disruption.Target.Name)
		}
	}
	return names
}

// fill puts the scene's names into a text.
func (s *scene) fill(text string) string {
	return strings.NewReplacer("${ns}", s.ns, "${node}", s.stage, "${wing}", s.wing).Replace(text)
}

// buffer may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	data bytes.Buffer
}

var _ io.Writer = (*buffer)(nil)

func (b *buffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Write(data)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}
