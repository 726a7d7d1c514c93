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
)

// quietFor is longer than the evaluations after which Prometheus' samples show
// that an alert has ended.
const quietFor = 3 * time.Second

// WaitQuiet waits until no alert has been pending or firing for a while, but
// the one that always is. Right after the start the rules see no targets yet,
// and say so.
func (c *Cluster) WaitQuiet(ctx context.Context) error {
	quietSince := time.Now()
	return until(ctx, time.Minute, 500*time.Millisecond, "the alerts of the start to resolve", func(ctx context.Context) error {
		noisy, err := c.activeAlerts(ctx)
		if err == nil {
			err = quiet(noisy)
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
func quiet(active []string) error {
	if !slices.Contains(active, "Watchdog") {
		return errors.New("the rules have not been evaluated yet")
	}
	noisy := slices.DeleteFunc(active, func(name string) bool { return name == "Watchdog" })
	if len(noisy) > 0 {
		return fmt.Errorf("still active: %s", strings.Join(noisy, ", "))
	}
	return nil
}

func (c *Cluster) activeAlerts(ctx context.Context) ([]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.PrometheusURL()+"/api/v1/alerts", nil)
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
			Alerts []struct {
				Labels map[string]string `json:"labels"`
			} `json:"alerts"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("reading alerts: %w", err)
	}
	var names []string
	for _, alert := range answer.Data.Alerts {
		names = append(names, alert.Labels["alertname"])
	}
	return names, nil
}
