package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"gameday.dev/gameday/test/shop/internal/jsonl"
)

// maxBody bounds one notification; Alertmanager's groups of a test cluster are a few kilobytes.
const maxBody = 8 << 20

// received is one line of the file and one element of /received.
type received struct {
	At           time.Time       `json:"at"`
	Notification json.RawMessage `json:"notification"`
}

func newReceiver(file *jsonl.File) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		at := time.Now().UTC() // before the body is read: what counts is when the first byte arrived
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, fmt.Sprintf("reading notification: %v", err), http.StatusBadRequest)
			return
		}
		if !json.Valid(body) {
			http.Error(w, "notification is not JSON", http.StatusBadRequest)
			return
		}
		if err := file.Append(received{At: at, Notification: body}); err != nil {
			http.Error(w, fmt.Sprintf("keeping notification: %v", err), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /received", func(w http.ResponseWriter, _ *http.Request) {
		all := []json.RawMessage{} // an empty array, not null
		err := file.Each(func(line json.RawMessage) error {
			all = append(all, line)
			return nil
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(all); err != nil {
			panic(http.ErrAbortHandler) // half an array must not look like a whole answer
		}
	})
	return mux
}
