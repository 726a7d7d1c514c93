package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Rule is one alerting rule as the server holds it now.
type Rule struct {
	Name           string
	Group          string
	File           string
	Query          string
	Labels         map[string]string
	For            time.Duration
	KeepFiringFor  time.Duration
	Interval       time.Duration // of its group
	Health         string        // ok, err or unknown
	LastError      string
	LastEvaluation time.Time
}

// maxPages bounds the walk through a paged answer that never ends.
const maxPages = 100

// Rules lists the alerting rules; names narrow it where the server knows how
// to, and always in what is returned. Pages are followed.
func (c *Client) Rules(ctx context.Context, names ...string) ([]Rule, []string, error) {
	values := url.Values{"type": {"alert"}, "exclude_alerts": {"true"}}
	for _, name := range names {
		values.Add("rule_name[]", name)
	}
	var all []Rule
	var partial []string
	for range maxPages {
		body, err := c.endpoint.get(ctx, "api/v1/rules", values, mediaJSON)
		if err != nil {
			return nil, nil, err
		}
		rules, next, warnings, err := decodeRules(body)
		if err != nil {
			return nil, nil, fmt.Errorf("asking %s for its rules: %w", c, err)
		}
		partial = append(partial, warnings...)
		for _, rule := range rules {
			if len(names) == 0 || contains(names, rule.Name) {
				all = append(all, rule)
			}
		}
		if next == "" {
			return all, partial, nil
		}
		values.Set("group_next_token", next)
	}
	return nil, nil, fmt.Errorf("asking %s for its rules: more than %d pages", c, maxPages)
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func decodeRules(body []byte) (rules []Rule, next string, partial []string, err error) {
	var data struct {
		Groups *[]struct {
			Name     string  `json:"name"`
			File     string  `json:"file"`
			Interval float64 `json:"interval"`
			Rules    []struct {
				Type           string            `json:"type"`
				Name           string            `json:"name"`
				Query          string            `json:"query"`
				Duration       float64           `json:"duration"`
				KeepFiringFor  float64           `json:"keepFiringFor"`
				Labels         map[string]string `json:"labels"`
				Health         string            `json:"health"`
				LastError      string            `json:"lastError"`
				LastEvaluation time.Time         `json:"lastEvaluation"`
			} `json:"rules"`
		} `json:"groups"`
		Next string `json:"groupNextToken"`
	}
	if partial, err = open(body, &data); err != nil {
		return nil, "", nil, err
	}
	if data.Groups == nil {
		return nil, "", nil, errors.New("a success without rule groups")
	}
	for _, group := range *data.Groups {
		for _, rule := range group.Rules {
			if rule.Type != "alerting" {
				continue
			}
			rules = append(rules, Rule{
				Name: rule.Name, Group: group.Name, File: group.File, Query: rule.Query, Labels: rule.Labels,
				For: seconds(rule.Duration), KeepFiringFor: seconds(rule.KeepFiringFor), Interval: seconds(group.Interval),
				Health: rule.Health, LastError: clip(rule.LastError, 300), LastEvaluation: rule.LastEvaluation,
			})
		}
	}
	return rules, data.Next, partial, nil
}

// seconds converts a server's number; nonsense becomes zero rather than an overflow.
func seconds(n float64) time.Duration {
	if !(n > 0 && n < 1e9) {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}
