package scenarios

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzLoad holds Load to its promises for any input: it does not panic, its
// errors name places inside the file, and what it accepts survives the record.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/problems/*.yaml", "library/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, "shop")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		source := Source{Name: "fuzz.yaml", Data: data}
		for _, set := range []map[string]string{nil, {"namespace": value}} {
			loaded, err := Load([]Source{source}, set)
			if err != nil {
				checkLoadError(t, source, err)
			}
			for _, scenario := range loaded {
				checkRecord(t, &scenario)
			}
		}
		if _, err := LoadEnvironment(source); err != nil {
			checkLoadError(t, source, err)
		}
	})
}

func checkLoadError(t *testing.T, source Source, err error) {
	t.Helper()
	var problems *LoadError
	if !errors.As(err, &problems) {
		t.Fatalf("not a *LoadError: %v", err)
	}
	checkPlaces(t, source, problems)
}

func checkRecord(t *testing.T, scenario *Scenario) {
	t.Helper()
	document, err := json.Marshal(scenario)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := Decode(document)
	if err != nil {
		t.Fatalf("decoding %s: %v", document, err)
	}
	again, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(document), string(again)); diff != "" {
		t.Errorf("changed in the record (-written +read):\n%s", diff)
	}
}
