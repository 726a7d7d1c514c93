package files

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const page = "../../../docs/experiments/veleroRestore.md"

func TestThePageHasTheRules(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| rule | lets pass | why |\n|---|---|---|\n")
	for _, rule := range Explanations() {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", rule.Rule, rule.Passes, rule.Why)
	}
	if !strings.Contains(string(data), "\n"+table.String()+"\n") {
		t.Errorf("%s must have\n%s", page, table.String())
	}
}

func TestEveryRuleIsExplained(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Rule" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, value)
		}
		return true
	})
	var explained []string
	for _, rule := range Explanations() {
		explained = append(explained, string(rule.Rule))
	}
	slices.Sort(declared)
	slices.Sort(explained)
	if len(declared) < 10 || !slices.Equal(declared, explained) {
		t.Errorf("declared are %q, explained %q", declared, explained)
	}
}
