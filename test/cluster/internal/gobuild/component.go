// Package gobuild builds programs of other projects from their Go modules.
//
// Each component is built in a throw-away module of its own that requires
// nothing but that component: its dependencies are the ones its own go.mod
// names, never mixed with those of the project or of another component.
package gobuild

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime"
)

// A Module is a Go module at one version.
type Module struct {
	Path    string
	Version string
}

// A Component is one or more programs built from the same modules.
type Component struct {
	Name    string
	Version string // for people; Modules decide what is built
	Modules []Module
	// Packages maps the name of a program to its main package; "." is the generated Main.
	Packages map[string]string
	Tags     []string
	LDFlags  []string
	// StagingVersion replaces every module that the first module's go.mod
	// replaces by a directory of its own repository (Kubernetes' staging).
	StagingVersion string
	// Requires raises dependencies above what Modules ask for: not every version
	// that a go.mod names is there to be had.
	Requires []Module `json:",omitempty"`
	// Replaces repeats the replaces of a module's own go.mod, of which the go
	// command takes no notice outside of that module.
	Replaces map[string]Module `json:",omitempty"`
	// Main is the source of a main package to generate, for components made to be assembled.
	Main string
}

// inputs is a digest of everything that decides what a build of c makes.
func (c Component) inputs() string {
	text, err := json.Marshal(struct {
		Component
		Layout, Go, OS, Arch string
	}{c, "1", runtime.Version(), runtime.GOOS, runtime.GOARCH})
	if err != nil {
		panic(err) // a struct of strings
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:12]
}

// key names the component's directory in the cache.
func (c Component) key() string { return c.Name + "-" + c.Version + "-" + c.inputs() }
