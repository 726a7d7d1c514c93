package scratch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Member is an etcd member on a restored copy, in a child process, on loopback,
// with mutual TLS of its own.
type Member struct {
	Endpoint                  string // https://127.0.0.1:port
	CAFile, CertFile, KeyFile string // for clients
	TLS                       *tls.Config
	RestoreTook               time.Duration
	ServeTook                 time.Duration // from the end of the restore to the first answer
	// Auth says that the snapshot has etcd's own users and passwords: the files
	// above are those of its user root.
	Auth bool
	// Alarms were raised in the snapshot (NOSPACE, CORRUPT) and are turned off in
	// the copy.
	Alarms []string

	helper *helper
	ended  chan struct{}
	err    *Failure // once ended is closed
}

// Start restores the snapshot into dir, which must not exist, and serves it.
// restored is called between the two. An error is a *Failure, and leaves no dir
// behind; Stop leaves it to the caller.
func Start(ctx context.Context, program []string, path, dir string, restored func()) (*Member, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &Failure{Stage: StageRestore, Machine: true, Err: fmt.Errorf("%s is no file", path)}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, &Failure{Stage: StageRestore, Machine: true, Err: fmt.Errorf("making a scratch directory: %w", err)}
	}
	m, failure := start(ctx, program, memberRequest{Path: path, Dir: dir}, restored)
	if failure != nil {
		if err := os.RemoveAll(dir); err != nil {
			failure.Err = errors.Join(failure.Err, fmt.Errorf("removing scratch directory: %w", err))
		}
		return nil, failure
	}
	return m, nil
}

func start(ctx context.Context, program []string, request memberRequest, restored func()) (*Member, *Failure) {
	stage := StageRestore
	h, err := startHelper(program, verbMember, request)
	if err != nil {
		return nil, &Failure{Stage: stage, Machine: true, Err: err}
	}
	m := &Member{helper: h, ended: make(chan struct{})}
	for {
		select {
		case <-ctx.Done():
			h.stop(0)
			return nil, &Failure{Stage: stage, Machine: true, Err: context.Cause(ctx)}
		case r, more := <-h.replies:
			switch {
			case !more:
				machine, err := blame(h.Err(), h.Stderr())
				h.stop(0)
				return nil, &Failure{Stage: stage, Machine: machine, Err: err}
			case r.Failed != nil:
				h.stop(farewell)
				return nil, &Failure{Stage: stage, Machine: r.Failed.Machine, Err: errors.New(r.Failed.Message)}
			case r.Restored != nil:
				stage, m.RestoreTook = StageServe, r.Restored.Took
				if restored != nil {
					restored()
				}
			case r.Serving != nil:
				if err := m.take(request, r.Serving); err != nil {
					h.stop(0)
					return nil, &Failure{Stage: stage, Machine: true, Err: err}
				}
				go m.listen()
				return m, nil
			}
		}
	}
}

// take writes down where the member is and what opens it.
func (m *Member) take(request memberRequest, s *servingReply) (err error) {
	files := credentials{request.Dir}
	m.Endpoint, m.ServeTook, m.Auth, m.Alarms = s.Endpoint, s.Took, s.Auth, s.Alarms
	m.CAFile, m.CertFile, m.KeyFile = files.ca(), files.clientCert(), files.clientKey()
	m.TLS, err = files.tls()
	return err
}

// Client connects to the member.
func (m *Member) Client() (*clientv3.Client, error) { return connect(m.Endpoint, m.TLS) }

// listen waits for the end, and for the reason if the child gives one.
func (m *Member) listen() {
	defer close(m.ended)
	for r := range m.helper.replies {
		if r.Failed != nil {
			m.err = &Failure{Stage: StageServe, Machine: r.Failed.Machine, Err: errors.New(r.Failed.Message)}
		}
	}
	if ended := m.helper.Err(); m.err == nil && ended != nil {
		machine, err := blame(ended, m.helper.Stderr())
		m.err = &Failure{Stage: StageServe, Machine: machine, Err: err}
	}
}

// Ended is closed when the member's process has ended; Err says why.
func (m *Member) Ended() <-chan struct{} { return m.ended }

// Err says why the member's process has ended: nil while it runs, and when it
// was asked to.
func (m *Member) Err() *Failure {
	select {
	case <-m.ended:
		return m.err
	default:
		return nil
	}
}

// Stop ends the member and waits for its process. It may be called again.
func (m *Member) Stop() {
	m.helper.stop(farewell)
	<-m.ended
}
