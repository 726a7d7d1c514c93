package objects

import "strings"

// place is what a key says of what it holds.
type place struct {
	key string
	// row is of the table; row.name is empty for what is not in it.
	row resource
	// path is what follows the prefix and precedes namespace and name:
	// "pods", "services/specs", "lab.io/widgets".
	path            string
	custom          bool // of an API extension: the group is in the path
	namespace, name string
	// strange keys have no known layout.
	strange bool
}

// place reads a key: <prefix>/<path>/[<namespace>/]<name>, where the path of an
// API extension is <group>/<plural>. Only groups of extensions have a dot in the
// first part; paths of built-in resources never do.
func (d *Decoder) place(key string) place {
	at := place{key: key}
	rest, ok := strings.CutPrefix(key, d.prefix)
	if !ok {
		at.strange = true
		return at
	}
	first, _, _ := strings.Cut(rest, "/")
	at.custom = strings.Contains(first, ".")
	at.path = first
	if at.custom || first == "services" {
		second, _, _ := strings.Cut(rest[min(len(first)+1, len(rest)):], "/")
		at.path = rest[:min(len(first)+1+len(second), len(rest))]
	}
	at.row = d.resources[at.path]
	rest = rest[min(len(at.path)+1, len(rest)):]
	// Built-in resources of newer versions are not in the table: what has one
	// part is taken to be cluster-wide, like an extension's object.
	at.name = rest
	if before, after, two := strings.Cut(rest, "/"); two {
		at.namespace, at.name = before, after
		at.strange = before == ""
	}
	at.strange = at.strange || at.name == "" || strings.Contains(at.name, "/") ||
		at.path == "" || strings.HasSuffix(at.path, "/") || at.custom && !strings.Contains(at.path, "/")
	return at
}

// object names what the key says by itself.
func (at place) object() Object {
	if at.strange {
		return Object{Name: at.key}
	}
	return Object{Resource: at.resource(""), Kind: at.row.kind, Namespace: at.namespace, Name: at.name}
}

// resource names the resource: by the table, by the path, or by the path and the
// group of the value.
func (at place) resource(group string) string {
	switch {
	case at.strange:
		return ""
	case at.row.name != "":
		return at.row.name
	case at.custom:
		group, plural, _ := strings.Cut(at.path, "/")
		return plural + "." + group
	case group != "":
		return at.path + "." + group
	}
	return at.path
}

// group is that of an extension's key.
func (at place) group() string {
	group, _, _ := strings.Cut(at.path, "/")
	return group
}

// Ephemeral says that what the key holds comes and goes by itself and is left
// out of comparisons across time, with the rule that says so: events, leases,
// the addresses of API servers.
func (d *Decoder) Ephemeral(key []byte) (rule string, ephemeral bool) {
	rest, ok := strings.CutPrefix(string(key), d.prefix)
	if !ok {
		return "", false
	}
	path, _, _ := strings.Cut(rest, "/")
	switch path {
	case "events":
		return "events", true // expire after --event-ttl
	case "leases", "leasecandidates":
		return "leases", true // renewed every few seconds
	case masterLeases, peerLeases:
		return "addresses of API servers", true // renewed every few seconds, expire
	}
	return "", false
}
