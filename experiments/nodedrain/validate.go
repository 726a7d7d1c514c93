package nodedrain

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the step that can be told without a cluster.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	problems := fields.Selector(path.Child("selector"), s.Selector)
	problems = append(problems, fields.Count(path.Child("count"), s.Count)...)
	problems = append(problems, fields.Positive(path.Child("timeout"), s.Timeout)...)
	problems = append(problems, fields.OneOf(path.Child("expect"), s.Expect, ExpectDrained, ExpectBlocked)...)
	problems = append(problems, fields.NotNegative(path.Child("gracePeriod"), s.GracePeriod)...)
	problems = append(problems, fields.OneOf(path.Child("unmanaged"), s.Unmanaged, "evict")...)
	return append(problems, fields.OneOf(path.Child("emptyDirData"), s.EmptyDirData, "delete")...)
}
