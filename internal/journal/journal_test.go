package journal

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	writer, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	writer.ForStep("kill").Record(StepInjecting, nil)
	writer.ForCheck("web").Record("availability.count", map[string]int{"available": 2})
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	record, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if record.Len() != 2 || record.Torn() {
		t.Fatalf("read %d events, torn %v; want 2, whole", record.Len(), record.Torn())
	}
	for event := range record.OfCheck("web") {
		var payload struct{ Available int }
		if err := event.Decode(&payload); err != nil || payload.Available != 2 {
			t.Errorf("payload %+v, error %v", payload, err)
		}
	}
}

func TestAJournalIsNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	writer, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := Create(dir); err == nil {
		t.Fatal("a second run could write into the record of the first")
	}
}

func TestDamage(t *testing.T) {
	line := func(seq string) string {
		return `{"v":1,"seq":` + seq + `,"time":"2026-11-02T10:00:00Z","kind":"run.heartbeat"}` + "\n"
	}
	for name, test := range map[string]struct {
		content string
		events  int
		torn    bool
		problem string
	}{
		"empty":            {"", 0, false, ""},
		"whole":            {line("1") + line("2"), 2, false, ""},
		"last line cut":    {line("1") + line("2")[:20], 1, true, ""},
		"line lost":        {line("1") + line("3"), 0, false, ":2: event 3 where 2 was expected"},
		"damaged middle":   {line("1") + "{\"v\":1,\n" + line("3"), 0, false, ":2: not an event"},
		"newer format":     {strings.Replace(line("1"), `"v":1`, `"v":99`, 1), 0, false, ":1: event version 99"},
		"some other JSON":  {"{}\n", 0, false, ":1: event version 0"},
		"not JSON at all":  {"<html>\n", 0, false, ":1: not an event"},
		"binary, no lines": {"\x00\x01\x02", 0, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			record, err := Read(path)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Fatalf("error %v, want one with %q", err, test.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if record.Len() != test.events || record.Torn() != test.torn {
				t.Errorf("%d events, torn %v; want %d, %v", record.Len(), record.Torn(), test.events, test.torn)
			}
		})
	}
}

func TestReopenContinuesATornJournal(t *testing.T) {
	dir := t.TempDir()
	writer, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	writer.ForStep("a").Record(StepInjecting, nil)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"v":1,"seq":2,"ti`); err != nil {
		t.Fatal(err)
	}
	file.Close()

	again, err := Reopen(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.ForStep("a").Record(StepUndone, Undone{OK: true})
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	record, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if record.Len() != 2 || record.Torn() {
		t.Errorf("%d events, torn %v; want 2, whole", record.Len(), record.Torn())
	}
}

func TestAFailedFileStillLeavesARecordInMemory(t *testing.T) {
	writer, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writer.ForStep("a").Record(StepInjecting, nil)
	writer.file.Close() // every write fails from now on, as on a full disk
	writer.ForStep("a").Record(StepInjected, Outcome{State: Done})
	select {
	case <-writer.Failed():
	default:
		t.Fatal("nobody was told that the journal can't be written")
	}
	writer.ForStep("a").Record(StepUndone, Undone{OK: true})
	if writer.Err() == nil || writer.Record().Len() != 3 {
		t.Errorf("error %v, %d events in memory; want an error and 3", writer.Err(), writer.Record().Len())
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"seq":1,"time":"2026-11-02T10:00:00Z","kind":"run.heartbeat"}` + "\n"))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		record, err := decode(strings.NewReader(string(data)))
		if err == nil && record.size > int64(len(data)) {
			t.Errorf("%d bytes of whole lines in %d bytes", record.size, len(data))
		}
	})
}

func TestAnEventThatCannotBeEncodedIsALostEvent(t *testing.T) {
	writer, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if err := writer.Append("", "", RunHeartbeat, math.NaN()); err == nil {
		t.Error("no error")
	}
	select {
	case <-writer.Failed():
	default:
		t.Errorf("the run is not told; error %v", writer.Err())
	}
	if err := writer.Append("", "", RunHeartbeat, nil); err == nil {
		t.Error("a journal with a hole is written on")
	}
}
