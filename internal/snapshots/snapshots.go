// Package snapshots knows etcd snapshots as files: how they are named, stored
// beside their sha256, listed, and how old what they hold is. It decides nothing.
package snapshots

import (
	"time"
)

// File is one snapshot in a directory.
type File struct {
	Path string
	Size int64
	// Modified is when the file was last written, which a copy changes.
	Modified time.Time
	// Taken is from the file's name if gameday gave it; zero otherwise.
	Taken time.Time
}

// Content is the age of what a snapshot holds, from its data, not from its file.
type Content struct {
	// At is the newest moment that the newest revisions speak of; zero when they speak of none.
	At time.Time
	// Source says what spoke of it: "renewTime of Lease kube-node-lease/n1 at revision 4711".
	Source string
}

// List gives the snapshots of a directory, the newest first: by Taken, else by
// Modified. Files that are being written, sidecars and others are no snapshots.
func List(directory string) ([]File, error) { panic("to be written") }

// Name is the file name of a snapshot: "etcd-<cluster>-20261123T013000Z.db".
func Name(cluster string, taken time.Time) string { panic("to be written") }

// ReadContent finds how old the data of a snapshot is, from its newest
// revisions: in the time that it takes to look at a few thousand keys, whatever
// the size. A damaged file is an error, never a crash.
func ReadContent(path, prefix string) (Content, error) { panic("to be written") }

// SidecarOf is the path of the file that holds the snapshot's sha256, as sha256sum writes it.
func SidecarOf(path string) string { return path + ".sha256" }

// ReadSidecar gives the hex sha256 that was stored beside a snapshot; empty when there is none.
func ReadSidecar(path string) (string, error) { panic("to be written") }

// WriteSidecar stores it: synced, and whole or not at all.
func WriteSidecar(path, sum string) error { panic("to be written") }
