package availability

import (
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// apartFor is how long a Service's endpoints may differ from the pods before
// the record says so. The endpoint slice controller always lags a little.
const apartFor = time.Second

// slimSlice is what is kept of an EndpointSlice.
type slimSlice struct {
	name, service string
	endpoints     []slimEndpoint
}

type slimEndpoint struct {
	pod                         string // UID
	ready, serving, terminating bool
}

func reduceSlice(object runtime.Object) (slimSlice, bool) {
	slice, ok := object.(*discoveryv1.EndpointSlice)
	if !ok {
		return slimSlice{}, false
	}
	slim := slimSlice{name: slice.Name, service: slice.Labels[discoveryv1.LabelServiceName]}
	for i := range slice.Endpoints {
		endpoint := &slice.Endpoints[i]
		if endpoint.TargetRef == nil || endpoint.TargetRef.Kind != "Pod" {
			continue
		}
		// The API asks consumers to read a missing condition so.
		ready := endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
		slim.endpoints = append(slim.endpoints, slimEndpoint{
			pod: string(endpoint.TargetRef.UID), ready: ready,
			serving:     endpoint.Conditions.Serving == nil && ready || endpoint.Conditions.Serving != nil && *endpoint.Conditions.Serving,
			terminating: endpoint.Conditions.Terminating != nil && *endpoint.Conditions.Terminating,
		})
	}
	return slim, slim.service != ""
}

// service is what one Service's slices say of our pods.
type service struct {
	slices map[string]endpointCount
	total  endpointCount
	// ours is set once an endpoint was one of our pods: other Services of the
	// namespace are none of this check's business.
	ours bool
	// apart is since when its endpoints differ from the pods; told, whether the
	// record says so.
	apart time.Time
	told  bool
}

type endpointCount struct{ ready, serving, terminating int }

func (s *service) waiting() bool { return s.ours && !s.apart.IsZero() && !s.told }

func (t *tally) setSlice(slice slimSlice, at time.Time) {
	var count endpointCount
	mine := false
	for _, endpoint := range slice.endpoints {
		// A pod that is gone may still be an endpoint: that is a difference too.
		if pod, known := t.pods[endpoint.pod]; known && !t.counts(pod.slimPod) {
			continue
		} else if known {
			mine = true
		}
		count.ready += one(endpoint.ready)
		count.serving += one(endpoint.serving)
		count.terminating += one(endpoint.terminating)
	}
	s := t.services[slice.service]
	if s == nil {
		s = &service{slices: map[string]endpointCount{}}
		t.services[slice.service] = s
	}
	s.ours = s.ours || mine
	s.replace(slice.name, count)
	t.endpointsChanged(at)
}

func (t *tally) removeSlice(slice slimSlice, at time.Time) {
	if s := t.services[slice.service]; s != nil {
		s.replace(slice.name, endpointCount{})
		delete(s.slices, slice.name)
		t.endpointsChanged(at)
	}
}

func (t *tally) replaceSlices(slices []slimSlice, at time.Time) {
	for _, s := range t.services {
		clear(s.slices)
		s.total = endpointCount{}
	}
	for _, slice := range slices {
		t.setSlice(slice, at)
	}
}

func (s *service) replace(slice string, now endpointCount) {
	old := s.slices[slice]
	s.slices[slice] = now
	s.total.ready += now.ready - old.ready
	s.total.serving += now.serving - old.serving
	s.total.terminating += now.terminating - old.terminating
}

// endpointsChanged notes since when each Service differs from the pods.
func (t *tally) endpointsChanged(at time.Time) {
	if !t.live {
		return
	}
	for name, s := range t.services {
		switch differs := s.total.ready != t.ready; {
		case !s.ours:
		case differs && s.apart.IsZero():
			s.apart = at
		case !differs && !s.apart.IsZero():
			if s.told {
				t.tellEndpoints(name, s, at)
			}
			s.apart, s.told = time.Time{}, false
		}
	}
}

// endpointsDue writes the differences that have lasted.
func (t *tally) endpointsDue(at time.Time) {
	for name, s := range t.services {
		if s.waiting() && !s.apart.Add(apartFor).After(at) {
			s.told = true
			t.tellEndpoints(name, s, s.apart)
		}
	}
}

func (t *tally) tellEndpoints(name string, s *service, at time.Time) {
	t.record.Record(eventEndpoints, endpointsEvent{
		At: at, Service: name, Pods: t.ready,
		Ready: s.total.ready, Serving: s.total.serving, Terminating: s.total.terminating,
	})
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
