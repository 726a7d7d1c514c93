package velero

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/backup"
)

var errNoMoment = errors.New("it holds no moment (RFC 3339, or seconds since 1970)")

// withCanary adds to the rung of objects what the canary says, where there is one. One
// that did not come back, or says nothing, fails the rung; one that could not be read
// leaves it open.
func (c *climb) withCanary(ctx context.Context, found backup.Rung) backup.Rung {
	if c.spec.Canary == nil {
		return found
	}
	at, err := c.canary(ctx)
	switch {
	case err == nil:
		c.Found(backup.Found{At: at, AtSource: "canary in ConfigMap " + c.spec.Canary.ConfigMap})
		return found
	case apierrors.IsNotFound(err) || errors.Is(err, errNoMoment):
		return with(backup.Broken("%v", err), found)
	default:
		return with(backup.Unsure("%v", err), found)
	}
}

// canary reads the moment of the newest write that was restored.
func (c *climb) canary(ctx context.Context) (time.Time, error) {
	canary := c.spec.Canary
	object, err := c.env.Client.CoreV1().ConfigMaps(c.plan.Into).Get(ctx, canary.ConfigMap, metav1.GetOptions{})
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the canary: %w", err)
	}
	text := strings.TrimSpace(object.Data[canary.Key])
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 1e9 && seconds < 1e11 {
		return time.UnixMilli(int64(seconds * 1e3)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("reading the canary: key %s of ConfigMap %s: %w", canary.Key, canary.ConfigMap, errNoMoment)
}
