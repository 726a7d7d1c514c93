// Package snapshots knows etcd snapshots as files: how they are named, stored
// beside their sha256, listed, and how old what they hold is. It decides nothing.
package snapshots

import "time"

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
	// Source says what spoke of it: "renewTime of Lease kube-node-lease/n1 at
	// revision 4711". When At is zero it says why.
	Source string
}
