package veleroschedules

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/internal/velero"
	"gameday.dev/gameday/verify"
)

// check is the check of one scenario. It holds no state: what it saw is in the
// record, so that a judge in another process finds the same.
type check struct {
	name string
	spec Spec
}

// New makes the check called name.
func New(name string, spec Spec) verify.Check { return &check{name: name, spec: spec} }

var _ verify.Preflight = (*check)(nil)

// Preflight refuses a cluster in which Velero's resources can't be seen: of
// backups nothing could ever be told. What they say is no reason to refuse.
func (c *check) Preflight(ctx context.Context, env verify.Env) ([]string, error) {
	look, err := c.eyes(env).look(ctx)
	switch {
	case apierrors.IsNotFound(err):
		return nil, refusal.New("install Velero, name the cluster that has it, or leave the check out", "check %s: %s", c.name, look.Problem)
	case apierrors.IsForbidden(err):
		return nil, refusal.New("ask for a Role that may list backups, schedules and backupstoragelocations of velero.io in namespace "+env.VeleroNamespace, "check %s: %s", c.name, look.Problem)
	case err != nil:
		return nil, refusal.New("try again when the API server answers", "check %s: %s", c.name, look.Problem)
	}
	return []string{c.weigh(look).Summary}, nil
}

// Permissions are to list three kinds of Velero's resources in its own namespace.
func (c *check) Permissions() []kube.Permission {
	return kube.Permit(kube.VeleroNamespace, kube.Rule(velero.Group, []string{velero.Schedules, velero.Backups, velero.StorageLocations}, "list"))
}
