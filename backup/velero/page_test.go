package velero

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"gameday.dev/gameday/backup/velero/quiesce"
	"gameday.dev/gameday/internal/markdown"
	"gameday.dev/gameday/verify/objects"
)

// The page of rules says what the code says.
func TestRulesPage(t *testing.T) {
	const (
		page  = "../../docs/experiments/veleroRestore-rules.md"
		begin = "<!-- Written by go generate ./backup/velero. -->"
		end   = "<!-- So far. -->"
	)
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	tables := "\n" + rulesTable(slices.Concat(ownRules("r1"), quiesce.Rules(quiesce.Options{}), []objects.Rule{autoscaledRule(nil)})) +
		"\n## Rules of Velero\n\nWhat Velero changes in what it backs up, which is another then than the original at the same resourceVersion, and in what it\nrestores.\n\n" + rulesTable(veleroRules(&velerov1.Restore{})) + "\n"
	text, ok := markdown.Between(string(data), begin, end, tables)
	switch {
	case !ok:
		t.Fatalf("%s has lost its marks", page)
	case *update:
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	case text != string(data):
		t.Errorf("%s is not what the code says: write it anew with -update", page)
	}
}

var update = flag.Bool("update", false, "write the page of rules anew")

func rulesTable(rules []objects.Rule) string {
	var rows [][]string
	for _, rule := range rules {
		var kinds []string
		for _, kind := range rule.Kinds {
			name, _, _ := strings.Cut(kind, ".")
			kinds = append(kinds, strings.Replace(name, "*", "all", 1))
		}
		what := strings.Join(rule.What, ", ")
		if what == "" {
			what = "any"
		}
		rows = append(rows, []string{
			markdown.Link(rule.Name, strings.TrimPrefix(rule.Source, "docs/experiments/")), strings.Join(kinds, ", "),
			markdown.Code(rule.Path, "the object itself"), what, rule.Why,
		})
	}
	return markdown.Table([]string{"rule", "kinds", "path", "what", "why"}, 2, rows...)
}
