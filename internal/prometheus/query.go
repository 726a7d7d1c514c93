package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"
)

const (
	mediaJSON = "application/json"
	mediaText = "text/plain"
)

// Client asks one Prometheus.
type Client struct{ endpoint *endpoint }

// New makes a client; it asks nothing yet.
func New(config Config) (*Client, error) {
	endpoint, err := newEndpoint("Prometheus", config)
	if err != nil {
		return nil, err
	}
	return &Client{endpoint: endpoint}, nil
}

// String names the server without its credentials.
func (c *Client) String() string { return c.endpoint.String() }

// Sample is one value of a series.
type Sample struct {
	Time  time.Time // by the server's clock
	Value float64
}

// Series is a set of labels and its samples in order of time.
type Series struct {
	Labels  map[string]string
	Samples []Sample
}

// Result is the answer to a query. A scalar is a series without labels.
type Result struct {
	Series []Series
	// Partial says why series may be missing: warnings of Thanos, Prometheus or
	// VictoriaMetrics. An answer with it proves no absence.
	Partial []string
}

// Query evaluates an expression at a time of the server's clock; the zero
// time is the server's now. A range selector gives raw samples.
func (c *Client) Query(ctx context.Context, expression string, at time.Time) (Result, error) {
	values := url.Values{"query": {expression}}
	if !at.IsZero() {
		values.Set("time", strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64))
	}
	body, err := c.endpoint.get(ctx, "api/v1/query", values, mediaJSON)
	if err != nil {
		return Result{}, err
	}
	result, err := decodeQuery(body)
	if err != nil {
		return Result{}, fmt.Errorf("asking %s for %s: %w", c, expression, err)
	}
	return result, nil
}

// envelope is around every answer of the API.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
	Warnings  []string        `json:"warnings"`
	IsPartial bool            `json:"isPartial"` // VictoriaMetrics
}

// open takes the data out of an answer. A success without data is none.
func open(body []byte, data any) (partial []string, err error) {
	var answer envelope
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("the answer has another shape than Prometheus': %w", err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("status %q: %s %s", clip(answer.Status, 40), clip(answer.ErrorType, 40), clip(answer.Error, 200))
	}
	if len(answer.Data) == 0 || string(answer.Data) == "null" {
		return nil, errors.New("a success without data")
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return nil, fmt.Errorf("the data has another shape than Prometheus': %w", err)
	}
	for _, warning := range answer.Warnings {
		partial = append(partial, clip(warning, 200))
	}
	if answer.IsPartial {
		partial = append(partial, "the server calls its answer partial")
	}
	return partial, nil
}

func decodeQuery(body []byte) (Result, error) {
	var data struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	partial, err := open(body, &data)
	if err != nil {
		return Result{}, err
	}
	result := Result{Partial: partial}
	if len(data.Result) == 0 || string(data.Result) == "null" {
		return Result{}, errors.New("a success without a result")
	}
	switch data.Type {
	case "scalar":
		var one Sample
		if err := json.Unmarshal(data.Result, &one); err != nil {
			return Result{}, err
		}
		result.Series = []Series{{Labels: map[string]string{}, Samples: []Sample{one}}}
		return result, nil
	case "vector", "matrix":
	default:
		return Result{}, fmt.Errorf("a result of type %q where vector, matrix or scalar was expected", clip(data.Type, 40))
	}
	var rows []struct {
		Metric map[string]string `json:"metric"`
		Value  *Sample           `json:"value"`
		Values []Sample          `json:"values"`
	}
	if err := json.Unmarshal(data.Result, &rows); err != nil {
		return Result{}, fmt.Errorf("the result has another shape than Prometheus': %w", err)
	}
	for _, row := range rows {
		if row.Value != nil {
			row.Values = append(row.Values, *row.Value)
		}
		if row.Metric == nil || len(row.Values) == 0 {
			return Result{}, errors.New("a series without labels or samples")
		}
		for i := 1; i < len(row.Values); i++ {
			if !row.Values[i].Time.After(row.Values[i-1].Time) {
				return Result{}, errors.New("the samples of a series are not in order of time")
			}
		}
		result.Series = append(result.Series, Series{Labels: row.Metric, Samples: row.Values})
	}
	return result, nil
}

// UnmarshalJSON reads Prometheus' [seconds, "value"].
func (s *Sample) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return errors.New("a sample is not a pair")
	}
	var seconds float64
	var value string
	if err := json.Unmarshal(pair[0], &seconds); err != nil {
		return errors.New("the time of a sample is not a number")
	}
	if err := json.Unmarshal(pair[1], &value); err != nil {
		return errors.New("the value of a sample is not a string")
	}
	if seconds < 0 || seconds > 1e11 { // the year 5138
		return errors.New("the time of a sample is out of range")
	}
	parsed, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return errors.New("the value of a sample is not a number")
	}
	s.Time = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	s.Value = parsed
	return nil
}
