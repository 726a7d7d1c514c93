package etcdsnapshots

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"gameday.dev/gameday/internal/snapshots"
)

// What hashing a snapshot showed.
const (
	sumFits      = "its sha256 is that of its sidecar"
	sumOwn       = "it ends with the sha256 of its own; it has no sidecar"
	sumNone      = "nothing to hold its sha256 against: it has no sidecar, and does not end as a snapshot does"
	sumNotInTime = "not hashed: there was no time left"
)

// lookClosely looks once more and hashes the newest snapshot. One that is
// damaged is none, and then the next is the newest.
func (e *eyes) lookClosely(ctx context.Context) lookEvent {
	for {
		look := e.look()
		if look.Counted == 0 || look.Newest[0].Sum != "" {
			return look
		}
		newest := look.Newest[0]
		file := snapshots.File{Path: filepath.Join(e.directory, newest.Name), Size: newest.Size, Modified: newest.Modified}
		state := stateOf(file)
		holds := e.known[state]
		holds.sum, holds.problem = verifySum(ctx, file.Path)
		e.known[state] = holds
	}
}

// verifySum holds a snapshot against its sidecar and against its own end.
func verifySum(ctx context.Context, path string) (shown, problem string) {
	stored, sidecarErr := snapshots.ReadSidecar(path)
	sums, err := snapshots.Sum(ctx, path)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return sumNotInTime, ""
	case err != nil:
		return "", err.Error()
	case sums.Trailer && !sums.Fits:
		return "", "damaged: it does not end with the sha256 of what is before"
	case sidecarErr != nil:
		return "not held against its sidecar: " + sidecarErr.Error(), ""
	case stored != "" && stored != sums.Whole:
		return "", fmt.Sprintf("damaged, or not the file it was: its sha256 is not that of %s", filepath.Base(snapshots.SidecarOf(path)))
	case stored != "":
		return sumFits, ""
	case sums.Trailer:
		return sumOwn, ""
	default:
		return sumNone, ""
	}
}
