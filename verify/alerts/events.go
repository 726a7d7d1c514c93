package alerts

import "time"

// The events of this check. Times inside Samples, Rules and Server are by
// Prometheus' clock, as it gave them; the judge shifts them by Clock. All
// other times are ours.
const (
	eventServer  = "alerts.server"  // payload Server: when it changed
	eventRules   = "alerts.rules"   // payload Rules: at the start, and when one changed
	eventSamples = "alerts.samples" // payload Samples: each poll what moved; at the end everything
	eventMetrics = "alerts.metrics" // payload Metrics: which metrics of the rules nobody exports
	eventGap     = "alerts.gap"     // payload Gap: a server stopped answering, or answers again
	eventRouting = "alerts.routing" // payload Routing: the receivers of Alertmanager
	eventHeld    = "alerts.held"    // payload Held: what Alertmanager holds of an expected alert changed
	eventCounts  = "alerts.counts"  // payload Counts: notifications sent, when they changed
	eventArrived = "alerts.arrived" // payload Arrived: a notification of an expected alert arrived
	eventAsked   = "alerts.asked"   // payload Asked: the end of asking about proofs
)

// Server is what is known of the Prometheus that answers.
type Server struct {
	// StartTime is zero where the server does not say (Thanos, Mimir).
	StartTime  time.Time `json:"startTime,omitzero"`
	LastReload time.Time `json:"lastReload,omitzero"`
	// Offset is its clock minus ours, give or take Uncertainty.
	Offset      Seconds `json:"offset"`
	Uncertainty Seconds `json:"uncertainty"`
	// RuleQueryOffset is how long after a sample's time the rule saw it.
	RuleQueryOffset Seconds `json:"ruleQueryOffset,omitempty"`
}

// Seconds is a duration that people can read in a journal.
type Seconds float64

func secondsOf(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Duration converts back, to the millisecond: that is what Prometheus knows.
func (s Seconds) Duration() time.Duration {
	return time.Duration(float64(s)*1000) * time.Millisecond
}

// Rules is what Prometheus evaluates.
type Rules struct {
	At time.Time `json:"at"`
	// All means that this lists every alerting rule, not only the watched.
	All     bool     `json:"all"`
	Rules   []Rule   `json:"rules"`
	Partial []string `json:"partial,omitempty"`
}

// Rule is one alerting rule.
type Rule struct {
	Name          string            `json:"name"`
	Group         string            `json:"group"`
	Query         string            `json:"query"`
	Labels        map[string]string `json:"labels,omitempty"`
	For           Seconds           `json:"for"`
	KeepFiringFor Seconds           `json:"keepFiringFor,omitempty"`
	Interval      Seconds           `json:"interval"`
	Health        string            `json:"health"`
	LastError     string            `json:"lastError,omitempty"`
	// Watchdog says that the rule always fires, and so proves that rules are evaluated.
	Watchdog bool `json:"watchdog,omitempty"`
}

// Samples is what the ALERTS series held between two times.
type Samples struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// All means that the list holds every series with a sample between From and
	// To; otherwise those that moved, and the watchdog.
	All    bool     `json:"all"`
	Final  bool     `json:"final,omitempty"`
	Series []Series `json:"series"`
	// Evaluated is the oldest last evaluation among the watched rules; zero when unknown.
	Evaluated time.Time `json:"evaluated,omitzero"`
	// Partial says why series may be missing.
	Partial []string `json:"partial,omitempty"`
}

// Series is one alert in one state.
type Series struct {
	Labels map[string]string `json:"labels"` // with alertname, without alertstate
	State  string            `json:"state"`  // pending or firing
	Runs   []Run             `json:"runs"`
	// Since is when its condition began, by ALERTS_FOR_STATE, one for each activation.
	Since []time.Time `json:"since,omitempty"`
}

// Run is a stretch of samples without a gap that matters. Prometheus gives no
// sample where an alert ended: it ended at the evaluation after Last.
type Run struct {
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Samples int       `json:"samples"`
	// Widest is the longest time between two samples of the run.
	Widest Seconds `json:"widest"`
}

// Metrics says which of the metrics that the expected rules read exist.
type Metrics struct {
	Present []string `json:"present,omitempty"`
	Absent  []string `json:"absent,omitempty"`
}

// Gap is the moment a server stopped answering, or answered again.
type Gap struct {
	At time.Time `json:"at"`
	// Of is prometheus, alertmanager or receiver.
	Of string `json:"of"`
	// Reason is empty when the server answers again.
	Reason string `json:"reason,omitempty"`
}

// Routing is where Alertmanager sends to.
type Routing struct {
	Version string `json:"version"`
	// Integrations of each receiver; a receiver without any sends nothing. Nil
	// when Alertmanager does not show its configuration.
	Integrations map[string][]string `json:"integrations,omitempty"`
}

// Held is what Alertmanager holds of one expected alert.
type Held struct {
	At       time.Time `json:"at"`
	Previous time.Time `json:"previous"` // when Alertmanager was last asked before, without this
	Alerts   []Holding `json:"alerts"`
	Alert    string    `json:"alert"`
}

// Holding is one alert in Alertmanager.
type Holding struct {
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"` // by Prometheus' clock
	Receivers   []string          `json:"receivers,omitempty"`
	State       string            `json:"state"` // unprocessed, active or suppressed
	SilencedBy  []string          `json:"silencedBy,omitempty"`
	InhibitedBy []string          `json:"inhibitedBy,omitempty"`
	MutedBy     []string          `json:"mutedBy,omitempty"`
}

// Counts is how many notifications Alertmanager has attempted.
type Counts struct {
	At       time.Time `json:"at"`
	Previous time.Time `json:"previous"` // when the counters last had their former values
	Counts   []Count   `json:"counts"`
}

// Count is one integration's counters.
type Count struct {
	Integration string  `json:"integration"`
	Receiver    string  `json:"receiver,omitempty"`
	Total       float64 `json:"total"`
	Failed      float64 `json:"failed"`
}

// Arrived is one expected alert in one notification that the receiver has.
type Arrived struct {
	At       time.Time         `json:"at"` // by the receiver's clock
	Receiver string            `json:"receiver"`
	Status   string            `json:"status"`
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"` // by Prometheus' clock
}

// Asked closes what was asked about proofs: up to when, and of whom.
type Asked struct {
	At           time.Time `json:"at"`
	Alertmanager bool      `json:"alertmanager"`
	Receiver     bool      `json:"receiver"`
}
