// Package journal is the record of a run: an append-only file of events, one
// JSON object a line. It records; it never judges. Standard library only, so
// that other tools can read a record with it.
package journal
