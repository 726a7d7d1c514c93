// Package architecture keeps the house in order: imports point down only, and
// rooms on one floor don't import each other.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "gameday.dev/gameday/"

// floors lists the rooms from the top of the house to its ground. A package
// belongs to the longest prefix that matches, and may import its own room and
// those on lower floors.
func floors() [][]string {
	return [][]string{
		{"test", "docs"},
		{"cmd/gameday"},
		{"scenarios/run"},
		{"verify/report", "scenarios"},
		{"experiments/podkill", "experiments/nodedrain", "backup/etcd", "backup/velero", "verify/availability", "verify/alerts", "verify/backups"},
		// verify/objects is a library and no check: backup/velero compares with it.
		{"backup", "verify/objects"},
		{"experiments", "verify"},
		{"internal/velero"},
		{"internal/kube", "internal/prometheus", "internal/fields", "internal/snapshots"},
		{"internal/journal", "internal/refusal", "internal/near", "internal/child", "internal/pki", "internal/markdown"},
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, pkg := range listPackages(t) {
		room, floor := locate(pkg.path())
		if room == "" {
			t.Errorf("%s is in no room: add it to floors()", pkg.path())
			continue
		}
		for _, imported := range pkg.Imports {
			path, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			other, otherFloor := locate(path)
			if other != room && otherFloor <= floor {
				t.Errorf("%s (%s) imports %s (%s): imports point down only", pkg.path(), room, path, other)
			}
		}
	}
}

func TestJournalUsesTheStandardLibraryAlone(t *testing.T) {
	for _, pkg := range listPackages(t) {
		if pkg.path() != "internal/journal" {
			continue
		}
		for _, imported := range pkg.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("internal/journal imports %s: other tools must be able to read a record with it", imported)
			}
		}
	}
}

func TestOnlyCommandsKnowTheProcess(t *testing.T) {
	for _, pkg := range listPackages(t) {
		if strings.HasPrefix(pkg.path(), "cmd/") || strings.HasPrefix(pkg.path(), "test/") {
			continue
		}
		for _, imported := range pkg.Imports {
			if imported == "os/signal" || imported == "flag" || imported == "github.com/spf13/cobra" {
				t.Errorf("%s imports %s: only cmd knows of arguments and signals", pkg.path(), imported)
			}
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func (p goPackage) path() string { return strings.TrimPrefix(p.ImportPath, module) }

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for {
		var pkg goPackage
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("reading go list: %v", err)
		}
		packages = append(packages, pkg)
	}
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages only: the test would prove nothing", len(packages))
	}
	return packages
}

func locate(path string) (room string, floor int) {
	for i, rooms := range floors() {
		for _, candidate := range rooms {
			if (path == candidate || strings.HasPrefix(path, candidate+"/")) && len(candidate) > len(room) {
				room, floor = candidate, i
			}
		}
	}
	return room, floor
}
