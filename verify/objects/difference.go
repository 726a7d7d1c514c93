package objects

import "strings"

// Label says what a difference means.
type Label string

// The labels.
const (
	// Expected is what a rule explains.
	Expected Label = "expected"
	// Drift is what the original has become since the backup.
	Drift Label = "drift"
	// Loss is everything else.
	Loss Label = "loss"
)

// What a difference is about.
const (
	// Changed is a field with another value, Missing and Extra are fields or whole
	// objects that only Wanted or only Found has.
	Changed = "changed"
	Missing = "missing"
	Extra   = "extra"
	// Order is a list with the same items in another order, where order matters.
	Order = "order"
	// Reference is a field of a restored object that still names the namespace of
	// the original.
	Reference = "reference"
	// NotBackedUp is a live object that the backup ought to hold.
	NotBackedUp = "not backed up"
	// BackupAltered is a field that the backup holds otherwise than it was live at
	// the same resourceVersion.
	BackupAltered = "backup altered"
	// Moved is a live field that was changed since the backup; Gone, New and
	// Recreated are whole objects.
	Moved     = "moved"
	Gone      = "gone"
	New       = "new"
	Recreated = "recreated"
)

// Difference is one field or object in which two sides differ.
type Difference struct {
	Resource string `json:"resource"` // "deployments.apps"
	Kind     string `json:"kind"`     // "Deployment"
	// Namespace is that of the original, empty for objects in none. The objects
	// that only Found has are under the original's namespace too.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Label     Label  `json:"label"`
	What      string `json:"what"`
	// Path is that of the field, such as
	// spec.template.spec.containers[name=web].image; empty for a whole object.
	Path string `json:"path,omitempty"`
	// Wanted, Found and Live are the values, rendered and capped at 160 bytes;
	// empty where there is none. Of a Secret all are "differs".
	Wanted string `json:"wanted,omitempty"`
	Found  string `json:"found,omitempty"`
	Live   string `json:"live,omitempty"`
	// Rule is the one that expects the difference; Why says in words what it is.
	Rule string `json:"rule,omitempty"`
	Why  string `json:"why,omitempty"`
}

// String gives one line: `ConfigMap shop/settings: data.color: wanted "red",
// found "green"`.
func (d Difference) String() string {
	var b strings.Builder
	b.WriteString(d.Kind + " " + place{d.Namespace, d.Name}.String() + ": ")
	if d.Path != "" {
		b.WriteString(d.Path + ": ")
	}
	b.WriteString(d.words())
	if d.Why != "" {
		b.WriteString(" (" + d.Why + ")")
	}
	return b.String()
}

func (d Difference) words() string {
	var sides []string
	for _, side := range [...]struct{ name, value string }{{"wanted", d.Wanted}, {"found", d.Found}, {"live", d.Live}} {
		if side.value != "" {
			sides = append(sides, side.name+" "+side.value)
		}
	}
	if d.What == Changed && len(sides) > 0 {
		return strings.Join(sides, ", ")
	}
	return strings.TrimSuffix(d.What+": "+strings.Join(sides, ", "), ": ")
}
