// Package verify is the contract between the loop that runs a game day and
// the checks that watch it. A check first observes, writing what it sees and
// judging nothing, and later judges the record, reading no clock and doing no
// I/O: the same record gives the same finding for ever.
package verify

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
)

// Verdict is what a check found. The zero value is Inconclusive, so that
// forgetting to decide never passes.
type Verdict int

// The verdicts.
const (
	Inconclusive Verdict = iota
	Pass
	Fail
)

// String gives the word used in reports.
func (v Verdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	default:
		return "inconclusive"
	}
}

// MarshalText writes the word, not the number.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the word. A word it does not know is an error and leaves
// the verdict inconclusive.
func (v *Verdict) UnmarshalText(text []byte) error {
	for _, known := range []Verdict{Inconclusive, Pass, Fail} {
		if string(text) == known.String() {
			*v = known
			return nil
		}
	}
	*v = Inconclusive
	return fmt.Errorf("reading verdict %q: not pass, fail or inconclusive", text)
}

// Worse returns the worse of two verdicts: fail, then inconclusive, then pass.
func Worse(a, b Verdict) Verdict {
	switch {
	case a == Fail || b == Fail:
		return Fail
	case a == Pass && b == Pass:
		return Pass
	default:
		return Inconclusive
	}
}

// Finding is a verdict with its evidence.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	// Summary is one line: "1 of 3 available for 14.2s, floor is 2".
	Summary string `json:"summary"`
	// Details are further lines, the most telling first.
	Details []string `json:"details,omitempty"`
	// Hints say what to do next.
	Hints []string `json:"hints,omitempty"`
	// Intervals are stretches of time worth drawing.
	Intervals []Interval `json:"intervals,omitempty"`
	// Open means that more observation could still change the finding (a
	// workload not yet recovered, an alert not yet resolved) and that its
	// deadline has not passed. The loop settles until no finding is open.
	Open bool `json:"-"`
	// OpenUntil is when the finding closes by itself, by the scenario's own
	// deadlines; zero when not Open.
	OpenUntil time.Time `json:"-"`
	// Breached means that the promise is already broken for good; a check with
	// abortOnBreach ends the injection on it.
	Breached bool `json:"-"`
}

// Interval is a stretch of time in which something was so.
type Interval struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	What  string    `json:"what"`  // "available 1 of 3", "ShopPodDown firing"
	Cause string    `json:"cause"` // "", or who did it
	// Level is ok, bad or gap.
	Level string `json:"level"`
}

// Check is one property that is watched throughout a run. Its receiver is the
// check's part of the scenario.
type Check interface {
	// Observe writes samples until ctx ends, then collects what only the end
	// can give within env.Grace, and returns. It calls env.Started once it sees
	// the world. A lost connection is not an error: it is written as a gap and
	// tried again. An error means that the check saw nothing at all.
	Observe(ctx context.Context, env Env) error
	// Baseline judges the record before any fault: does the property hold now?
	Baseline(record *journal.Record) Finding
	// Judge judges the record, finished or not.
	Judge(record *journal.Record) Finding
	// Permissions lists the least that Observe needs.
	Permissions() []kube.Permission
}

// Preflight is for checks that can tell beforehand that they could never pass:
// an alert that cannot fire in the time given, an unknown workload. A
// *refusal.Refusal stops the run before anything is touched; notes are
// printed by plan under the name of the check.
type Preflight interface {
	Preflight(ctx context.Context, env Env) (notes []string, err error)
}

// Env is what the loop lends to a check.
type Env struct {
	Client kubernetes.Interface
	// Dynamic reaches resources whose types are known only at run time.
	Dynamic dynamic.Interface
	// Record writes events of this check, in the order of the calls.
	Record journal.Recorder
	// Started tells the loop that the check sees the world.
	Started func()
	// Grace bounds what Observe does after its context has ended.
	Grace time.Duration
	// Prometheus and Alertmanager are nil when the environment has none.
	Prometheus   *Endpoint
	Alertmanager *Endpoint
	// Receiver answers GET with a JSON array of the webhook notifications it
	// was sent by Alertmanager; nil when the environment has none.
	Receiver *Endpoint
	// SnapshotDirectory is where etcd snapshots are kept, for checks that name
	// no directory; empty when the environment names none.
	SnapshotDirectory string
	// VeleroNamespace is where Velero's own objects are, never empty.
	VeleroNamespace string
}

// Endpoint is an HTTP service by URL, with all that is needed to be let in.
// Secrets stay in the files; they are read at each connection.
type Endpoint struct {
	URL             string
	CAFile          string
	CertFile        string
	KeyFile         string
	BearerTokenFile string
	Headers         map[string]string
	// InsecureSkipVerify is for throw-away clusters.
	InsecureSkipVerify bool
}
