package objects

import (
	"hash"
	"hash/fnv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// settle decides about an object that is missing or extra when all others are
// known. It is asked again whenever another was accepted.
type settle func(s *settling, p *pending) bool

// pending is an object that waits for the end of the reading.
type pending struct {
	rule       *Rule
	difference Difference
	uid        uid // of the object, when it was found
	owner      uid // of its controller, when it was found
	// ownerPlace is its controller when it is missing: the uid is another on the
	// restored side.
	ownerPlace ownerPlace
	claim      ownerPlace // what a volume, the content of a snapshot or a token belongs to
}

// ownerPlace is an object as others refer to it, where the original has it.
type ownerPlace struct {
	kind string
	place
}

// uid is the hash of one: a hundred thousand of them are kept.
type uid [16]byte

// settling knows of the restored objects what others depend on.
type settling struct {
	accepted map[uid]struct{}        // found and wanted, or found and expected
	found    map[ownerPlace]struct{} // of the kinds that remembered says
	waiting  []*pending
	hash     hash.Hash
	buffer   []byte
}

func newSettling() settling {
	return settling{accepted: map[uid]struct{}{}, found: map[ownerPlace]struct{}{}, hash: fnv.New128a()}
}

func (s *settling) uidOf(text string) uid {
	s.buffer = append(s.buffer[:0], text...)
	s.hash.Reset()
	s.hash.Write(s.buffer) // which never fails
	s.buffer = s.hash.Sum(s.buffer[:0])
	return uid(s.buffer)
}

// accept takes note of an object that was found and may be there.
func (s *settling) accept(kind string, at place, o *unstructured.Unstructured) {
	if text := metadataText(o, "uid"); text != "" {
		s.accepted[s.uidOf(text)] = struct{}{}
	}
	if remembered(kind) {
		s.found[ownerPlace{kind, at}] = struct{}{}
	}
}

// replaced takes note of an object that nobody wanted and that may stand for one
// that is missing: an account's token under another name.
func (s *settling) replaced(at place, o *unstructured.Unstructured) {
	if o.Object["type"] == tokenType {
		s.found[ownerPlace{tokenType, place{at.namespace, annotation(o, tokenAccount)}}] = struct{}{}
	}
}

// remembered are the kinds that rules of this package look up by name.
func remembered(kind string) bool {
	switch kind {
	case "ReplicaSet.apps", "ReplicationController", "StatefulSet.apps", "DaemonSet.apps",
		"PersistentVolumeClaim", "VolumeSnapshot.snapshot.storage.k8s.io":
		return true
	default:
		return false
	}
}

// wait keeps what a rule needs to decide later, and not the object.
func (s *settling) wait(rule *Rule, c Case, d Difference, m mapping) {
	p := &pending{rule: rule, difference: d}
	object := c.WantedObject
	if object == nil {
		object = c.FoundObject
		if text := metadataText(object, "uid"); text != "" {
			p.uid = s.uidOf(text)
		}
	}
	if owner := controllerOf(object); owner != nil {
		p.owner = s.uidOf(textOf(owner["uid"]))
		p.ownerPlace = ownerPlace{kindOf(owner), place{d.Namespace, textOf(owner["name"])}}
	}
	p.claim = claimOf(object)
	if c.WantedObject == nil {
		p.claim.namespace = m.original(p.claim.namespace)
	}
	s.waiting = append(s.waiting, p)
}

// settle decides about all that waits, until nothing changes any more: a pod
// is expected because its ReplicaSet is, and that because its Deployment is.
func (r *run) settle() {
	s := &r.settling
	for again := true; again; {
		again = false
		var left []*pending
		for _, p := range s.waiting {
			if !p.rule.settle(s, p) {
				left = append(left, p)
				continue
			}
			r.result.Expected[p.rule.Name]++
			if p.uid != (uid{}) {
				s.accepted[p.uid] = struct{}{}
				again = true
			}
		}
		s.waiting = left
	}
	for _, p := range s.waiting {
		r.tell(p.difference)
	}
	s.waiting = nil
}

// byController: the object was made by a controller that may be there itself.
func byController(s *settling, p *pending) bool {
	_, ok := s.accepted[p.owner]
	return ok
}

// ofController: the controller of a missing object was restored.
func ofController(s *settling, p *pending) bool {
	_, ok := s.found[p.ownerPlace]
	return ok
}

// ofClaim: what a volume is for was restored, or the account of a token got
// another one.
func ofClaim(s *settling, p *pending) bool {
	_, ok := s.found[p.claim]
	return ok
}

// controllerOf gives the owner reference that says controller: true.
func controllerOf(o *unstructured.Unstructured) map[string]any {
	metadata, _ := o.Object["metadata"].(map[string]any)
	owners, _ := metadata["ownerReferences"].([]any)
	for _, owner := range owners {
		if owner, ok := owner.(map[string]any); ok && owner["controller"] == true {
			return owner
		}
	}
	return nil
}

// claimOf gives what a PersistentVolume, a VolumeSnapshotContent or a token Secret
// is for.
func claimOf(o *unstructured.Unstructured) ownerPlace {
	if o.Object["type"] == tokenType {
		return ownerPlace{tokenType, place{placeOf(o).namespace, annotation(o, tokenAccount)}}
	}
	spec, _ := o.Object["spec"].(map[string]any)
	for field, kind := range map[string]string{"claimRef": "PersistentVolumeClaim", "volumeSnapshotRef": "VolumeSnapshot.snapshot.storage.k8s.io"} {
		if ref, ok := spec[field].(map[string]any); ok {
			return ownerPlace{kind, place{textOf(ref["namespace"]), textOf(ref["name"])}}
		}
	}
	return ownerPlace{}
}

// kindOf names the kind that a reference with apiVersion and kind is about.
func kindOf(reference map[string]any) string {
	o := unstructured.Unstructured{Object: reference}
	return qualified(o.GetKind(), o.GroupVersionKind().Group)
}

func metadataText(o *unstructured.Unstructured, field string) string {
	metadata, _ := o.Object["metadata"].(map[string]any)
	return textOf(metadata[field])
}
