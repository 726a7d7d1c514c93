package gobuild

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gameday.dev/gameday/test/cluster/internal/filelock"
	"gameday.dev/gameday/test/cluster/internal/process"
)

// A Builder builds components into a cache and never builds a program twice.
type Builder struct {
	Dir      string // of the cache
	Progress io.Writer
	Env      []string // more variables for the go command, such as GOOS=linux
}

// A Program is one binary of a component.
type Program struct {
	Component Component
	Name      string
}

// Path is where the program is once it is built. Binaries are renamed into
// place, so that what is there is complete.
func (b *Builder) Path(p Program) string {
	return filepath.Join(b.Dir, p.Component.key(), "bin", p.Name)
}

// Build builds what is missing of programs, one after another: one build
// already keeps all processors busy.
func (b *Builder) Build(ctx context.Context, programs []Program) error {
	var missing []Program
	for _, p := range programs {
		if _, err := os.Stat(b.Path(p)); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintf(b.Progress, "building %d programs from Go modules; this is done once, into %s\n", len(missing), b.Dir)
	begin := time.Now()
	for i, p := range missing {
		what := fmt.Sprintf("building %s %s (%d of %d)", p.Name, strings.TrimPrefix(p.Component.Version, "v"), i+1, len(missing))
		if err := b.buildOne(ctx, p, what); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	fmt.Fprintf(b.Progress, "built %d programs in %s\n", len(missing), time.Since(begin).Round(time.Second))
	return nil
}

func (b *Builder) buildOne(ctx context.Context, p Program, what string) error {
	home := filepath.Join(b.Dir, p.Component.key())
	if err := os.MkdirAll(filepath.Join(home, "bin"), 0o755); err != nil {
		return err
	}
	begin := time.Now()
	fmt.Fprintf(b.Progress, "%s ...\n", what)
	stop := b.every(15*time.Second, func() {
		fmt.Fprintf(b.Progress, "%s ... still going after %s\n", what, time.Since(begin).Round(time.Second))
	})
	defer stop()

	unlock, err := filelock.Lock(ctx, filepath.Join(home, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(b.Path(p)); err == nil { // another process built it while we waited
		return nil
	}
	module := filepath.Join(home, "module")
	if err := b.prepare(ctx, p.Component, module); err != nil {
		return err
	}
	half := b.Path(p) + ".partial"
	arguments := []string{"build", "-ldflags", strings.Join(append([]string{"-s", "-w"}, p.Component.LDFlags...), " ")}
	if len(p.Component.Tags) > 0 {
		arguments = append(arguments, "-tags", strings.Join(p.Component.Tags, ","))
	}
	arguments = append(arguments, "-o", half, p.Component.Packages[p.Name])
	if err := b.run(ctx, module, arguments...); err != nil {
		return err
	}
	if err := os.Rename(half, b.Path(p)); err != nil {
		return err
	}
	fmt.Fprintf(b.Progress, "%s done in %s\n", what, time.Since(begin).Round(time.Second))
	return nil
}

// Local builds packages of the module that the working directory is in. The
// go command knows best whether they are up to date, so it is always asked.
func (b *Builder) Local(ctx context.Context, out string, packages ...string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	// Without the state of the checkout in them, equal sources make equal programs, and equal images.
	arguments := append([]string{"build", "-buildvcs=false", "-ldflags", "-s -w", "-o", out + string(filepath.Separator)}, packages...)
	var text bytes.Buffer
	cmd := b.command(ctx, "", arguments...)
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := process.RunHelper(cmd); err != nil {
		return fmt.Errorf("building %s: %w\n%s", strings.Join(packages, " "), err, lastLines(text.String(), 20))
	}
	return nil
}

func (b *Builder) run(ctx context.Context, dir string, arguments ...string) error {
	_, err := b.output(ctx, dir, arguments...)
	return err
}

func (b *Builder) output(ctx context.Context, dir string, arguments ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := b.command(ctx, dir, arguments...)
	// The module must not be touched by what the user set for modules of their own.
	cmd.Env = append(cmd.Env, "GOFLAGS=-mod=mod", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := process.RunHelper(cmd); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, lastLines(stderr.String(), 20))
	}
	return stdout.Bytes(), nil
}

func (b *Builder) command(ctx context.Context, dir string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", arguments...)
	cmd.Dir = dir
	// Static binaries: they run in an image without a libc.
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), b.Env...)
	return cmd
}

// every calls f until the returned function is called.
func (b *Builder) every(interval time.Duration, f func()) func() {
	done := make(chan struct{})
	ticker := time.NewTicker(interval)
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
