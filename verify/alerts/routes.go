package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// routes is what matters of Alertmanager's configuration: who is told, and
// how long Alertmanager waits first. Nothing else of it is kept.
type routes struct {
	root         *route
	integrations map[string][]string // of each receiver
}

type route struct {
	Receiver      string            `yaml:"receiver"`
	Match         map[string]string `yaml:"match"`
	MatchRE       map[string]string `yaml:"match_re"`
	Matchers      texts             `yaml:"matchers"`
	Continue      bool              `yaml:"continue"`
	Mute          []string          `yaml:"mute_time_intervals"`
	Active        []string          `yaml:"active_time_intervals"`
	GroupWait     string            `yaml:"group_wait"`
	GroupInterval string            `yaml:"group_interval"`
	Routes        []*route          `yaml:"routes"`
}

// texts is one string or a list of them.
type texts []string

func (t *texts) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*t = texts{node.Value}
		return nil
	}
	return node.Decode((*[]string)(t))
}

func readRoutes(text string) (routes, error) {
	var config struct {
		Route     *route                 `yaml:"route"`
		Receivers []map[string]yaml.Node `yaml:"receivers"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return routes{}, fmt.Errorf("reading Alertmanager's configuration: %w", err)
	}
	if config.Route == nil {
		return routes{}, errors.New("reading Alertmanager's configuration: it has no route")
	}
	read := routes{root: config.Route, integrations: map[string][]string{}}
	for _, receiver := range config.Receivers {
		name := receiver["name"]
		integrations := []string{}
		for key, list := range receiver {
			if integration, ok := strings.CutSuffix(key, "_configs"); ok && len(list.Content) > 0 {
				integrations = append(integrations, integration)
			}
		}
		slices.Sort(integrations)
		read.integrations[name.Value] = integrations
	}
	return read, nil
}

// leg is one receiver that an alert is routed to.
type leg struct {
	receiver      string
	wait          time.Duration
	groupInterval time.Duration
	timed         bool // muted or active only at times
	certain       bool // false when labels not known beforehand decide
}

// find follows the tree as Alertmanager does, as far as the known labels
// decide; where they do not, both ways are followed and marked uncertain.
func (r routes) find(labels map[string]string) []leg {
	start := leg{wait: 30 * time.Second, groupInterval: 5 * time.Minute, certain: true} // Alertmanager's defaults
	return r.root.walk(labels, start)
}

func (r *route) walk(labels map[string]string, from leg) []leg {
	here := from
	if r.Receiver != "" {
		here.receiver = r.Receiver
	}
	here.wait = inherit(r.GroupWait, from.wait)
	here.groupInterval = inherit(r.GroupInterval, from.groupInterval)
	here.timed = len(r.Mute)+len(r.Active) > 0 // not inherited
	var legs []leg
	own := true // whether this node itself is the answer
	for _, child := range r.Routes {
		verdict := child.matches(labels)
		if verdict == no {
			continue
		}
		below := here
		below.certain = here.certain && verdict == yes
		legs = append(legs, child.walk(labels, below)...)
		if verdict == yes {
			own = false
			if !child.Continue {
				return legs
			}
			continue
		}
		here.certain = false // what follows holds only if this child does not match
	}
	if own {
		legs = append(legs, here)
	}
	return legs
}

func inherit(text string, otherwise time.Duration) time.Duration {
	if parsed, err := model.ParseDuration(text); err == nil {
		return time.Duration(parsed)
	}
	return otherwise
}

func (r *route) matches(labels map[string]string) answer {
	all := yes
	for name, value := range r.Match {
		all = min(all, matcher{name: name, op: "=", value: value}.matches(labels))
	}
	for name, value := range r.MatchRE {
		all = min(all, matcher{name: name, op: "=~", value: value}.matches(labels))
	}
	for _, text := range r.Matchers {
		for _, one := range parseMatchers(text) {
			all = min(all, one.matches(labels))
		}
	}
	return all
}
