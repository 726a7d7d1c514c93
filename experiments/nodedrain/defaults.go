package nodedrain

import (
	"math"
	"time"
)

// defaultTimeout bounds a whole drain.
const defaultTimeout = 5 * time.Minute

func (s *Spec) timeout() time.Duration {
	if s.Timeout == nil {
		return defaultTimeout
	}
	return s.Timeout.Duration
}

// graceSeconds rounds up: less grace than asked for would be another fault.
func (s *Spec) graceSeconds() *int64 {
	if s.GracePeriod == nil {
		return nil
	}
	seconds := int64(math.Ceil(s.GracePeriod.Seconds()))
	return &seconds
}
