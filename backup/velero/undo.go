package velero

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gameday.dev/gameday/backup/velero/cleanup"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify/objects"
)

// Undo deletes all that the step has made: the scratch namespace, the Restore, the
// backup if it was taken for the step, and small things beside them. It ends when
// nothing of it is left to be seen, and names what is.
func (s *Restore) Undo(ctx context.Context, env experiments.Env, plan experiments.Plan) (string, error) {
	var own restorePlan
	if err := plan.GetData(&own); err != nil {
		return "", err
	}
	if !strings.HasPrefix(own.Own, ownPrefix(env.RunID)) {
		return "", experiments.Lasting(fmt.Errorf("the ledger is damaged: %q in namespace %s is no name that run %s gives: nothing is deleted: look for what bears the label %s=%s",
			own.Own, own.Velero, env.RunID, experiments.LabelRun, env.RunID))
	}
	return cleanup.Undo(ctx, env, own.made(), func() ([]objects.Resource, error) {
		served, err := discover(env.Client.Discovery())
		if err != nil {
			return nil, err
		}
		return served.compared(nil), nil
	})
}

// made is what the step may have made by its plan.
func (p restorePlan) made() cleanup.Made {
	return cleanup.Made{
		Velero: p.Velero, Into: p.Into, Backup: p.Backup, New: p.New, Own: p.Own, Readers: p.Readers,
		Patience: time.Duration(p.CleanupSeconds * float64(time.Second)),
	}
}
