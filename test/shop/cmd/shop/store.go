package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"gameday.dev/gameday/test/shop/internal/jsonl"
)

// store keeps every value ever put, in order, in one append-only file; the last one of a key counts.
type store struct {
	mu     sync.Mutex
	file   *jsonl.File
	values map[string]string
	seq    uint64
}

// entry is one line of the file.
type entry struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	Key   string    `json:"key"`
	Value string    `json:"value"`
}

func addStore(a *app, dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &store{values: map[string]string{}}
	var err error
	if s.file, err = jsonl.Open(filepath.Join(dir, "store.jsonl")); err != nil {
		return nil, err
	}
	if err := s.file.Each(s.replay); err != nil {
		return nil, errors.Join(err, s.close())
	}
	a.metrics.add("shop_store_entries", "Lines in the file.", gauge, func(emit emitter) {
		s.mu.Lock()
		defer s.mu.Unlock()
		emit("", float64(s.seq))
	})
	a.metrics.add("shop_store_bytes", "Size of the file.", gauge, func(emit emitter) {
		emit("", float64(s.file.Size()))
	})
	a.mux.HandleFunc("POST /put", s.put)
	a.mux.HandleFunc("PUT /put", s.put)
	a.mux.HandleFunc("GET /get", s.get)
	return s, nil
}

func (s *store) close() error { return s.file.Close() }

func (s *store) replay(line json.RawMessage) error {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("reading line %d of the store: %w", s.seq+1, err)
	}
	if e.Seq != s.seq+1 {
		return fmt.Errorf("reading line %d of the store: it has sequence number %d", s.seq+1, e.Seq)
	}
	s.seq, s.values[e.Key] = e.Seq, e.Value
	return nil
}

// put keeps the body under ?key=. It answers only when the value would survive a power cut.
func (s *store) put(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	if key == "" {
		http.Error(w, "parameter key is missing", http.StatusBadRequest)
		return
	}
	value, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, fmt.Sprintf("reading value of %s: %v", key, err), http.StatusBadRequest)
		return
	}
	if !utf8.ValidString(key) || !utf8.Valid(value) {
		// JSON would replace what it cannot hold, and what is read would not be what was put.
		http.Error(w, fmt.Sprintf("key %q or its value is not UTF-8", key), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := entry{Seq: s.seq + 1, At: time.Now().UTC(), Key: key, Value: string(value)}
	if err := s.file.Append(e); err != nil {
		http.Error(w, fmt.Sprintf("keeping %s: %v", key, err), http.StatusInternalServerError)
		return
	}
	s.seq, s.values[key] = e.Seq, e.Value
	if err := s.file.Sync(); err != nil {
		http.Error(w, fmt.Sprintf("keeping %s: %v", key, err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(e) // an error here is the client's, which went away
}

func (s *store) get(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	s.mu.Lock()
	value, ok := s.values[key]
	s.mu.Unlock()
	if !ok {
		http.Error(w, fmt.Sprintf("nothing is kept under %q", key), http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, value) // an error here is the client's as well
}
