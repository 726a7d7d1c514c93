package velero

import (
	"crypto/sha256"
	"encoding/hex"

	"k8s.io/apimachinery/pkg/util/validation"
)

// LabelValue is how Velero writes a name into a label: names that are longer
// than a label may be end in the first six digits of their sha256
// (pkg/label/label.go, GetValidName).
func LabelValue(name string) string {
	if len(name) <= validation.DNS1035LabelMaxLength {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	const digits = 6
	return name[:validation.DNS1035LabelMaxLength-digits] + hex.EncodeToString(sum[:])[:digits]
}
