package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the image has no zone files, and a window must not shift to UTC for it
)

// Window is the time in which a run may begin.
type Window struct {
	// Days on which the window opens. Unset: every day.
	Days []string `json:"days,omitempty" jsonschema:"enum=Mon,enum=Tue,enum=Wed,enum=Thu,enum=Fri,enum=Sat,enum=Sun"`
	// From is when the window opens, as HH:MM. Without from and to it is open all day.
	From string `json:"from,omitempty"`
	// To is when it closes, as HH:MM. Before from, it closes on the next day:
	// {days: [Fri], from: "22:00", to: "04:00"} ends on Saturday.
	To string `json:"to,omitempty"`
	// TimeZone is a name of the IANA database, like Europe/Berlin. Default UTC.
	TimeZone string `json:"timeZone,omitempty"`
}

const clockLayout = "15:04"

// weekdays in the order in which a person lists them.
func weekdays() []string { return []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} }

// Open says whether a run may begin now and, either way, why. A nil window is
// always open; one that cannot be read never is.
func (w *Window) Open(now time.Time) (bool, string) {
	if w == nil {
		return true, "no window: any time"
	}
	from, to, zone, err := w.parse()
	if err != nil {
		return false, fmt.Sprintf("window cannot be read: %v", err)
	}
	local := now.In(zone)
	// A window that crosses midnight may have opened yesterday.
	for _, back := range []int{0, 1} {
		opens, closes := w.on(local.AddDate(0, 0, -back), from, to)
		if w.hasDay(opens.Weekday()) && !local.Before(opens) && local.Before(closes) {
			return true, fmt.Sprintf("%s is inside %s", stamp(local), w)
		}
	}
	reason := fmt.Sprintf("%s is outside %s", stamp(local), w)
	for ahead := range 8 {
		opens, _ := w.on(local.AddDate(0, 0, ahead), from, to)
		if w.hasDay(opens.Weekday()) && opens.After(local) {
			return false, reason + "; it opens " + opens.Format("Mon 2006-01-02 15:04")
		}
	}
	return false, reason
}

// String shows the window as a person would say it.
func (w *Window) String() string {
	days := "every day"
	if len(w.Days) > 0 {
		days = strings.Join(w.Days, ", ")
	}
	hours := w.From + "-" + w.To
	if w.From == "" && w.To == "" {
		hours = "all day"
	}
	return fmt.Sprintf("%s %s %s", days, hours, w.zoneName())
}

func (w *Window) zoneName() string {
	if w.TimeZone == "" {
		return "UTC"
	}
	return w.TimeZone
}

func (w *Window) parse() (from, to time.Time, zone *time.Location, err error) {
	opens, closes := w.From, w.To
	if opens == "" && closes == "" {
		opens, closes = "00:00", "00:00" // from midnight to midnight
	}
	if from, err = parseClock(opens); err != nil {
		return from, to, nil, fmt.Errorf("reading from: %w", err)
	}
	if to, err = parseClock(closes); err != nil {
		return from, to, nil, fmt.Errorf("reading to: %w", err)
	}
	zone, err = loadZone(w.zoneName())
	return from, to, zone, err
}

// on gives the window that opens on the day of a local time.
func (w *Window) on(day time.Time, from, to time.Time) (opens, closes time.Time) {
	at := func(days int, clock time.Time) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day()+days, clock.Hour(), clock.Minute(), 0, 0, day.Location())
	}
	opens, closes = at(0, from), at(0, to)
	if !to.After(from) {
		closes = at(1, to)
	}
	return opens, closes
}

func (w *Window) hasDay(day time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, day.String()[:3])
}

func parseClock(text string) (time.Time, error) {
	clock, err := time.Parse(clockLayout, text)
	if err != nil || len(text) != len(clockLayout) {
		return time.Time{}, fmt.Errorf("%q is not a time of day like 09:30", text)
	}
	return clock, nil
}

// loadZone refuses Local: a scenario must mean the same time on a laptop and
// in a pod.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, fmt.Errorf("time zone %q differs between machines", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not in the IANA database", name)
	}
	return zone, nil
}

func stamp(local time.Time) string { return local.Format("Mon 2006-01-02 15:04 MST") }
