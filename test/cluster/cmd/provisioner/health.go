package main

import (
	"net"
	"net/http"
	"time"
)

// serveHealth answers whoever asks whether the program lives.
func serveHealth(address string) (*http.Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }() // ends with the program
	return server, nil
}
