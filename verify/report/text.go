package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// Options is how text is laid out. The zero value gives plain, unwrapped text.
type Options struct {
	Color bool
	// Width wraps lines, 0 leaves them whole.
	Width int
	// RunDir is named as the place of the record and the reports, if given.
	RunDir string
}

// Text writes the report for people. What the cluster said is stripped of
// control characters: an alert's annotation must not steer a terminal.
func Text(w io.Writer, r Report, options Options) error {
	t := &text{Options: options, column: nameColumn(r, options.Width)}
	t.header(r)
	t.items(r)
	t.footer(r)
	_, err := io.WriteString(w, t.String())
	return err
}

type text struct {
	strings.Builder
	Options
	column int // where summaries begin
}

const (
	markWidth   = 6  // "  ok  "
	longestName = 32 // a longer name stays whole and has its summary below it
	gap         = 2
)

func nameColumn(r Report, width int) int {
	limit := longestName
	if width > 0 {
		limit = min(limit, width/3)
	}
	longest := 0
	fits := func(name string) {
		if n := utf8.RuneCountInString(name); n <= limit {
			longest = max(longest, n)
		}
	}
	for _, step := range r.Steps {
		fits(step.Name)
	}
	for _, check := range r.Checks {
		fits(check.Name)
	}
	return markWidth + longest + gap
}

func (t *text) header(r Report) {
	word, color := headline(r)
	parts := []string{Printable(r.Scenario), t.paint(bold+color, word),
		"in " + duration(r.DurationSeconds), Printable(r.Cluster), fmt.Sprintf("seed %d", r.Seed),
		r.Started.UTC().Format("2006-01-02 15:04:05Z")}
	t.spread(parts)
}

// headline is the word of the exit code: how a run ended says more than the
// verdict of what it still found.
func headline(r Report) (word, color string) {
	switch ExitCode(r) {
	case ExitPass:
		return "PASS", green
	case ExitNotUndone:
		return "NOT UNDONE", red
	case ExitInterrupted:
		return "INTERRUPTED", yellow
	case ExitRefused:
		return "REFUSED", yellow
	case ExitFail:
		return "FAIL", red
	default:
		return "INCONCLUSIVE", yellow
	}
}

func (t *text) items(r Report) {
	refused := r.Refused != ""
	for _, step := range r.Steps {
		if refused {
			break // none of them ran, and the footer says why
		}
		mark, color := markOf(step.Verdict)
		if step.State == journal.Skipped {
			mark, color = "--", dim
		}
		summary := step.Summary
		if step.Settled != nil && step.Settled.Recovered && step.Settled.Summary != "" {
			summary += "; " + step.Settled.Summary
		}
		t.item(t.paint(color, mark), step.Name, summary, step.Details)
	}
	for _, check := range r.Checks {
		mark, color := markOf(check.Verdict)
		t.item(t.paint(color, mark), check.Name, check.Summary, check.Details)
	}
}

func markOf(verdict verify.Verdict) (mark, color string) {
	switch verdict {
	case verify.Pass:
		return "ok", green
	case verify.Fail:
		return "XX", red
	default:
		return "??", yellow
	}
}

func (t *text) item(mark, name, summary string, details []string) {
	name = Printable(name)
	t.WriteString("  " + mark + "  " + name)
	lines := t.wrap(summary, t.column)
	if pad := t.column - markWidth - utf8.RuneCountInString(name); pad >= gap {
		first := ""
		if len(lines) > 0 {
			first, lines = lines[0], lines[1:]
		}
		if first != "" {
			t.WriteString(strings.Repeat(" ", pad) + first)
		}
	}
	t.WriteByte('\n')
	indent := strings.Repeat(" ", t.column)
	for _, line := range lines {
		t.WriteString(indent + line + "\n")
	}
	for _, detail := range details {
		for _, line := range t.wrap(detail, t.column) {
			t.WriteString(indent + t.paint(dim, line) + "\n")
		}
	}
}

func (t *text) footer(r Report) {
	conduct := r.conduct()
	if conduct.Verdict != verify.Pass && r.Cleanup != CleanupIncomplete {
		t.line("", "", conduct.Summary)
	}
	switch r.Cleanup {
	case CleanupIncomplete:
		t.line(red, "", "NOT UNDONE; what is left and how to finish it:")
	case CleanupUnknown:
		t.line(yellow, "", "cleanup unknown:")
	}
	for _, left := range r.Left {
		t.line("", "  ", left)
	}
	var parts []string
	switch {
	case r.Cleanup == CleanupIncomplete:
		parts = append(parts, "undo it: gameday recover "+orElse(t.RunDir, r.Run))
	case r.Cleanup == CleanupComplete && r.Refused == "":
		parts = append(parts, "everything undone")
	}
	if t.RunDir != "" {
		parts = append(parts, "report: "+strings.TrimSuffix(t.RunDir, "/")+"/"+JSONFile, "judge again: gameday judge "+t.RunDir)
	}
	if len(parts) > 0 {
		t.spread(parts)
	}
	for _, hint := range hints(r) {
		t.line("", "", "hint: "+hint)
	}
}

// hints are those of the run and of its checks, each once.
func hints(r Report) []string {
	var all []string
	seen := map[string]bool{}
	add := func(hints []string) {
		for _, hint := range hints {
			if !seen[hint] {
				seen[hint] = true
				all = append(all, hint)
			}
		}
	}
	add(r.Hints)
	if r.Refused != "" {
		return all // the checks had nothing to see, so their advice misleads
	}
	for _, step := range r.Steps {
		add(step.Hints)
	}
	for _, check := range r.Checks {
		add(check.Hints)
	}
	return all
}

// splitHints takes the "hint: " lines out of a message.
func splitHints(message string) (reason string, hints []string) {
	var lines []string
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			hints = append(hints, hint)
		} else if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n"), hints
}

// duration is precise for short runs and readable for long ones.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000Z") }
