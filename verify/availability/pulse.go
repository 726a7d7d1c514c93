package availability

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	pulseEvery = 2 * time.Second
	pulseLimit = 5 * time.Second
)

// pulse asks the API server for one small object every two seconds, over the
// connection that the watches use. A watch that is silent and a watch that is
// dead look alike: client-go's own health check of an HTTP/2 connection takes up
// to 45 seconds, bookmarks come once a minute, and a server that was frozen and
// goes on delivers what it held back as if nothing had been. A late answer to
// the pulse is what tells.
//
// So a freeze of more than two seconds is always noticed, and reported as a gap
// from the last answer before it to the first after it. A shorter one between
// two pulses goes unnoticed; it can shift the stamps of changes by as much as
// it lasted, and can't hide one. The price is one read every two seconds, of
// one object from the API server's cache (resourceVersion "0"), never from etcd.
type pulse struct {
	clock clock
	get   func(ctx context.Context, name string, options metav1.GetOptions) error
	name  string
	// gap receives the stretches in which the connection was not proven.
	gap func(gapEvent)
	// grace bounds the last beat, after the run's context has ended.
	grace time.Duration
	last  atomic.Pointer[time.Time]
}

// alive is when the connection last proved itself; zero before the first time.
func (p *pulse) alive() time.Time {
	if last := p.last.Load(); last != nil {
		return *last
	}
	return time.Time{}
}

// run beats until ctx ends, and once more then: what the watches showed up to
// the end is all there was only if the connection lived until the end.
func (p *pulse) run(ctx context.Context) {
	ticker := time.NewTicker(pulseEvery)
	defer ticker.Stop()
	var trouble error // since the last good answer
	for ctx.Err() == nil {
		trouble = p.beat(ctx, pulseLimit, trouble)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	if p.grace > 0 {
		trouble = p.beat(context.WithoutCancel(ctx), min(p.grace, pulseLimit), trouble)
	}
	if trouble != nil {
		p.report(p.clock.now(), trouble, true) // what the watches missed is never going to arrive
	}
}

// beat asks once and returns the trouble that is not over yet.
func (p *pulse) beat(ctx context.Context, limit time.Duration, trouble error) error {
	took, err := p.ask(ctx, limit)
	if err != nil && ctx.Err() != nil { // cut short by the end, not by the cluster
		return trouble
	}
	if err != nil {
		if trouble == nil {
			p.report(time.Time{}, err, true)
		}
		return err
	}
	if trouble == nil && took > lateAfter {
		trouble = fmt.Errorf("the API server took %s to answer", human(took))
	}
	now := p.clock.now()
	if trouble != nil {
		p.report(now.Add(catchUp), trouble, false)
	}
	p.last.Store(&now)
	return nil
}

// report writes a gap since the last good answer. Without an end it is written
// as soon as it is noticed, so that a judge doesn't take the last count for the
// present one while nothing is seen; the same gap follows again with its end.
func (p *pulse) report(to time.Time, why error, lost bool) {
	if from := p.alive(); !from.IsZero() {
		p.gap(gapEvent{From: from, To: to, Watch: watchConnection, Why: reason(why), Lost: lost})
	}
}

// reason leaves out of an error the request it was for: every gap says already
// what was not seen.
func reason(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err.Error()
	}
	return err.Error()
}

// ask makes one request and says how long the server took over it. The time
// that a request waits for this client's own rate limit says nothing about the
// connection, hence the trace.
func (p *pulse) ask(ctx context.Context, limit time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the API server did not answer"))
	defer cancel()
	var asked, answered atomic.Int64
	start := p.clock.now()
	trace := &httptrace.ClientTrace{
		// Only the first: client-go repeats a request that a dying server cut off.
		GetConn:              func(string) { asked.CompareAndSwap(0, int64(p.clock.now().Sub(start))) },
		GotFirstResponseByte: func() { answered.Store(int64(p.clock.now().Sub(start))) },
	}
	err := p.get(httptrace.WithClientTrace(ctx, trace), p.name, metav1.GetOptions{ResourceVersion: "0"})
	if context.Cause(ctx) != nil && err != nil {
		err = context.Cause(ctx)
	}
	return time.Duration(answered.Load() - asked.Load()), ignoreRefusals(err)
}

// ignoreRefusals drops errors that a healthy API server gives: no such object,
// too many requests. They prove the connection as well as an answer does.
func ignoreRefusals(err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Code >= 400 && status.Status().Code < 500 {
		return nil
	}
	return err
}
