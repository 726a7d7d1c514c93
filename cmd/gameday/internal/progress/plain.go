package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify/report"
)

// silence is how long plain output stays quiet before it says that the run
// goes on; CI systems end jobs that say nothing for minutes.
const silence = 30 * time.Second

// plain writes a line for each event that means something to people.
type plain struct {
	w     io.Writer
	model *model
	last  time.Time // when something was last written
}

func (p *plain) every() time.Duration { return time.Second }

func (p *plain) event(event journal.Event) {
	if line := p.model.apply(event); line != "" {
		p.line(event.Time, line)
		p.last = time.Now()
	}
}

func (p *plain) tick(now time.Time) {
	if p.last.IsZero() {
		p.last = now
	}
	if now.Sub(p.last) < silence || p.model.over {
		return
	}
	p.line(now, "still: "+strings.Join(p.model.activities(now), ", "))
	p.last = now
}

func (p *plain) clear() {}
func (p *plain) end()   {}

func (p *plain) line(at time.Time, line string) {
	fmt.Fprintf(p.w, "%s %s\n", at.UTC().Format(time.TimeOnly), report.Printable(line))
}
