package alerts

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify"
)

// A record of a long and bad day is judged in a moment: the loop judges again
// and again while it grows.
func TestLongRecord(t *testing.T) {
	var events []journal.Event
	record := func(at int, check, step, kind string, payload any) {
		data, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, journal.Event{Version: 1, Seq: int64(len(events)) + 1, Time: second(at), Kind: kind, Check: check, Step: step, Data: data})
	}
	rules := []alertRule{{Name: "Watchdog", Interval: 5, Health: "ok", Query: "vector(1)", Watchdog: true}}
	for i := range 200 {
		rules = append(rules, alertRule{Name: fmt.Sprint("Rule", i), Interval: 5, Health: "ok", Query: "up == 0"})
	}
	record(-10, "pager", "", eventServer, serverState{})
	record(-10, "pager", "", eventRules, ruleList{All: true, Rules: rules})
	record(0, "", "kill", journal.StepInjecting, nil)
	const polls = 20_000
	for i := range polls {
		at := 5 * i
		moved := firingFrom(fmt.Sprint("Rule", i%200), [2]int{at, at + 1})
		moved.Labels["pod"] = fmt.Sprint(i / 10)
		record(at, "pager", "", eventSamples, sampleSet{From: second(at - 15), To: second(at), Evaluated: second(at),
			Series: []alertSeries{firingFrom("Watchdog", [2]int{-10, at}), moved}})
		record(at, "", "", journal.RunHeartbeat, nil)
		record(at, "pager", "", eventGap, gapMark{At: second(at), Of: ofAlertmanager, Reason: []string{"", "refused"}[i%2]})
		if i%200 == 0 {
			record(at, "pager", "", eventRules, ruleList{All: true, Rules: rules})
		}
	}
	began := time.Now()
	finding := New("pager", Spec{
		Expect: []Expectation{{Alert: "Rule7", Labels: map[string]string{"pod": "none"}, Step: "kill", Within: seconds(60)}},
		Forbid: []Prohibition{{Labels: map[string]string{"severity": "critical"}}},
	}).Judge(journal.NewRecord(events))
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("judging %d events took %s", len(events), took)
	}
	if finding.Verdict == verify.Pass || len(finding.Details) > 3*mostDetails {
		t.Errorf("%v with %d details: %s", finding.Verdict, len(finding.Details), finding.Summary)
	}
}
