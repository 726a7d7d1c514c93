package markdown

import "testing"

func TestTable(t *testing.T) {
	got := Table([]string{"rule", "path", "why"}, 1, []string{"a", "`x`", "w"}, []string{"b", "`y`", "w"}, []string{"a", "`z`", "w"})
	if want := "| rule | path | why |\n|---|---|---|\n| a | `x`<br>`z` | w |\n| b | `y` | w |\n"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestBetween(t *testing.T) {
	if got, ok := Between("a\n<b>\nold\n<e>\nc\n", "<b>", "<e>", "new\n"); !ok || got != "a\n<b>\nnew\n<e>\nc\n" {
		t.Errorf("got %q, %v", got, ok)
	}
	if _, ok := Between("a\n<b>\nold\n", "<b>", "<e>", "new\n"); ok {
		t.Error("a page without an end is taken")
	}
}
