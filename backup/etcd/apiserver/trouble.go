package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// trouble is why a server could not list a resource, in words of our own: what
// it says itself may quote what is stored.
type trouble struct {
	text string
	// excused says that the stored data is not to blame as far as can be told: a
	// key, a KMS or a webhook would be needed that is out of the scratch server's
	// reach, or the permission is missing.
	excused bool
}

func (t *trouble) Error() string { return t.text }

// troubleOf gives the trouble that an error tells of.
func troubleOf(err error) trouble {
	var own *trouble
	if errors.As(err, &own) {
		return *own
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return trouble{text: err.Error(), excused: true}
	}
	message := strings.ToLower(status.Status().Message)
	says := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(message, part) {
				return true
			}
		}
		return false
	}
	at := keyIn(status.Status().Message)
	switch code := status.Status().Code; {
	case code == http.StatusForbidden, code == http.StatusUnauthorized:
		return trouble{text: "it may not be listed (forbidden)", excused: true}
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		return trouble{text: "it is not served", excused: true}
	case code == http.StatusGone:
		return trouble{text: "its history does not reach back to the revision", excused: true}
	case says("conversion webhook"):
		return trouble{text: "its objects are stored at another version and converting them needs a webhook, which is not called", excused: true}
	case locked(message):
		// A value that was damaged looks the same as one of another key.
		return trouble{text: "it is encrypted at rest, and " + lockedBy(message) + at, excused: true}
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		return trouble{text: fmt.Sprintf("it asked for more time for %s (%d)", patience, code), excused: true}
	case code == http.StatusInternalServerError:
		return trouble{text: "what is stored can't be decoded" + at}
	default:
		return trouble{text: fmt.Sprintf("it answers %d %s", code, http.StatusText(int(code))), excused: true}
	}
}

// locked says that an error is of something that can't be decrypted here
// (k8s.io/apiserver, pkg/storage/etcd3: the transformers are those of encryption).
func locked(message string) bool { return strings.Contains(message, "unable to transform key") }

// lockedBy says what is missing (k8s.io/apiserver, pkg/storage/value:
// transformer.go, encrypt/identity and encrypt/envelope).
func lockedBy(message string) string {
	switch {
	case strings.Contains(message, "no matching prefix found"),
		strings.Contains(message, "identity transformer tried to read encrypted data"),
		strings.Contains(message, "no matching key was found"):
		return "the encryption configuration has no key for it"
	case strings.Contains(message, "kms"), strings.Contains(strings.ToLower(message), "failed to decrypt dek"):
		return "its KMS is not reached from here"
	default:
		return "the keys of the encryption configuration do not open it"
	}
}

// keyIn finds the etcd key that the server names, as " (key …)".
func keyIn(message string) string {
	key := regexp.MustCompile(`key "(/[^"]{1,300})"`).FindStringSubmatch(message)
	if key == nil {
		return ""
	}
	return " (key " + key[1] + ")"
}
