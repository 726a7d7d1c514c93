package objects

// Rules are Kubernetes' own: what it does to an object that is created anew
// from a copy of it.
func Rules() []Rule {
	return metadataRules()
}

// Defaults are those of the API server.
func Defaults() []Default { return nil }
