package scratch

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// facts are what the small buckets say of the cluster.
type facts struct {
	damage *damage

	mu        sync.Mutex
	compacted int64
	version   string
	members   []member
	alarms    []string
}

type member struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
}

// meta reads what etcd keeps of itself. A compaction that was begun counts:
// a member that starts on the file finishes it, and what it takes can't be read.
func (f *facts) meta(page uint64, list []entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range list {
		switch name := string(list[i].key); name {
		case "scheduledCompactRev", "finishedCompactRev":
			revision, wrong := readEntry(&entry{key: list[i].value})
			if wrong != "" {
				f.damage.add(page, "page %d (bucket meta): %s is no revision", page, name)
			}
			f.compacted = max(f.compacted, revision)
		case "storageVersion":
			f.version = printable(list[i].value)
		}
	}
}

// member reads the members of the cluster.
func (f *facts) member(page uint64, list []entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range list {
		var m member
		id, err := strconv.ParseUint(string(list[i].key), 16, 64)
		if err != nil || json.Unmarshal(list[i].value, &m) != nil || m.ID != id {
			f.damage.add(page, "page %d (bucket members), entry %d: it is no member", page, i)
			continue
		}
		f.members = append(f.members, m)
	}
}

// alarm reads the alarms that were raised.
func (f *facts) alarm(page uint64, list []entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range list {
		var raised etcdserverpb.AlarmMember
		if raised.Unmarshal(list[i].key) != nil {
			f.damage.add(page, "page %d (bucket alarm), entry %d: it is no alarm", page, i)
			continue
		}
		if name := raised.Alarm.String(); !slices.Contains(f.alarms, name) {
			f.alarms = append(f.alarms, name)
		}
	}
}
