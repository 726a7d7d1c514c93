package snapshots

import (
	"bytes"
	"encoding/json"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	kindLease = "Lease"
	kindEvent = "Event"
	// renewTime is the one time that is the clock's own at each write.
	renewTime = "renewTime"
)

// message is what every protobuf type of Kubernetes can do.
type message interface{ Unmarshal([]byte) error }

// moments gives the times that a stored object says something was done at. A
// value that is not an object, or can not be read, has none: those that are
// encrypted, and whatever others keep in the same etcd.
func moments(value []byte) []moment {
	// See apimachinery/pkg/runtime/serializer/protobuf: the prefix, then a runtime.Unknown.
	if raw, ok := bytes.CutPrefix(value, []byte("k8s\x00")); ok {
		var unknown runtime.Unknown
		if unknown.Unmarshal(raw) != nil {
			return nil
		}
		return spoken(unknown.APIVersion, unknown.Kind, func(into message) bool { return into.Unmarshal(unknown.Raw) == nil })
	}
	if bytes.HasPrefix(value, []byte("{")) {
		var kind metav1.TypeMeta
		if json.Unmarshal(value, &kind) != nil {
			return nil
		}
		return spoken(kind.APIVersion, kind.Kind, func(into message) bool { return json.Unmarshal(value, into) == nil })
	}
	return nil
}

func spoken(version, kind string, decode func(message) bool) []moment {
	var said said
	switch {
	case kind == kindLease && version == "coordination.k8s.io/v1":
		var lease coordinationv1.Lease
		if !decode(&lease) {
			return nil
		}
		said.of(lease.ObjectMeta)
		said.micro(renewTime, lease.Spec.RenewTime)
		said.micro("acquireTime", lease.Spec.AcquireTime)
	case kind == kindEvent && version == "v1":
		var event corev1.Event
		if !decode(&event) {
			return nil
		}
		said.of(event.ObjectMeta)
		said.add("lastTimestamp", event.LastTimestamp.Time)
		said.add("eventTime", event.EventTime.Time)
		if event.Series != nil {
			said.add("lastObservedTime", event.Series.LastObservedTime.Time)
		}
	case kind == kindEvent && version == "events.k8s.io/v1":
		var event eventsv1.Event
		if !decode(&event) {
			return nil
		}
		said.of(event.ObjectMeta)
		said.add("eventTime", event.EventTime.Time)
		if event.Series != nil {
			said.add("lastObservedTime", event.Series.LastObservedTime.Time)
		}
	default: // all others have their metadata in the same place
		var object metav1.PartialObjectMetadata
		if !decode(&object) {
			return nil
		}
		said.of(object.ObjectMeta)
	}
	for i := range said.moments {
		said.moments[i].kind = kind
	}
	return said.moments
}

// said collects the times of one object.
type said struct {
	object  string
	moments []moment
}

func (s *said) of(meta metav1.ObjectMeta) {
	s.object = meta.Name
	if meta.Namespace != "" {
		s.object = meta.Namespace + "/" + meta.Name
	}
	s.add("creationTimestamp", meta.CreationTimestamp.Time)
	for _, entry := range meta.ManagedFields { // the API server's clock at each change
		if entry.Time != nil {
			s.add("managedFields", entry.Time.Time)
		}
	}
}

func (s *said) micro(what string, at *metav1.MicroTime) {
	if at != nil {
		s.add(what, at.Time)
	}
}

// add leaves out what is older than Kubernetes: unset, or no time at all.
func (s *said) add(what string, at time.Time) {
	if at.Year() < 2014 || at.Year() > 9999 || s.object == "" {
		return
	}
	s.moments = append(s.moments, moment{at: at, what: what, object: s.object})
}
