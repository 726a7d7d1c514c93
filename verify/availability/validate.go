package availability

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the check that can be told without a cluster.
func (s *Spec) Validate(path *field.Path) field.ErrorList {
	problems := s.Workload.validate(path.Child("workload"))
	problems = append(problems, fields.Share(path.Child("minAvailable"), s.MinAvailable)...)
	problems = append(problems, fields.NotNegative(path.Child("maxUnavailableFor"), s.MaxUnavailableFor)...)
	return append(problems, fields.Positive(path.Child("recoverWithin"), s.RecoverWithin)...)
}

func (w Workload) validate(path *field.Path) field.ErrorList {
	var problems field.ErrorList
	if w.Kind == "" {
		problems = append(problems, field.Required(path.Child("kind"), ""))
	}
	problems = append(problems, fields.OneOf(path.Child("kind"), w.Kind,
		"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")...)
	problems = append(problems, fields.Label(path.Child("namespace"), w.Namespace)...)
	return append(problems, fields.Subdomain(path.Child("name"), w.Name)...)
}
