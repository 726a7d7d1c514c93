package scenarios

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/internal/fields"
)

// Validate reports everything about the environment that can be told without
// touching what it names.
func (e *Environment) Validate() field.ErrorList {
	path := field.NewPath("spec")
	problems := fields.Label(field.NewPath("metadata", "name"), e.Metadata.Name)
	problems = append(problems, e.Spec.Prometheus.validate(path.Child("prometheus"))...)
	problems = append(problems, e.Spec.Alertmanager.validate(path.Child("alertmanager"))...)
	problems = append(problems, e.Spec.Receiver.validate(path.Child("receiver"))...)
	problems = append(problems, e.Spec.Etcd.validate(path.Child("etcd"))...)
	if velero := e.Spec.Velero; velero != nil && velero.Namespace != "" {
		problems = append(problems, fields.Label(path.Child("velero", "namespace"), velero.Namespace)...)
	}
	return problems
}

func (e *Etcd) validate(path *field.Path) field.ErrorList {
	if e == nil {
		return nil
	}
	var problems field.ErrorList
	if len(e.Endpoints) == 0 {
		problems = append(problems, field.Required(path.Child("endpoints"), "list the client URLs of all members"))
	}
	for i, endpoint := range e.Endpoints {
		problems = append(problems, validateURL(path.Child("endpoints").Index(i), endpoint)...)
	}
	problems = append(problems, validatePair(path, e.CertFile, e.KeyFile)...)
	if (e.Username == "") != (e.PasswordFile == "") {
		problems = append(problems, field.Required(path.Child("passwordFile"), "username and passwordFile belong together"))
	}
	if e.Prefix != "" && !strings.HasPrefix(e.Prefix, "/") {
		problems = append(problems, field.Invalid(path.Child("prefix"), e.Prefix, "must begin with /, as --etcd-prefix of the API server does"))
	}
	for i, flag := range e.APIServerFlags {
		if !strings.HasPrefix(flag, "--") {
			problems = append(problems, field.Invalid(path.Child("apiServerFlags").Index(i), flag, "must be a flag like --feature-gates=A=true"))
		}
	}
	return problems
}

func (e *Endpoint) validate(path *field.Path) field.ErrorList {
	if e == nil {
		return nil
	}
	problems := validateURL(path.Child("url"), e.URL)
	problems = append(problems, validatePair(path, e.CertFile, e.KeyFile)...)
	for _, name := range slices.Sorted(maps.Keys(e.HeaderFiles)) {
		if _, twice := e.Headers[name]; twice {
			problems = append(problems, field.Forbidden(path.Child("headerFiles").Key(name), "also set in headers"))
		}
	}
	return problems
}

// validateURL never repeats the text: it may hold a password.
func validateURL(path *field.Path, text string) field.ErrorList {
	if text == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return field.ErrorList{field.Forbidden(path, "must be a URL that begins with http:// or https://")}
	}
	if parsed.User != nil {
		return field.ErrorList{field.Forbidden(path, "no user or password in a URL; use bearerTokenFile or headerFiles")}
	}
	return nil
}

func validatePair(path *field.Path, cert, key string) field.ErrorList {
	if cert != "" && key == "" {
		return field.ErrorList{field.Required(path.Child("keyFile"), "certFile needs its key")}
	}
	if key != "" && cert == "" {
		return field.ErrorList{field.Required(path.Child("certFile"), "keyFile needs its certificate")}
	}
	return nil
}
