// Package docs proves that the documentation is true where a machine can
// tell: every scenario and environment in it loads, and every link between
// its pages leads somewhere.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gameday.dev/gameday/scenarios"
)

const repository = ".."

func TestExamplesLoad(t *testing.T) {
	examples := 0
	for _, page := range pages(t) {
		for _, block := range blocks(page.lines, "yaml") {
			if !strings.Contains(block.text, "apiVersion: gameday.dev") {
				continue
			}
			examples++
			t.Run(fmt.Sprintf("%s:%d", page.path, block.line), func(t *testing.T) {
				source := scenarios.Source{Name: page.path, Data: []byte(block.text)}
				var err error
				if strings.Contains(block.text, "kind: Environment") {
					_, err = scenarios.LoadEnvironment(source)
				} else {
					_, err = scenarios.Load([]scenarios.Source{source}, nil)
				}
				if err != nil {
					t.Errorf("lines count from the example's own first one: %v", err)
				}
			})
		}
	}
	if examples == 0 {
		t.Error("no example was found: the test would prove nothing")
	}
}

func TestLinksResolve(t *testing.T) {
	all := pages(t)
	anchors := map[string]map[string]bool{}
	for _, page := range all {
		anchors[page.path] = page.anchors()
	}
	links := 0
	for _, page := range all {
		for _, link := range page.links() {
			if strings.Contains(link, "://") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(link, "#")
			target := page.path
			if file != "" {
				target = filepath.Join(filepath.Dir(page.path), file)
			}
			if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
				t.Errorf("%s: link %s leads nowhere", page.path, link)
			} else if anchor != "" && !anchors[target][anchor] {
				t.Errorf("%s: link %s: %s has no such heading", page.path, link, target)
			}
		}
	}
	if links == 0 {
		t.Error("no link was found: the test would prove nothing")
	}
}

// The index leads to every page, so that none is found by luck alone.
func TestIndexLeadsToEveryPage(t *testing.T) {
	const index = "docs/README.md"
	linked := map[string]bool{index: true}
	all := pages(t)
	for _, page := range all {
		if page.path == index {
			for _, link := range page.links() {
				file, _, _ := strings.Cut(link, "#")
				linked[filepath.Join(filepath.Dir(index), file)] = true
			}
		}
	}
	count := 0
	for _, page := range all {
		if !strings.HasPrefix(page.path, "docs/") {
			continue
		}
		if count++; !linked[page.path] {
			t.Errorf("%s does not lead to %s", index, page.path)
		}
	}
	if count < 10 {
		t.Errorf("only %d pages were found: the test would prove nothing", count)
	}
}

// page is one Markdown file; path is relative to the repository.
type page struct {
	path  string
	lines []string
}

func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(path, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(repository, path)
		found = append(found, page{path: name, lines: strings.Split(string(data), "\n")})
		return err
	})
	if err != nil {
		t.Fatalf("reading the documentation: %v", err)
	}
	return found
}

// skipped are directories that hold no page of ours.
func skipped(path, name string) bool {
	hidden := strings.HasPrefix(name, ".") && path != repository
	return hidden || name == "testdata" || name == "gameday-runs" || name == "bin"
}

// block is a fenced block of code; line is that of its first line of text.
type block struct {
	line int
	text string
}

// blocks gives the fenced blocks of a language.
func blocks(lines []string, language string) []block {
	var found []block
	var open *block
	for i, line := range lines {
		switch {
		case open == nil && strings.TrimSpace(line) == "```"+language:
			open = &block{line: i + 2}
		case open != nil && strings.TrimSpace(line) == "```":
			found, open = append(found, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return found
}

// prose gives the lines outside of fenced blocks.
func (p page) prose() []string {
	var kept []string
	fenced := false
	for _, line := range p.lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if !fenced {
			kept = append(kept, line)
		}
	}
	return kept
}

func (p page) links() []string {
	inline := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	var found []string
	for _, line := range p.prose() {
		for _, match := range inline.FindAllStringSubmatch(line, -1) {
			found = append(found, match[1])
		}
	}
	return found
}

// anchors are those that a Markdown viewer makes of headings.
func (p page) anchors() map[string]bool {
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	found := map[string]bool{}
	for _, line := range p.prose() {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchor := dropped.ReplaceAllString(strings.ToLower(title), "")
			found[strings.ReplaceAll(anchor, " ", "-")] = true
		}
	}
	return found
}
