package etcd

import (
	"testing"
	"time"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/internal/climbtest"
	"gameday.dev/gameday/experiments"
)

// How old a snapshot is that was there before is told by the cluster's clock; where that
// can't be asked for, nothing is told.
func TestAgeOfASnapshotIsToldByTheCluster(t *testing.T) {
	for name, at := range map[string]time.Time{"a clock": climbtest.Night(), "no clock": {}} {
		t.Run(name, func(t *testing.T) {
			record := &climbtest.Recorder{}
			c := &climb{Teller: backup.Teller{Record: record}, file: "etcd.db", env: experiments.Env{Client: climbtest.Clock(at)}}
			found := c.takeSnapshot(t.Context())
			if told := len(record.Story) == 1; told == at.IsZero() || told == (len(found.Notes) == 1) {
				t.Fatalf("recorded %v, noted %q", record.Story, found.Notes)
			}
			if at.IsZero() {
				return
			}
			var disaster backup.Disaster
			if err := record.Story[0].Decode(&disaster); err != nil || record.Story[0].Kind != backup.EventDisaster || !disaster.At.Equal(at) {
				t.Errorf("recorded %s at %s, %v", record.Story[0].Kind, disaster.At, err)
			}
		})
	}
}
