// Package etcd proves that etcd snapshots bring a cluster back. etcdSnapshot
// takes one and stores it; etcdRestore climbs a ladder with one, from the bytes
// of the file to an API server that lists what it held. The living etcd is only
// ever read.
package etcd

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
)

// The rungs of the ladder, from the bottom.
const (
	rungSnapshot  = "snapshot"
	rungIntegrity = "integrity"
	rungRestore   = "restore"
	rungServe     = "serve"
	rungDecode    = "decode"
	rungMatch     = "match"
	rungAPIServer = "apiServer"
	// rungMembers is below the first: the living members hold the same data. No
	// level asks for it; a difference fails every step.
	rungMembers = "members"
)

// What to do when the living cluster's history does not reach back to the
// snapshot's revision any more.
const (
	Inconclusive     = "inconclusive"
	CompareUnchanged = "compareUnchanged"
)

const (
	defaultLevel   = rungMatch
	defaultTimeout = 30 * time.Minute
)

// Restore is the etcdRestore step of a scenario.
type Restore struct {
	// Level is the rung that must be reached: snapshot, integrity, restore,
	// serve, decode, match (default) or apiServer. Each includes those before it.
	Level string `json:"level,omitempty" jsonschema:"enum=snapshot,enum=integrity,enum=restore,enum=serve,enum=decode,enum=match,enum=apiServer"`
	// From says which snapshot. Unset: one is taken now, and removed afterwards.
	From *Source `json:"from,omitempty"`
	// AfterCompaction is what to make of a living cluster that has compacted the
	// snapshot's revision, as every API server does after five minutes:
	// inconclusive (default), or compareUnchanged, which compares what has not
	// changed since and lets the rest pass.
	AfterCompaction string `json:"afterCompaction,omitempty" jsonschema:"enum=inconclusive,enum=compareUnchanged"`
	// Objectives that RPO and RTO are held against.
	Objectives *backup.Objectives `json:"objectives,omitempty"`
	// Timeout of the whole climb. Default 30m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// Source says where a snapshot is. Exactly one field is set.
type Source struct {
	// File is the path of one snapshot, relative to the working directory.
	File string `json:"file,omitempty"`
	// Directory whose newest snapshot is meant, relative to the working directory.
	Directory string `json:"directory,omitempty"`
	// Newest is the newest snapshot in the Environment's etcd.snapshotDirectory.
	Newest bool `json:"newest,omitempty"`
}

// Snapshot is the etcdSnapshot step of a scenario: take, store, verify.
type Snapshot struct {
	// Directory the snapshot is stored in, relative to the working directory.
	// Default: the Environment's etcd.snapshotDirectory.
	Directory string `json:"directory,omitempty"`
	// Keep is how many snapshots of gameday's own naming stay, the new one
	// included; older ones are removed once the new one is verified. Unset keeps all.
	Keep *int `json:"keep,omitempty" jsonschema:"minimum=1"`
	// Timeout for all of it. Default 30m.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// rungs are all rungs in their order.
func rungs() []string {
	return []string{rungSnapshot, rungIntegrity, rungRestore, rungServe, rungDecode, rungMatch, rungAPIServer}
}

func (s *Restore) level() string {
	if s.Level == "" {
		return defaultLevel
	}
	return s.Level
}

func timeoutOf(set *metav1.Duration) time.Duration {
	if set == nil {
		return defaultTimeout
	}
	return set.Duration
}
