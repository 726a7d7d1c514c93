package cleanup

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup/velero/files"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/velero"
)

// left looks once more for everything that the step has made. Other steps undo
// their own.
func (u *undoing) left(ctx context.Context) error {
	left, err := u.leftInVelero(ctx)
	if err != nil {
		return err
	}
	if !u.foreign {
		_, err := u.env.Client.CoreV1().Namespaces().Get(ctx, u.made.Into, metav1.GetOptions{})
		if ignoreMissing(err) != nil {
			return fmt.Errorf("looking for scratch namespace %s: %w", u.made.Into, err)
		}
		if err == nil {
			left = append(left, "namespaces "+u.made.Into)
		}
	}
	if u.made.Readers {
		readers, err := files.Left(ctx, u.env.Client, experiments.Namespace, u.env.RunID)
		if err != nil {
			return err
		}
		for _, name := range readers {
			left = append(left, "pods "+experiments.Namespace+"/"+name)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("still there: %s", strings.Join(left, ", "))
	}
	return nil
}

// leftInVelero names what is left in Velero's namespace.
func (u *undoing) leftInVelero(ctx context.Context) ([]string, error) {
	var left []string
	for _, resource := range append(u.requests(), velero.Restores, velero.Backups) {
		names, err := u.velero.Names(ctx, resource, u.mark())
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if name == u.made.Own || strings.HasPrefix(name, u.made.Own+"-") {
				left = append(left, fmt.Sprintf("%s %s/%s", resource, u.made.Velero, name))
			}
		}
	}
	_, err := u.env.Client.CoreV1().ConfigMaps(u.made.Velero).Get(ctx, u.made.Own, metav1.GetOptions{})
	switch {
	case missing(err):
		return left, nil
	case err != nil:
		return nil, fmt.Errorf("looking for the restore's resource modifiers %s/%s: %w", u.made.Velero, u.made.Own, err)
	default:
		return append(left, fmt.Sprintf("configmaps %s/%s", u.made.Velero, u.made.Own)), nil
	}
}
