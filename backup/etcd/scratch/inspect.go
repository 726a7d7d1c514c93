package scratch

import (
	"context"
	"fmt"
	"os"
)

// Inspect reads the file in a child process and never writes to it. A child that crashes on it is Damage,
// not an error; an error is what this machine could not do.
func Inspect(ctx context.Context, program []string, path, prefix string) (Inspection, error) {
	return inspectIn(ctx, program, inspectRequest{Path: path, Prefix: prefix})
}

// InspectKnown is Inspect for a file that was hashed while it was written.
func InspectKnown(ctx context.Context, program []string, path, prefix string, known KnownHash) (Inspection, error) {
	return inspectIn(ctx, program, inspectRequest{Path: path, Prefix: prefix, Known: &known})
}

func inspectIn(ctx context.Context, program []string, request inspectRequest) (Inspection, error) {
	h, err := startHelper(program, verbInspect, request)
	if err != nil {
		return Inspection{}, fmt.Errorf("inspecting snapshot %s: %w", request.Path, err)
	}
	defer h.stop(0)
	var found *Inspection
	for {
		select {
		case <-ctx.Done():
			return Inspection{}, fmt.Errorf("inspecting snapshot %s: %w", request.Path, context.Cause(ctx))
		case r, more := <-h.replies:
			switch {
			case !more:
				return h.inspection(request, found)
			case r.Inspection != nil:
				found = r.Inspection
				found.ContentError = errNoAnswer.Error()
			case r.Content != nil && found != nil:
				found.ContentAt, found.ContentSource, found.ContentError = r.Content.At, r.Content.Source, r.Content.Error
			case r.Failed != nil && found == nil:
				return Inspection{}, fmt.Errorf("inspecting snapshot %s: %s", request.Path, r.Failed.Message)
			}
		}
	}
}

// inspection is what there is to say at the end of the child.
func (h *helper) inspection(request inspectRequest, found *Inspection) (Inspection, error) {
	if found != nil {
		return *found, nil
	}
	machine, err := blame(h.Err(), h.Stderr())
	info, statErr := os.Stat(request.Path)
	if machine || statErr != nil {
		return Inspection{}, fmt.Errorf("inspecting snapshot %s: %w", request.Path, err)
	}
	return Inspection{Size: info.Size(), Damage: []string{"reading it crashed: " + err.Error()}, DamageCount: 1}, nil
}
