package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchemaIsUpToDate(t *testing.T) {
	t.Chdir("../../..")
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("scenarios/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./scenarios (-generated +schema.json):\n%s", diff)
	}
}
