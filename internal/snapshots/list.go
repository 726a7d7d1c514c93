package snapshots

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// List gives the snapshots of a directory, the newest first: by Taken, else by
// Modified. Files that are being written, sidecars and others are no snapshots:
// what counts is a regular file, no link, that ends in .db, .snapshot or .snap.
// Whether it holds one is not looked at.
func List(directory string) ([]File, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("listing snapshots: %w: %s", err, remedy(err))
	}
	var files []File
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !named(entry.Name()) {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was deleted or renamed meanwhile, as a rotation does
		}
		if err != nil {
			return nil, fmt.Errorf("listing snapshots: %w: %s", err, remedy(err))
		}
		path := filepath.Join(directory, entry.Name())
		files = append(files, File{Path: path, Size: info.Size(), Modified: info.ModTime().UTC(), Taken: takenFrom(path)})
	}
	slices.SortFunc(files, func(a, b File) int {
		return cmp.Or(b.when().Compare(a.when()), cmp.Compare(a.Path, b.Path))
	})
	return files, nil
}

func named(name string) bool {
	switch filepath.Ext(name) {
	case ".db", ".snapshot", ".snap":
		return true
	default:
		return false
	}
}

func (f File) when() time.Time {
	if f.Taken.IsZero() {
		return f.Modified
	}
	return f.Taken
}

// remedy is the next step after an error with a directory.
func remedy(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "name the directory that the snapshots are written to, or mount it here"
	case errors.Is(err, fs.ErrPermission):
		return "let this user read and enter the directory"
	case errors.As(err, &path) && path.Path == "":
		return "name the directory that the snapshots are written to"
	default:
		return "it must be a directory that can be read from here"
	}
}
