package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
)

// app is what the three roles share: liveness, readiness and metrics.
type app struct {
	mux     *http.ServeMux
	ready   *readiness
	metrics *metrics
	host    string // in a cluster, the name of the pod
}

func newApp(role string) *app {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // the name is only for the reader's eye
	}
	a := &app{mux: http.NewServeMux(), ready: newReadiness(), metrics: &metrics{}, host: host}
	a.metrics.add("shop_build_info", "What this is, always 1.", gauge, constant(buildLabels(role), 1))
	a.metrics.add("shop_ready", "1 while /readyz says yes.", gauge, func(emit emitter) {
		emit("", boolValue(a.ready.now()))
	})
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	a.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !a.ready.now() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	a.mux.HandleFunc("POST /admin/ready", a.setReady)
	a.mux.Handle("GET /metrics", a.metrics)
	return a
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.ready.isDraining() {
		// Tells clients to go elsewhere with their next request. Closing idle connections instead would lose the
		// request that is just being sent on one.
		w.Header().Set("Connection", "close")
	}
	a.mux.ServeHTTP(w, r)
}

// setReady flips readiness and answers with the moment of the flip, which measurements are held against.
func (a *app) setReady(w http.ResponseWriter, r *http.Request) {
	value, err := strconv.ParseBool(r.URL.Query().Get("value"))
	if err != nil {
		http.Error(w, "parameter value must be true or false", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	flip := a.ready.set(value)
	flip.Pod = a.host
	if err := json.NewEncoder(w).Encode(flip); err != nil {
		panic(http.ErrAbortHandler)
	}
}
