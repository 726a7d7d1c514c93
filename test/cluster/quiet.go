package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gameday.dev/gameday/test/shop"
)

// quietFor is longer than the evaluations after which Prometheus' samples show
// that an alert has ended.
const quietFor = 3 * time.Second

// WaitQuiet waits until no alert of the sample application has been pending or
// firing for a while. Right after the start the rules see no targets yet, and
// say so.
func (c *Cluster) WaitQuiet(ctx context.Context) error {
	return Endpoints{Prometheus: c.PrometheusURL()}.WaitQuiet(ctx)
}

// WaitQuiet is the same for whatever cluster this Prometheus watches. What
// else is wrong there is not waited for: it may be so for days.
func (e Endpoints) WaitQuiet(ctx context.Context) error {
	quietSince := time.Now()
	return until(ctx, time.Minute, 500*time.Millisecond, "the alerts of the shop to resolve", func(ctx context.Context) error {
		active, err := e.activeAlerts(ctx)
		if err == nil {
			err = quiet(active)
		}
		if err != nil {
			quietSince = time.Now()
			return err
		}
		if since := time.Since(quietSince); since < quietFor {
			return fmt.Errorf("quiet for %s only", since.Round(time.Millisecond))
		}
		return nil
	})
}

// quiet says what of the active alerts is one too many, or missing.
func quiet(active []alert) error {
	if !slices.ContainsFunc(active, func(a alert) bool { return a.Labels["alertname"] == "Watchdog" }) {
		return errors.New("the shop's rules have not been evaluated yet: its alert Watchdog does not fire")
	}
	var noisy []string
	for _, a := range active {
		if a.Labels["namespace"] == shop.Namespace {
			noisy = append(noisy, a.Labels["alertname"])
		}
	}
	if len(noisy) > 0 {
		return fmt.Errorf("still active: %s", strings.Join(noisy, ", "))
	}
	return nil
}

type alert struct {
	Labels map[string]string `json:"labels"`
}

func (e Endpoints) activeAlerts(ctx context.Context) ([]alert, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Prometheus+"/api/v1/alerts", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Alerts []alert `json:"alerts"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("reading alerts: %w", err)
	}
	return answer.Data.Alerts, nil
}
