package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// web answers requests, and counts its answers by code. Probes and scrapes are not its customers and not counted.
type web struct {
	host string

	mu      sync.Mutex
	code    int // what / answers with
	answers map[int]uint64
}

func addWeb(a *app) {
	s := &web{host: a.host, code: http.StatusOK, answers: map[int]uint64{
		// In every scrape from the first one on: a rate needs a zero to start from, and a query for errors must
		// find "none" rather than "no data".
		http.StatusOK: 0, http.StatusNotFound: 0, http.StatusInternalServerError: 0, http.StatusServiceUnavailable: 0,
	}}
	a.metrics.add("http_requests_total", "Requests answered, by status code.", counter, s.collect)
	a.mux.HandleFunc("GET /{$}", s.home)
	a.mux.HandleFunc("/", s.notFound)
	a.mux.HandleFunc("POST /admin/code", s.setCode)
}

func (s *web) home(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	code := s.code
	s.mu.Unlock()
	s.answer(w, code)
}

func (s *web) notFound(w http.ResponseWriter, _ *http.Request) { s.answer(w, http.StatusNotFound) }

func (s *web) answer(w http.ResponseWriter, code int) {
	s.mu.Lock()
	s.answers[code]++
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintf(w, "%s from %s\n", http.StatusText(code), s.host)
}

// setCode changes what / answers from now on: a shop that is up, ready and wrong.
func (s *web) setCode(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.URL.Query().Get("value"))
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "parameter value must be a status code from 200 to 599", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.code = code
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (s *web) collect(emit emitter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, code := range slices.Sorted(maps.Keys(s.answers)) {
		emit(fmt.Sprintf("code=\"%d\"", code), float64(s.answers[code]))
	}
}
