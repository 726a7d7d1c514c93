// Package veleroschedules checks that Velero keeps making backups: that the
// newest Completed backup of each Schedule is young enough, that it could be
// restored now and that it holds about as much as the one before. It reads
// Velero's resources, not its metrics, which forget what they knew when Velero
// restarts; that a backup restores is for the step that restores one.
package veleroschedules

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Spec says what must be so of Velero's Schedules. They are looked for in
// Velero's namespace, which the Environment names.
type Spec struct {
	// Schedules by name. Default: all there are, and there must be one.
	Schedules []string `json:"schedules,omitempty" jsonschema:"minItems=1"`
	// MaxAge is the oldest that the newest Completed backup of each may be,
	// counted from when it began.
	MaxAge metav1.Duration `json:"maxAge"`
	// MaxShrink is how many items fewer the newest backup may hold than the one
	// before: a number, or a percent of those. Default 50%.
	MaxShrink *intstr.IntOrString `json:"maxShrink,omitempty"`
	// AllowPaused names Schedules that may be paused. While they are, nothing
	// else is asked of them.
	AllowPaused []string `json:"allowPaused,omitempty" jsonschema:"minItems=1"`
}
