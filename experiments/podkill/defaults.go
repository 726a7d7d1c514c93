package podkill

import "time"

// ExpectBlocked is the Expect of a step that passes when a budget holds.
const ExpectBlocked = "blocked"

// defaultTimeout bounds evictions that a budget holds back.
const defaultTimeout = time.Minute

func (s *Spec) method() string {
	if s.Method == "" {
		return MethodDelete
	}
	return s.Method
}

func (s *Spec) timeout() time.Duration {
	if s.Timeout == nil {
		return defaultTimeout
	}
	return s.Timeout.Duration
}
