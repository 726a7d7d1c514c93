// Package jsonl keeps an append-only file of JSON values, one a line. It holds nothing in memory: the file is
// what was recorded.
package jsonl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// File may be used by several goroutines at once.
type File struct {
	mu   sync.Mutex
	f    *os.File
	size int64
}

// Open opens or creates the file. A last line without its end is what a crash left of an append that nobody was
// told had worked: it is cut off.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", path, err), f.Close())
	}
	size := int64(bytes.LastIndexByte(data, '\n') + 1)
	if err := f.Truncate(size); err != nil {
		return nil, errors.Join(fmt.Errorf("cutting the torn end of %s: %w", path, err), f.Close())
	}
	return &File{f: f, size: size}, nil
}

// Append writes one value and its newline in a single write.
func (j *File) Append(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err = j.f.Write(append(line, '\n')); err != nil {
		// What was written of the line must not become the beginning of the next one.
		return errors.Join(err, j.f.Truncate(j.size))
	}
	j.size += int64(len(line)) + 1
	return nil
}

// Each calls fn with every value that was there when it was called, oldest first, until fn returns an error.
func (j *File) Each(fn func(json.RawMessage) error) error {
	r := bufio.NewReader(io.NewSectionReader(j.f, 0, j.Size()))
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", j.f.Name(), err)
		}
		if err := fn(line); err != nil {
			return err
		}
	}
}

// Size is the length of the file in bytes.
func (j *File) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

// Sync returns when what was appended would survive a power cut.
func (j *File) Sync() error { return j.f.Sync() }

// Close closes the file.
func (j *File) Close() error { return j.f.Close() }
