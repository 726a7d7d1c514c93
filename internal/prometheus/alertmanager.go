package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Alertmanager asks one Alertmanager.
type Alertmanager struct{ endpoint *endpoint }

// NewAlertmanager makes a client; it asks nothing yet.
func NewAlertmanager(config Config) (*Alertmanager, error) {
	endpoint, err := newEndpoint("Alertmanager", config)
	if err != nil {
		return nil, err
	}
	return &Alertmanager{endpoint: endpoint}, nil
}

// String names the server without its credentials.
func (a *Alertmanager) String() string { return a.endpoint.String() }

// HeldAlert is an alert as Alertmanager holds it.
type HeldAlert struct {
	Labels      map[string]string
	StartsAt    time.Time
	Receivers   []string
	State       string // unprocessed, active or suppressed
	SilencedBy  []string
	InhibitedBy []string
	MutedBy     []string
}

// Alerts lists the alerts with this name.
func (a *Alertmanager) Alerts(ctx context.Context, name string) ([]HeldAlert, error) {
	values := url.Values{"filter": {fmt.Sprintf("alertname=%q", name)}}
	body, err := a.endpoint.get(ctx, "api/v2/alerts", values, mediaJSON)
	if err != nil {
		return nil, err
	}
	alerts, err := decodeHeld(body)
	if err != nil {
		return nil, fmt.Errorf("asking %s for alert %s: %w", a, name, err)
	}
	return alerts, nil
}

func decodeHeld(body []byte) ([]HeldAlert, error) {
	var rows *[]struct {
		Labels    map[string]string `json:"labels"`
		StartsAt  time.Time         `json:"startsAt"`
		Receivers []struct {
			Name string `json:"name"`
		} `json:"receivers"`
		Status *struct {
			State       string   `json:"state"`
			SilencedBy  []string `json:"silencedBy"`
			InhibitedBy []string `json:"inhibitedBy"`
			MutedBy     []string `json:"mutedBy"`
		} `json:"status"`
	}
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("the answer has another shape than Alertmanager's: %w", err)
	}
	if rows == nil {
		return nil, errors.New("the answer is null where a list was expected")
	}
	var alerts []HeldAlert
	for _, row := range *rows {
		if row.Labels["alertname"] == "" || row.Status == nil {
			return nil, errors.New("an alert without a name or a status")
		}
		held := HeldAlert{
			Labels: row.Labels, StartsAt: row.StartsAt, State: row.Status.State,
			SilencedBy: row.Status.SilencedBy, InhibitedBy: row.Status.InhibitedBy, MutedBy: row.Status.MutedBy,
		}
		for _, receiver := range row.Receivers {
			held.Receivers = append(held.Receivers, receiver.Name)
		}
		alerts = append(alerts, held)
	}
	return alerts, nil
}

// Status is the configuration of an Alertmanager, its secrets masked by itself.
type Status struct {
	Version string
	Started time.Time
	Config  string // YAML
}

// Status asks for version and configuration.
func (a *Alertmanager) Status(ctx context.Context) (Status, error) {
	body, err := a.endpoint.get(ctx, "api/v2/status", nil, mediaJSON)
	if err != nil {
		return Status{}, err
	}
	var answer struct {
		Uptime  time.Time `json:"uptime"`
		Version struct {
			Version string `json:"version"`
		} `json:"versionInfo"`
		Config *struct {
			Original string `json:"original"`
		} `json:"config"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Config == nil {
		return Status{}, fmt.Errorf("asking %s for its status: the answer has another shape than Alertmanager's", a)
	}
	return Status{Version: clip(answer.Version.Version, 40), Started: answer.Uptime, Config: answer.Config.Original}, nil
}

// Silence is one silence.
type Silence struct {
	ID        string           `json:"id"`
	CreatedBy string           `json:"createdBy"`
	Comment   string           `json:"comment"`
	EndsAt    time.Time        `json:"endsAt"`
	Matchers  []SilenceMatcher `json:"matchers"`
	Status    struct {
		State string `json:"state"` // expired, active or pending
	} `json:"status"`
}

// SilenceMatcher is one condition of a silence.
type SilenceMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	// IsEqual is absent before Alertmanager 0.22: then it is true.
	IsEqual *bool `json:"isEqual"`
}

// Silences lists the silences that are active.
func (a *Alertmanager) Silences(ctx context.Context) ([]Silence, error) {
	body, err := a.endpoint.get(ctx, "api/v2/silences", nil, mediaJSON)
	if err != nil {
		return nil, err
	}
	var all *[]Silence
	if err := json.Unmarshal(body, &all); err != nil || all == nil {
		return nil, fmt.Errorf("asking %s for its silences: the answer has another shape than Alertmanager's", a)
	}
	var active []Silence
	for _, silence := range *all {
		if silence.Status.State == "active" {
			silence.CreatedBy, silence.Comment = clip(silence.CreatedBy, 100), clip(silence.Comment, 200)
			active = append(active, silence)
		}
	}
	return active, nil
}
