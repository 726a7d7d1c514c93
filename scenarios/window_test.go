package scenarios

import (
	"strings"
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	office := &Window{Days: []string{"Mon", "Tue", "Wed", "Thu", "Fri"}, From: "10:00", To: "16:00", TimeZone: "Europe/Berlin"}
	night := &Window{Days: []string{"Fri"}, From: "22:00", To: "04:00"}
	weekend := &Window{Days: []string{"Sat", "Sun"}}
	for _, test := range []struct {
		name   string
		window *Window
		now    string
		open   bool
		reason string // part of it
	}{
		{"no window", nil, "2026-11-22T03:00:00Z", true, "any time"},
		{"opens", office, "2026-11-23T09:00:00Z", true, "Mon 2026-11-23 10:00 CET is inside"},
		{"just before", office, "2026-11-23T08:59:59Z", false, "it opens Mon 2026-11-23 10:00"},
		{"last second", office, "2026-11-23T14:59:59Z", true, ""},
		{"closes", office, "2026-11-23T15:00:00Z", false, "it opens Tue 2026-11-24 10:00"},
		{"summer time", office, "2026-07-01T08:00:00Z", true, "10:00 CEST"},
		{"Friday evening", office, "2026-11-27T18:00:00Z", false, "it opens Mon 2026-11-30 10:00"},
		{"Sunday", office, "2026-11-22T10:00:00Z", false, "Sun 2026-11-22 11:00 CET is outside Mon, Tue, Wed, Thu, Fri 10:00-16:00 Europe/Berlin"},
		{"before midnight", night, "2026-11-27T23:00:00Z", true, ""},
		{"past midnight", night, "2026-11-28T03:59:00Z", true, ""},
		{"past its end", night, "2026-11-28T04:00:00Z", false, "it opens Fri 2026-12-04 22:00"},
		{"early on its own day", night, "2026-11-27T03:00:00Z", false, "it opens Fri 2026-11-27 22:00"},
		{"all day", weekend, "2026-11-22T23:59:59Z", true, "all day UTC"},
		{"all day on another", weekend, "2026-11-23T00:00:00Z", false, "it opens Sat 2026-11-28 00:00"},
		{"unreadable", &Window{From: "10", To: "11"}, "2026-11-23T10:30:00Z", false, "cannot be read"},
		{"half a window", &Window{From: "10:00"}, "2026-11-23T09:00:00Z", false, "cannot be read"},
		{"unknown zone", &Window{TimeZone: "Mars/Olympus"}, "2026-11-23T10:30:00Z", false, "cannot be read"},
		{"zone of the machine", &Window{TimeZone: "Local"}, "2026-11-23T10:30:00Z", false, "cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, test.now)
			if err != nil {
				t.Fatal(err)
			}
			open, reason := test.window.Open(now)
			if open != test.open || !strings.Contains(reason, test.reason) {
				t.Errorf("got %t, %q; want %t, ...%q...", open, reason, test.open, test.reason)
			}
		})
	}
}
