package objects

import "slices"

// kind is all that is known of the objects of a resource, made ready once.
type kind struct {
	resource Resource
	name     string // as in Rule.Kinds
	shape    *shape
	// fieldRules are about fields, presenceRules about whole objects.
	fieldRules    []*compiled
	presenceRules []*Rule
	defaults      []compiledDefault
	references    []compiledReference
	// skips are the fields that need no closer look, in each mode.
	skips [3]*skips
	// secret says that no value may be shown.
	secret bool
	// custom says that nothing is known of its fields but their names.
	custom bool
}

// compiled is a rule with its path taken apart.
type compiled struct {
	*Rule
	pattern pattern
}

// skips is a tree of the fields that a rule expects to differ whatever they
// hold, so that walkers need not go into them.
type skips struct {
	rule   *Rule
	fields map[string]*skips
}

func (s *skips) below(name string) *skips {
	if s == nil {
		return nil
	}
	return s.fields[name]
}

func (s *skips) add(p pattern, r *Rule) {
	at := s
	for _, g := range p {
		if at.fields == nil {
			at.fields = map[string]*skips{}
		}
		if at.fields[g.text] == nil {
			at.fields[g.text] = &skips{}
		}
		at = at.fields[g.text]
	}
	if at.rule == nil {
		at.rule = r
	}
}

// kinds makes kinds ready, and keeps them.
type kinds struct {
	rules      []*Rule // the caller's before Kubernetes' own
	defaults   []Default
	references []reference
	shapes     *shapes
	ready      map[Resource]*kind
}

func newKinds(callers []Rule) *kinds {
	k := &kinds{defaults: Defaults(), references: references(), shapes: newShapes(), ready: map[Resource]*kind{}}
	for _, rules := range [][]Rule{callers, Rules()} {
		for i := range rules {
			k.rules = append(k.rules, &rules[i])
		}
	}
	return k
}

func (k *kinds) of(r Resource) *kind {
	if made, ok := k.ready[r]; ok {
		return made
	}
	name := r.kindName()
	shape, known := k.shapes.of(r.gvk())
	made := &kind{resource: r, name: name, shape: shape, secret: r.isSecret()}
	for mode := range made.skips {
		made.skips[mode] = &skips{}
	}
	for _, rule := range k.rules {
		if rule.about(name) {
			made.add(rule)
		}
	}
	for _, ref := range k.references {
		if path, ok := expand(ref.path, name); ok && slices.Contains(ref.kinds, name) {
			made.references = append(made.references, compiledReference{reference: ref, pattern: parsePattern(path)})
			made.add(ref.mappingRule())
		}
	}
	made.custom = !known && len(made.references) == 0
	for _, d := range k.defaults {
		if path, ok := expand(d.Path, name); ok && d.about(name) {
			made.defaults = append(made.defaults, compiledDefault{Default: d, pattern: parsePattern(path)})
		}
	}
	k.ready[r] = made
	return made
}

func (k *kind) add(rule *Rule) {
	path, ok := expand(rule.Path, k.name)
	if !ok || rule.Path == "status" && k.resource.PlainStatus {
		return
	}
	if rule.Path == "" {
		k.presenceRules = append(k.presenceRules, rule)
		if !rule.covers(Changed) && !rule.covers(Moved) && !rule.covers(BackupAltered) {
			return // it says nothing about fields
		}
	}
	p := parsePattern(path)
	k.fieldRules = append(k.fieldRules, &compiled{Rule: rule, pattern: p})
	if rule.When != nil || !p.plain() {
		return
	}
	for mode, what := range [...]string{restoring: Changed, moving: Moved, keeping: BackupAltered} {
		if rule.covers(what) {
			k.skips[mode].add(p, rule)
		}
	}
}

// ruleFor gives the first rule that expects a difference at the place where
// the walker stands.
func (k *kind) ruleFor(w *walker, what string) *Rule {
	for _, rule := range k.fieldRules {
		n := len(rule.pattern)
		if !rule.pattern.matches(w.steps) || !rule.covers(w.whatAt(n, what)) {
			continue
		}
		if rule.When == nil {
			return rule.Rule
		}
		c := w.about
		if n > 0 {
			c.Wanted, c.Found = w.steps[n-1].wanted, w.steps[n-1].found
		}
		if rule.When(c) {
			return rule.Rule
		}
	}
	return nil
}

// presenceRule gives the first rule that expects a whole object to be missing,
// extra, …
func (k *kind) presenceRule(c Case, what string) *Rule {
	for _, rule := range k.presenceRules {
		if rule.covers(what) && (rule.When == nil || rule.When(c)) {
			return rule
		}
	}
	return nil
}
