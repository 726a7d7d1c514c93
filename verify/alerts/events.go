package alerts

import "time"

// The events of this check. Times inside sampleSet, ruleList and serverState are by
// Prometheus' clock, as it gave them; the judge shifts them by the offset of the clocks. All
// other times are ours, but for those that say otherwise.
const (
	eventServer  = "alerts.server"  // payload serverState: when it changed
	eventRules   = "alerts.rules"   // payload ruleList: at the start, and when one changed
	eventSamples = "alerts.samples" // payload sampleSet: each poll what moved; at the end everything
	eventMetrics = "alerts.metrics" // payload metricList: which metrics of the rules nobody exports
	eventGap     = "alerts.gap"     // payload gapMark: a server stopped answering, or answers again
	eventRouting = "alerts.routing" // payload routingTable: the receivers of Alertmanager
	eventHeld    = "alerts.held"    // payload heldList: what Alertmanager holds of an expected alert changed
	eventCounts  = "alerts.counts"  // payload countList: notifications sent, when they changed
	eventArrived = "alerts.arrived" // payload arrival: a notification of an expected alert arrived
	eventAsked   = "alerts.asked"   // payload askedMark: the end of asking about proofs
)

// serverState is what is known of the Prometheus that answers.
type serverState struct {
	// StartTime is zero where the server does not say (Thanos, Mimir).
	StartTime  time.Time `json:"startTime,omitzero"`
	LastReload time.Time `json:"lastReload,omitzero"`
	// Offset is its clock minus ours, give or take Uncertainty.
	Offset      sec `json:"offset"`
	Uncertainty sec `json:"uncertainty"`
	// RuleQueryOffset is how long after a sample's time the rule saw it.
	RuleQueryOffset sec `json:"ruleQueryOffset,omitempty"`
}

// sec is a duration that people can read in a journal.
type sec float64

func secondsOf(d time.Duration) sec { return sec(d.Seconds()) }

// Duration converts back, to the millisecond: that is what Prometheus knows.
func (s sec) Duration() time.Duration {
	return time.Duration(float64(s)*1000) * time.Millisecond
}

// ruleList is what Prometheus evaluates.
type ruleList struct {
	At time.Time `json:"at"`
	// All means that this lists every alerting rule, not only the watched.
	All     bool        `json:"all"`
	Rules   []alertRule `json:"rules"`
	Partial []string    `json:"partial,omitempty"`
}

// alertRule is one alerting rule.
type alertRule struct {
	Name          string            `json:"name"`
	Group         string            `json:"group"`
	Query         string            `json:"query"`
	Labels        map[string]string `json:"labels,omitempty"`
	For           sec               `json:"for"`
	KeepFiringFor sec               `json:"keepFiringFor,omitempty"`
	Interval      sec               `json:"interval"`
	Health        string            `json:"health"`
	LastError     string            `json:"lastError,omitempty"`
	// Watchdog says that the rule always fires, and so proves that rules are evaluated.
	Watchdog bool `json:"watchdog,omitempty"`
}

// sampleSet is what the ALERTS series held between two times.
type sampleSet struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// All means that the list holds every series with a sample between From and
	// To; otherwise those that moved, and the watchdog.
	All    bool          `json:"all"`
	Final  bool          `json:"final,omitempty"`
	Series []alertSeries `json:"series"`
	// Evaluated is the oldest last evaluation among the watched rules; zero when unknown.
	Evaluated time.Time `json:"evaluated,omitzero"`
	// Partial says why series may be missing.
	Partial []string `json:"partial,omitempty"`
}

// alertSeries is one alert in one state.
type alertSeries struct {
	Labels map[string]string `json:"labels"` // with alertname, without alertstate
	State  string            `json:"state"`  // pending or firing
	Runs   []alertRun        `json:"runs"`
	// Since is when its condition began, by ALERTS_FOR_STATE, one for each activation.
	Since []time.Time `json:"since,omitempty"`
}

// alertRun is a stretch of samples without a gap that matters. Prometheus gives no
// sample where an alert ended: it ended at the evaluation after Last.
type alertRun struct {
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Samples int       `json:"samples"`
	// Widest is the longest time between two samples of the run.
	Widest sec `json:"widest"`
}

// metricList says which of the metrics that the expected rules read exist.
type metricList struct {
	Present []string `json:"present,omitempty"`
	Absent  []string `json:"absent,omitempty"`
}

// gapMark is the moment a server stopped answering, or answered again.
type gapMark struct {
	At time.Time `json:"at"`
	// Of is prometheus, alertmanager or receiver.
	Of string `json:"of"`
	// Reason is empty when the server answers again.
	Reason string `json:"reason,omitempty"`
}

// routingTable is where Alertmanager sends to.
type routingTable struct {
	Version string `json:"version"`
	// Integrations of each receiver; a receiver without any sends nothing. Nil
	// when Alertmanager does not show its configuration.
	Integrations map[string][]string `json:"integrations,omitempty"`
}

// heldList is what Alertmanager holds of one expected alert.
type heldList struct {
	At       time.Time   `json:"at"`
	Previous time.Time   `json:"previous"` // when Alertmanager was last asked before, without this
	Alerts   []heldAlert `json:"alerts"`
	Alert    string      `json:"alert"`
}

// heldAlert is one alert in Alertmanager.
type heldAlert struct {
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"` // by Prometheus' clock
	Receivers   []string          `json:"receivers,omitempty"`
	State       string            `json:"state"` // unprocessed, active or suppressed
	SilencedBy  []string          `json:"silencedBy,omitempty"`
	InhibitedBy []string          `json:"inhibitedBy,omitempty"`
	MutedBy     []string          `json:"mutedBy,omitempty"`
}

// countList is how many notifications Alertmanager has attempted.
type countList struct {
	At       time.Time   `json:"at"`
	Previous time.Time   `json:"previous"` // when the counters last had their former values
	Counts   []sentCount `json:"counts"`
}

// sentCount is one integration's counters.
type sentCount struct {
	Integration string  `json:"integration"`
	Receiver    string  `json:"receiver,omitempty"`
	Total       float64 `json:"total"`
	Failed      float64 `json:"failed"`
}

// arrival is one expected alert in one notification that the receiver has.
type arrival struct {
	At       time.Time         `json:"at"` // by the receiver's clock
	Receiver string            `json:"receiver"`
	Status   string            `json:"status"`
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"` // by Prometheus' clock
}

// askedMark closes what was asked about proofs: up to when, and of whom.
type askedMark struct {
	At           time.Time `json:"at"`
	Alertmanager bool      `json:"alertmanager"`
	Receiver     bool      `json:"receiver"`
}
