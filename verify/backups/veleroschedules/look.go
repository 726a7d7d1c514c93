package veleroschedules

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// fewNames is how many names an event lists that no verdict rests on.
const fewNames = 30

// eyes look at Velero's resources.
type eyes struct {
	client kubernetes.Interface
	velero velero.Client
	// wanted are the names of the Schedules that count; none means all.
	wanted []string
}

func (c *check) eyes(env verify.Env) eyes {
	return eyes{env.Client, velero.Client{Dynamic: env.Dynamic, Namespace: env.VeleroNamespace}, c.spec.Schedules}
}

// look looks once.
func (e eyes) look(ctx context.Context) (lookEvent, error) {
	look := lookEvent{At: time.Now().UTC(), Namespace: e.velero.Namespace}
	var err error
	if look.ServerTime, err = kube.ServerTime(ctx, e.client); err != nil {
		look.ClockUnknown = clip(err.Error())
	}
	// In this order: a Schedule that says it has begun a backup is not to be
	// seen without it.
	schedules, err := e.schedules(ctx)
	if err != nil {
		return e.troubled(err), err
	}
	backups, err := e.backups(ctx)
	if err != nil {
		return e.troubled(err), err
	}
	byDefault, err := e.locations(ctx, &look)
	if err != nil {
		return e.troubled(err), err
	}
	for _, name := range slices.Sorted(maps.Keys(schedules)) {
		// Velero writes the name itself; one that shortens it is understood too.
		own := slices.Concat(backups[name])
		if label := velero.LabelValue(name); label != name {
			own = slices.Concat(own, backups[label])
			delete(backups, label)
		}
		delete(backups, name)
		if len(e.wanted) > 0 && !slices.Contains(e.wanted, name) {
			look.Others = append(look.Others, name)
			continue
		}
		seen := seenSchedule(schedules[name])
		seen.remember(own, look.now())
		seen.Location = cmp.Or(seen.Location, byDefault, seen.lastLocation(), "default")
		look.Schedules = append(look.Schedules, seen)
	}
	found := len(look.Schedules)
	look.Found = &found
	look.Others = look.Others[:min(len(look.Others), fewNames)]
	if len(e.wanted) == 0 {
		for _, name := range slices.Sorted(maps.Keys(backups)) {
			look.Orphans = append(look.Orphans, orphan{name, len(backups[name])})
		}
		look.Orphans = look.Orphans[:min(len(look.Orphans), fewNames)]
	}
	return look, nil
}

// troubled is a look that saw nothing.
func (e eyes) troubled(err error) lookEvent {
	look := lookEvent{At: time.Now().UTC(), Namespace: e.velero.Namespace, Problem: clip(err.Error())}
	if apierrors.IsNotFound(err) { // of a list: there is no such resource at all
		look.Problem = fmt.Sprintf("the cluster has no Velero: %s", look.Problem)
	}
	return look
}

func (e eyes) schedules(ctx context.Context) (map[string]*velerov1.Schedule, error) {
	all := map[string]*velerov1.Schedule{}
	return all, e.velero.EachSchedule(ctx, func(schedule *velerov1.Schedule) error {
		all[schedule.Name] = schedule
		return nil
	})
}

// backups gives those of all Schedules, by the value of their label.
func (e eyes) backups(ctx context.Context) (map[string][]backupSeen, error) {
	once := map[string]map[string]backupSeen{} // a list that begins again visits some twice
	err := e.velero.EachBackup(ctx, velerov1.ScheduleNameLabel, func(backup *velerov1.Backup) error {
		label := backup.Labels[velerov1.ScheduleNameLabel]
		if once[label] == nil {
			once[label] = map[string]backupSeen{}
		}
		once[label][backup.Name] = seenBackup(backup)
		return nil
	})
	all := make(map[string][]backupSeen, len(once))
	for label, backups := range once {
		all[label] = slices.Collect(maps.Values(backups))
	}
	return all, err
}

// locations adds the storage locations to a look and gives the default's name.
func (e eyes) locations(ctx context.Context, look *lookEvent) (byDefault string, err error) {
	all := map[string]locationSeen{}
	err = e.velero.EachStorageLocation(ctx, func(location *velerov1.BackupStorageLocation) error {
		all[location.Name] = seenLocation(location)
		if location.Spec.Default {
			byDefault = location.Name
		}
		return nil
	})
	for _, name := range slices.Sorted(maps.Keys(all)) {
		look.Locations = append(look.Locations, all[name])
	}
	return byDefault, err
}

// lastLocation is where the newest backup went: Velero writes into each which
// location was its default then.
func (s scheduleSeen) lastLocation() string {
	for _, b := range s.Attempts {
		if b.Location != "" && !b.synced() {
			return b.Location
		}
	}
	return ""
}

// lookPatiently looks until something is seen, nothing ever will be, or ctx ends.
func (e eyes) lookPatiently(ctx context.Context) lookEvent {
	for {
		look, err := e.look(ctx)
		if err == nil || !kube.Unsure(err) && !apierrors.IsTooManyRequests(err) {
			return look
		}
		if kube.Pause(ctx, time.Second) != nil {
			return look
		}
	}
}

// same says whether two looks saw the same; that time has passed is no change.
func (l lookEvent) same(other lookEvent) bool {
	return reflect.DeepEqual(l.timeless(), other.timeless())
}

func (l lookEvent) timeless() lookEvent {
	l.At, l.ServerTime, l.ClockUnknown = time.Time{}, time.Time{}, ""
	l.Locations = slices.Clone(l.Locations)
	for i := range l.Locations {
		l.Locations[i].Validated = time.Time{}
		l.Locations[i].Why = "" // it has the number of a request in it, another each time
	}
	return l
}
