package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/test/cluster"
	"gameday.dev/gameday/verify"
)

const (
	// outageHold is how long outages are made for in one run.
	outageHold = 2 * time.Minute
	// shortOutage is the length of every other outage; the rest take up to 600 ms.
	shortOutage = 200 * time.Millisecond
)

const outageScenario = `apiVersion: gameday.dev/v1alpha1
kind: Scenario
metadata: {name: bench-outage}
spec:
  timeout: 20m
  limits: {namespaces: [bench-outage], maxPods: 1}
  checks:
    - name: stays-up
      availability:
        workload: {kind: Deployment, namespace: bench-outage, name: web}
        minAvailable: 100%%
        maxUnavailableFor: 20m # outages are what this run is for
  steps:
    - name: kill-another
      podKill: {namespace: bench-outage, selector: app=victim, count: 1}
      hold: %s
`

// outage is one outage that the bench made, by the requests that made it.
type outage struct {
	downSent, downAnswered, upSent, upAnswered time.Time
	short                                      bool
}

// measureOutage makes outages at moments it knows and compares them with the
// intervals of the run's report. The API server acted somewhere between a
// request and its answer; the error is taken against the worse of the two, so
// that it holds whatever the moment was.
func measureOutage(ctx context.Context, b *bench, times int) ([]figure, error) {
	var made []outage
	var seen []verify.Interval
	err := withCluster(ctx, "outage", func(c *cluster.Cluster) error {
		client, err := c.Client()
		if err != nil {
			return err
		}
		err = c.Apply(ctx, []byte(namespace("bench-outage")+deployment("bench-outage", "web", "", 3)+deployment("bench-outage", "victim", "", 2)))
		if err != nil {
			return err
		}
		for range times {
			if err := awaitReady(ctx, client, "bench-outage"); err != nil {
				return err
			}
			p, err := b.play(ctx, c.Kubeconfig(), fmt.Sprintf(outageScenario, outageHold), func(ctx context.Context) error {
				more, err := makeOutages(ctx, client, time.Now().Add(outageHold-5*time.Second))
				made = append(made, more...)
				return err
			})
			if err != nil {
				return err
			}
			seen = append(seen, p.report.Checks[0].Intervals...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return compareOutages(made, slices.DeleteFunc(seen, func(i verify.Interval) bool { return i.Level != "bad" }))
}

// makeOutages takes one pod after the other out of service until the end.
func makeOutages(ctx context.Context, client kubernetes.Interface, end time.Time) ([]outage, error) {
	pods, err := podNames(ctx, client, "bench-outage", "web")
	if err != nil {
		return nil, err
	}
	var made []outage
	for i := 0; time.Now().Before(end); i++ {
		o := outage{short: i%2 == 0}
		pod, length := pods[rand.N(len(pods))], shortOutage
		if !o.short {
			length = 50*time.Millisecond + rand.N(550*time.Millisecond)
		}
		if o.downSent, o.downAnswered, err = setReady(ctx, client, "bench-outage", pod, false); err != nil {
			return nil, err
		}
		time.Sleep(time.Until(o.downSent.Add(length)))
		if o.upSent, o.upAnswered, err = setReady(ctx, client, "bench-outage", pod, true); err != nil {
			return nil, err
		}
		made = append(made, o)
		time.Sleep(100*time.Millisecond + rand.N(100*time.Millisecond))
	}
	return made, nil
}

func compareOutages(made []outage, seen []verify.Interval) ([]figure, error) {
	if len(made) == 0 {
		return nil, errors.New("no outage was made")
	}
	var worst, outside, requests []float64 // ms
	var short, shortSeen, anySeen int
	for _, o := range made {
		if o.short {
			short++
		}
		i := slices.IndexFunc(seen, func(s verify.Interval) bool { return s.From.Before(o.upAnswered) && s.To.After(o.downSent) })
		if i < 0 {
			continue
		}
		anySeen++
		if o.short {
			shortSeen++
		}
		for _, end := range [][3]time.Time{{seen[i].From, o.downSent, o.downAnswered}, {seen[i].To, o.upSent, o.upAnswered}} {
			early, late := end[0].Sub(end[1]), end[0].Sub(end[2])
			worst = append(worst, milliseconds(max(early, -early, late, -late)))
			outside = append(outside, milliseconds(max(0, -early, late)))
			requests = append(requests, milliseconds(end[2].Sub(end[1])))
		}
		seen = slices.Delete(seen, i, i+1) // what was seen counts once
	}
	limit, all := 100.0, 100.0
	p99 := quantile(worst, 0.99)
	share := 100 * float64(shortSeen) / float64(short)
	return []figure{
		{
			Name: "error of the moments of outages", Unit: "ms", Statistic: "p99", Value: p99, Samples: worst, Target: &limit, Missed: p99 > limit,
			Notes: []string{
				fmt.Sprintf("%d outages made, %d seen, %d seen that were none", len(made), anySeen, len(seen)),
				fmt.Sprintf("error against the worse end of the request that made it: median %.1f ms, p99 %.1f ms, most %.1f ms",
					quantile(worst, 0.5), p99, quantile(worst, 1)),
				fmt.Sprintf("error beyond the request: p99 %.1f ms; the requests themselves took: median %.1f ms, p99 %.1f ms",
					quantile(outside, 0.99), quantile(requests, 0.5), quantile(requests, 0.99)),
			},
		},
		{
			Name: fmt.Sprintf("outages of %s that were seen", shortOutage), Unit: "%", Statistic: "total", Value: share, Samples: []float64{share},
			Target: &all, AtLeast: true, Missed: share < all,
			Notes: []string{fmt.Sprintf("%d of %d outages of %s seen", shortSeen, short, shortOutage)},
		},
	}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
