package gobuild

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// prepare writes the component's module to dir unless it is there. go.mod is
// put in place last, so that its presence says the module is complete.
func (b *Builder) prepare(ctx context.Context, c Component, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return nil
	}
	scratch, err := os.MkdirTemp(filepath.Dir(dir), "module-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	var staging []string
	if c.StagingVersion != "" {
		if staging, err = b.stagingModules(ctx, scratch, c.Modules[0]); err != nil {
			return err
		}
	}
	if len(c.Replaces) > 0 {
		if err := b.writeSums(ctx, scratch, c); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(scratch, "go.mod"), moduleFile(c, staging), 0o644); err != nil {
		return err
	}
	if c.Main != "" {
		if err := os.WriteFile(filepath.Join(scratch, "main.go"), []byte(c.Main), 0o644); err != nil {
			return err
		}
	}
	get := append([]string{"get"}, c.requirements()...)
	if c.Main == "" {
		get = append([]string{"get", "-tool"}, c.requirements()...)
	}
	if err := b.run(ctx, scratch, get...); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(scratch, dir)
}

// requirements are the arguments of go get: packages, so that only what they
// import is resolved, or modules for a generated main.
func (c Component) requirements() []string {
	var arguments []string
	if c.Main != "" {
		for _, m := range c.Modules {
			arguments = append(arguments, m.Path+"@"+m.Version)
		}
		return arguments
	}
	for _, pkg := range c.Packages {
		for _, m := range c.Modules {
			if pkg == m.Path || strings.HasPrefix(pkg, m.Path+"/") {
				arguments = append(arguments, pkg+"@"+m.Version)
			}
		}
	}
	sort.Strings(arguments)
	return arguments
}

// moduleFile renders the go.mod that go get starts from.
func moduleFile(c Component, staging []string) []byte {
	var s strings.Builder
	fmt.Fprintf(&s, "// Generated: %s %s, built for a test cluster.\nmodule cluster/%s\n\ngo 1.26.0\n", c.Name, c.Version, c.Name)
	for _, m := range c.Requires {
		fmt.Fprintf(&s, "\nrequire %s %s\n", m.Path, m.Version)
	}
	replaces := map[string]Module{}
	maps.Copy(replaces, c.Replaces)
	for _, path := range staging {
		replaces[path] = Module{Path: path, Version: c.StagingVersion}
	}
	for _, path := range slices.Sorted(maps.Keys(replaces)) {
		fmt.Fprintf(&s, "\nreplace %s => %s %s\n", path, replaces[path].Path, replaces[path].Version)
	}
	return []byte(s.String())
}

// downloaded is where the go command has put a module.
type downloaded struct{ GoMod, Dir string }

func (b *Builder) download(ctx context.Context, dir string, m Module) (downloaded, error) {
	var there downloaded
	out, err := b.output(ctx, dir, "mod", "download", "-json", m.Path+"@"+m.Version)
	if err != nil {
		return there, err
	}
	if err := json.Unmarshal(out, &there); err != nil {
		return there, fmt.Errorf("reading what go mod download says of %s: %w", m.Path, err)
	}
	return there, nil
}

// writeSums vouches for the replacements of c with the go.sum of its first module,
// which the checksum database vouches for: the database does not know every fork.
func (b *Builder) writeSums(ctx context.Context, dir string, c Component) error {
	there, err := b.download(ctx, dir, c.Modules[0])
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(there.Dir, "go.sum"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sumsOf(c.Replaces, sums), 0o644)
}

// sumsOf are the lines of a go.sum for the replacements.
func sumsOf(replaces map[string]Module, sums []byte) []byte {
	var lines []byte
	for line := range bytes.Lines(sums) {
		for _, m := range replaces {
			if bytes.HasPrefix(line, []byte(m.Path+" "+m.Version)) {
				lines = append(lines, line...)
			}
		}
	}
	return lines
}

// stagingModules names the modules that m's go.mod takes from its own repository.
func (b *Builder) stagingModules(ctx context.Context, dir string, m Module) ([]string, error) {
	there, err := b.download(ctx, dir, m)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(there.GoMod)
	if err != nil {
		return nil, err
	}
	staging := stagingReplaces(string(text))
	if len(staging) == 0 {
		return nil, fmt.Errorf("%s@%s replaces nothing by ./staging: its layout has changed", m.Path, m.Version)
	}
	return staging, nil
}

var stagingReplace = regexp.MustCompile(`(?m)^\s*(?:replace\s+)?(\S+) => \./staging/`)

// stagingReplaces finds the modules replaced by a directory under ./staging.
func stagingReplaces(goMod string) []string {
	var paths []string
	for _, match := range stagingReplace.FindAllStringSubmatch(goMod, -1) {
		paths = append(paths, match[1])
	}
	sort.Strings(paths)
	return paths
}
