package prometheus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Clock compares the server's clock with ours.
type Clock struct {
	// Offset is the server's clock minus ours.
	Offset time.Duration
	// Uncertainty is how wrong Offset may be: half the round trip, and the
	// millisecond to which the server's answer is cut.
	Uncertainty time.Duration
}

// Clock asks the server for its time.
func (c *Client) Clock(ctx context.Context) (Clock, error) {
	sent := time.Now()
	result, err := c.Query(ctx, "time()", time.Time{})
	if err != nil {
		return Clock{}, err
	}
	trip := time.Since(sent)
	if len(result.Series) != 1 || len(result.Series[0].Samples) != 1 {
		return Clock{}, fmt.Errorf("asking %s for its time: the answer holds %d values", c, len(result.Series))
	}
	there := result.Series[0].Samples[0].Time
	return Clock{Offset: there.Sub(sent.Add(trip / 2)).Round(time.Millisecond), Uncertainty: trip/2 + time.Millisecond}, nil
}

// Runtime is the life of the server's process.
type Runtime struct {
	StartTime      time.Time
	LastConfigTime time.Time
	ReloadSuccess  bool
}

// Runtime asks when the process began; Thanos and Mimir do not know the question.
func (c *Client) Runtime(ctx context.Context) (Runtime, error) {
	body, err := c.endpoint.get(ctx, "api/v1/status/runtimeinfo", nil, mediaJSON)
	if err != nil {
		return Runtime{}, err
	}
	runtime, err := decodeRuntime(body)
	if err != nil {
		return Runtime{}, fmt.Errorf("asking %s for its runtime: %w", c, err)
	}
	return runtime, nil
}

func decodeRuntime(body []byte) (Runtime, error) {
	var data struct {
		StartTime      time.Time `json:"startTime"`
		LastConfigTime time.Time `json:"lastConfigTime"`
		ReloadSuccess  bool      `json:"reloadConfigSuccess"`
	}
	if _, err := open(body, &data); err != nil {
		return Runtime{}, err
	}
	if data.StartTime.IsZero() {
		return Runtime{}, errors.New("a success without a start time")
	}
	return Runtime(data), nil
}

// Intervals is how often a server looks.
type Intervals struct {
	// Scrape is the shortest scrape interval of any job.
	Scrape time.Duration
	// Evaluation is the default of rule groups.
	Evaluation time.Duration
	// RuleQueryOffset is how far behind its clock it evaluates rules.
	RuleQueryOffset time.Duration
}

// Intervals reads the server's configuration; Thanos and Mimir do not show theirs.
func (c *Client) Intervals(ctx context.Context) (Intervals, error) {
	body, err := c.endpoint.get(ctx, "api/v1/status/config", nil, mediaJSON)
	if err != nil {
		return Intervals{}, err
	}
	intervals, err := decodeIntervals(body)
	if err != nil {
		return Intervals{}, fmt.Errorf("asking %s for its configuration: %w", c, err)
	}
	return intervals, nil
}

func decodeIntervals(body []byte) (Intervals, error) {
	var data struct {
		YAML string `json:"yaml"`
	}
	if _, err := open(body, &data); err != nil {
		return Intervals{}, err
	}
	var config struct {
		Global struct {
			Scrape     duration `yaml:"scrape_interval"`
			Evaluation duration `yaml:"evaluation_interval"`
			Offset     duration `yaml:"rule_query_offset"`
		} `yaml:"global"`
		Jobs []struct {
			Scrape duration `yaml:"scrape_interval"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(data.YAML), &config); err != nil {
		return Intervals{}, fmt.Errorf("reading its YAML: %w", err)
	}
	minute := duration(time.Minute) // Prometheus' default for both
	intervals := Intervals{
		Scrape:          time.Duration(either(config.Global.Scrape, minute)),
		Evaluation:      time.Duration(either(config.Global.Evaluation, minute)),
		RuleQueryOffset: time.Duration(config.Global.Offset),
	}
	for _, job := range config.Jobs {
		if job.Scrape > 0 {
			intervals.Scrape = min(intervals.Scrape, time.Duration(job.Scrape))
		}
	}
	return intervals, nil
}

func either(a, b duration) duration {
	if a > 0 {
		return a
	}
	return b
}

// duration is written as Prometheus writes it: 1m30s, 1d.
type duration time.Duration

func (d *duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := model.ParseDuration(node.Value)
	if err != nil {
		return err
	}
	*d = duration(parsed)
	return nil
}
