package objects

import (
	"reflect"
	"strings"
)

// listing says how the items of two lists find each other.
type listing struct {
	by listedBy
	// key is the field that tells items apart, and also a second one that counts
	// with it, with the value that it has when it is absent.
	key, also, alsoDefault string
	// ordered says that another order of the same items is a difference.
	ordered bool
}

type listedBy int8

const (
	byIndex listedBy = iota
	byKey
	byValue // a set of texts
)

// listingOf reads it from the struct tags that strategic merge patches are made
// by (patchMergeKey, patchStrategy): k8s.io/api says there which lists are maps
// in truth.
func listingOf(f reflect.StructField, in reflect.Type, name string) listing {
	if f.Type.Kind() != reflect.Slice {
		return listing{}
	}
	key := f.Tag.Get("patchMergeKey")
	switch {
	case name == "ownerReferences":
		// Its merge key is the uid, which is another on every restored owner.
		return listing{by: byKey, key: "name", also: "kind"}
	case key != "" && name == "ports":
		// The merge key alone is not unique: DNS has 53 twice.
		return listing{by: byKey, key: key, also: "protocol", alsoDefault: "TCP", ordered: orderMatters(in, name)}
	case key != "":
		return listing{by: byKey, key: key, ordered: orderMatters(in, name)}
	case strings.Contains(f.Tag.Get("patchStrategy"), "merge") && f.Type.Elem().Kind() == reflect.String:
		return listing{by: byValue}
	default:
		return listing{}
	}
}

// orderMatters says of a keyed list that its order has a meaning. Of lists
// without a key it always has: nobody says that it has none.
func orderMatters(in reflect.Type, name string) bool {
	switch name {
	case "containers": // started in this order, each postStart hook before the next; the first is the default of kubectl logs
		return true
	case "initContainers": // one after the other
		return true
	case "env": // $(NAME) takes only what stands before it
		return true
	case "hostAliases": // of two lines for a name in /etc/hosts the first one wins
		return true
	case "ports": // NAME_SERVICE_PORT is the first port of a Service
		return in.Name() == "ServiceSpec"
	case "webhooks": // mutating ones are called one after the other
		return in.Name() == "MutatingWebhookConfiguration"
	case "matchConditions", "variables": // variables take only what stands before them; conditions all have to hold
		return name == "variables"
	default: // volumes, mounts, pull secrets, spread constraints, claims, gates, …: each stands for itself
		return false
	}
}

// guessed is how lists of values without a type are taken: by name, when every
// item has one and it is unique. Their order stays a difference, since nothing
// is known of it.
func guessed() listing { return listing{by: byKey, key: "name", ordered: true} }

// nameOf gives what an item is known by, and whether it can be known by it.
func (l listing) nameOf(item any) (name string, ok bool) {
	if l.by == byValue {
		name, ok = item.(string)
		return name, ok
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return "", false
	}
	if name, ok = scalarText(fields[l.key]); !ok || l.also == "" {
		return name, ok
	}
	also := l.alsoDefault
	if value, there := fields[l.also]; there {
		if also, ok = scalarText(value); !ok {
			return "", false
		}
	}
	if also != l.alsoDefault {
		name += "," + l.also + "=" + also
	}
	return name, true
}

// index finds the items by name; nil when an item has none, or two have the
// same.
func (l listing) index(items []any) map[string]int {
	found := make(map[string]int, len(items))
	for i, item := range items {
		name, ok := l.nameOf(item)
		if _, twice := found[name]; !ok || twice {
			return nil
		}
		found[name] = i
	}
	return found
}
