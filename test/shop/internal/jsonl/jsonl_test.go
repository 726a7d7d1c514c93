package jsonl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReopenCutsTheTornEndAndAppendsAfterIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.jsonl")
	if err := os.WriteFile(path, []byte("1\n2\n{\"torn\":"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Append(3); err != nil {
		t.Fatal(err)
	}
	var got []int
	err = f.Each(func(line json.RawMessage) error {
		var n int
		got = append(got, n)
		return json.Unmarshal(line, &got[len(got)-1])
	})
	if err != nil || !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("values are %v (%v), want [1 2 3]", got, err)
	}
	if data, _ := os.ReadFile(path); string(data) != "1\n2\n3\n" || f.Size() != int64(len(data)) {
		t.Errorf("file is %q, size %d", data, f.Size())
	}
}
