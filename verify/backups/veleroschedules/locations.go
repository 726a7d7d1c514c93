package veleroschedules

import (
	"fmt"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/verify/backups/internal/age"
)

// believed is for how long a storage location is taken to be as Velero last
// found it. Velero looks once a minute unless it is told otherwise; one that has
// not for an hour is not running, and its last word tells nothing of now.
const believed = time.Hour

// interval is how often the location is validated; 0 when never, negative when
// the record does not say.
func (l locationSeen) interval() time.Duration {
	switch l.Every {
	case "default":
		return time.Minute
	case "disabled":
		return 0
	}
	every, err := time.ParseDuration(l.Every)
	if err != nil || every <= 0 {
		return -1
	}
	return every
}

// weighLocations finds whether the newest backup could be restored from where
// it is, and whether the next one could be written.
func (w *weighed) weighLocations(look lookEvent, newest *backupSeen) {
	if newest != nil {
		w.weighLocation(look, newest.Location, newest.Name+" can not be restored now", false)
	}
	if newest == nil || newest.Location != w.schedule.Location || w.readOnly(look) {
		w.weighLocation(look, w.schedule.Location, "the next backup can not be written", true)
	}
}

func (w *weighed) readOnly(look lookEvent) bool {
	location := look.location(w.schedule.Location)
	return location != nil && location.Access == string(velerov1.BackupStorageLocationAccessModeReadOnly)
}

func (w *weighed) weighLocation(look lookEvent, name, so string, written bool) {
	location := look.location(name)
	if location == nil {
		w.fail("%s: there is no storage location %s", so, orNone(name))
		w.hint("look at which locations there are: kubectl -n %s get backupstoragelocations", look.Namespace)
		return
	}
	seeIt := fmt.Sprintf("look at what Velero says of it: kubectl -n %s describe backupstoragelocation %s", look.Namespace, name)
	since := look.now().Sub(location.Validated)
	switch {
	case location.Validated.IsZero():
		w.cannotTell("storage location %s was never validated", name)
		w.isItRunning()
	case location.Phase == string(velerov1.BackupStorageLocationPhaseUnavailable):
		w.fail("%s: storage location %s is Unavailable%s", so, name, because(location.Why))
		w.hint("%s", seeIt)
	case location.Phase != string(velerov1.BackupStorageLocationPhaseAvailable):
		w.cannotTell("storage location %s has phase %s", name, location.Phase)
		w.hint("%s", seeIt)
	case location.interval() == 0:
		w.cannotTell("storage location %s is Available since %s, and its validation is disabled", name, age.Human(since))
		w.hint("set spec.validationFrequency of the storage location, so that Velero notices when it is lost")
	case since > max(believed, 3*location.interval()):
		w.cannotTell("storage location %s is Available, but Velero last looked %s ago", name, age.Human(since))
		w.isItRunning()
	case written && location.Access == string(velerov1.BackupStorageLocationAccessModeReadOnly):
		w.fail("%s: storage location %s is ReadOnly", so, name)
		w.hint("make it writable again when the restore or migration is over: spec.accessMode: ReadWrite")
	}
}

func (l lookEvent) location(name string) *locationSeen {
	for i := range l.Locations {
		if l.Locations[i].Name == name {
			return &l.Locations[i]
		}
	}
	return nil
}
