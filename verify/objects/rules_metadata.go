package objects

func metadataRules() []Rule {
	always := []string{Changed, Missing, Extra, Order, Moved}
	var rules []Rule
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"} {
		rules = append(rules, Rule{
			Name: "metadata set by the server", Kinds: []string{"*"}, Path: "metadata." + field, What: always,
			Why: "the API server gives each object its own",
		})
	}
	return append(rules,
		Rule{Name: "status", Kinds: []string{"*"}, Path: "status", What: always, Why: "controllers write it anew from what they see"},
		Rule{Name: "namespace mapping", Kinds: []string{"*"}, Path: "metadata.namespace", When: Case.Mapped, Why: "it is restored into another namespace"},
	)
}
