package apiserver

import (
	"strings"
	"testing"

	"gameday.dev/gameday/experiments"
)

func TestLastWords(t *testing.T) {
	plain, encrypted := Config{}, Config{At: experiments.Etcd{EncryptionConfig: "/etc/enc.yaml"}}
	const header = "E1123 02:05:01.222423    8183 controller.go:95] "
	for name, scene := range map[string]struct {
		config    Config
		log, want string
	}{
		"silence":       {plain, "", ""},
		"warnings only": {plain, "W1123 02:05:01.222423    8183 logging.go:55] transport: authentication handshake failed\n", ""},
		"last error":    {plain, header + "first\n" + header + "second\nI1123 02:05:01.222423    8183 x.go:1] done\n", "; its log says: second"},
		"fatal first":   {plain, "F1123 02:05:01.222423    8183 hooks.go:204] PostStartHook \"x\" failed: no\n" + header + "later\n", `; its log says: PostStartHook "x" failed: no`},
		"panic":         {plain, header + "a\npanic: page 7 already freed\ngoroutine 1 [running]:\n", "; its log says: panic: page 7 already freed"},
		"flag":          {plain, "Error: unknown flag: --nope\n", "; its log says: Error: unknown flag: --nope"},
		"harmless":      {plain, header + "cause\n" + header + "Found stale data, removed previous endpoints on kubernetes service\n", "; its log says: cause"},
		"decoding":      {plain, header + `failed to list *v1.Secret: json: cannot unmarshal "hunter2" into x` + "\n", "; its log says: failed to list *v1.Secret: json: […]"},
		"a time":        {plain, header + `failed to list: parsing time "hunter2" as` + "\n", "; its log says: failed to list: parsing time […]"},
		"encryption":    {encrypted, header + `"command failed" err="error while parsing encryption provider configuration: hunter2"` + "\n", "; its log says: reading the encryption configuration /etc/enc.yaml […]"},
		"long":          {plain, header + strings.Repeat("ä", 300) + "\n", "; its log says: " + strings.Repeat("ä", 150) + " […]"},
	} {
		if got := scene.config.lastWords(scene.log); got != scene.want {
			t.Errorf("%s: %q, want %q", name, got, scene.want)
		}
	}
}

func FuzzLastWords(f *testing.F) {
	f.Add("E1123 02:05:01.222423    8183 controller.go:95] yaml: hunter2")
	f.Add("panic: x\nError: y")
	f.Fuzz(func(t *testing.T, log string) {
		if words := (Config{}).lastWords(log); len(words) > quoted+50 || strings.Contains(words, "\n") {
			t.Errorf("%q", words)
		}
	})
}
