package apiserver

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDifferencesNamePathsAndNoValues(t *testing.T) {
	for name, scene := range map[string]struct{ living, restored, want string }{
		"same but written otherwise": {`{"a":1,"b":[true,null]}`, `{"b": [true, null], "a": 1}`, ""},
		"value":                      {`{"data":{"color":"red"}}`, `{"data":{"color":"blue"}}`, "data.color differs"},
		"missing":                    {`{"data":{"a":"1","b":"2"}}`, `{"data":{"a":"1"}}`, "data.b is missing"},
		"extra":                      {`{}`, `{"spec":{"x":1}}`, "spec is extra"},
		"null is not missing":        {`{"a":null}`, `{}`, "a is missing"},
		"lists":                      {`{"l":[1,2,3]}`, `{"l":[1,5]}`, "l[1] differs, l[2] is missing"},
		"kinds":                      {`{"l":[1]}`, `{"l":{"0":1}}`, "l differs"},
		"scalar and object":          {`{"l":"x"}`, `{"l":{"0":1}}`, "l differs"},
		"large integers":             {`{"n":9007199254740993}`, `{"n":9007199254740992}`, "n differs"},
		"odd names":                  {`{"metadata":{"annotations":{"lab.io/x":"1"}}}`, `{"metadata":{"annotations":{"lab.io/x":"2"}}}`, `metadata.annotations["lab.io/x"] differs`},
		"values in names":            {`{"metadata":{"managedFields":[{"fieldsV1":{"k:{\"name\":\"hunter2\"}":{}}}]}}`, `{"metadata":{"managedFields":[{"fieldsV1":{}}]}}`, "metadata.managedFields[0].fieldsV1 differs"},
		"same fieldsV1":              {`{"fieldsV1":{"a":{"b":[1]}},"x":{"fieldsV1":{"a":{"b":[1]}}}}`, `{"fieldsV1":{"a":{"b":[1]}}, "x":{"fieldsV1":{"a":{"b":[1]}}}}`, ""},
		"many":                       {`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}`, `{}`, "a is missing, b is missing, c is missing, d is missing, e is missing and 2 more"},
		"all of it":                  {`[]`, `{}`, "all of it differs"},
	} {
		if got := differences(json.RawMessage(scene.living), json.RawMessage(scene.restored)); got != scene.want {
			t.Errorf("%s: %q, want %q", name, got, scene.want)
		}
	}
}

func FuzzDifferences(f *testing.F) {
	f.Add(`{"data":{"a":"hunter2"}}`, `{"data":{"a":"x"}}`)
	f.Add(`[1,{"x":[]}]`, `{"fieldsV1":{}}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) {
			return
		}
		if words := differences(json.RawMessage(a), json.RawMessage(a)); words != "" {
			t.Errorf("%s differs from itself: %s", a, words)
		}
		there, back := differences(json.RawMessage(a), json.RawMessage(b)), differences(json.RawMessage(b), json.RawMessage(a))
		if (there == "") != (back == "") || strings.Count(there, " missing") != strings.Count(back, " extra") {
			t.Errorf("%s against %s: %q, the other way round %q", a, b, there, back)
		}
	})
}
