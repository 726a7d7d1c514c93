package live

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gameday.dev/gameday/experiments"
)

// What is wrong on this side is told by Connect, with the file and the next step.
func TestConnectRefuses(t *testing.T) {
	mine, other, old := makeCerts(t, time.Hour), makeCerts(t, time.Hour), makeCerts(t, -time.Hour)
	directory := t.TempDir()
	empty, text := filepath.Join(directory, "empty"), filepath.Join(directory, "text")
	write(t, empty, []byte("\n"))
	write(t, text, []byte("no certificate\n"))
	gone := filepath.Join(directory, "gone")
	url := []string{"https://127.0.0.1:1"}
	tests := map[string]struct {
		at   experiments.Etcd
		want []string
	}{
		"no endpoints":      {experiments.Etcd{}, []string{"etcd.endpoints"}},
		"no scheme":         {experiments.Etcd{Endpoints: []string{"10.0.0.1:2379"}}, []string{"reading"}},
		"another scheme":    {experiments.Etcd{Endpoints: []string{"unix:///etcd"}}, []string{"http or https"}},
		"no host":           {experiments.Etcd{Endpoints: []string{"https://:2379"}}, []string{"http or https"}},
		"a path":            {experiments.Etcd{Endpoints: []string{"https://a:1/v3"}}, []string{"end after the port"}},
		"a password in it":  {experiments.Etcd{Endpoints: []string{"https://u:hidden@a:1"}}, []string{"etcd.passwordFile"}},
		"mixed":             {experiments.Etcd{Endpoints: []string{"https://a:1", "http://b:1"}}, []string{"http://b:1", "one of the two"}},
		"no CA":             {experiments.Etcd{Endpoints: url, CAFile: gone}, []string{"CA file " + gone, "no such file", "look at the path"}},
		"CA is text":        {experiments.Etcd{Endpoints: url, CAFile: text}, []string{text, "must be PEM"}},
		"CA is a directory": {experiments.Etcd{Endpoints: url, CAFile: directory}, []string{directory}},
		"CA expired":        {experiments.Etcd{Endpoints: url, CAFile: old.Server}, []string{old.Server, "expired on"}},
		"no certificate":    {experiments.Etcd{Endpoints: url, CertFile: gone, KeyFile: mine.ClientKey}, []string{"certificate file " + gone, "no such file"}},
		"no key":            {experiments.Etcd{Endpoints: url, CertFile: mine.Client, KeyFile: gone}, []string{"key file " + gone, "no such file"}},
		"key not named":     {experiments.Etcd{Endpoints: url, CertFile: mine.Client}, []string{mine.Client, "etcd.keyFile"}},
		"cert not named":    {experiments.Etcd{Endpoints: url, KeyFile: mine.ClientKey}, []string{mine.ClientKey, "etcd.certFile"}},
		"key of another":    {experiments.Etcd{Endpoints: url, CertFile: mine.Client, KeyFile: other.ClientKey}, []string{mine.Client, other.ClientKey, "made for each other"}},
		"expired":           {experiments.Etcd{Endpoints: url, CertFile: old.Client, KeyFile: old.ClientKey}, []string{old.Client, "expired on", "renewed"}},
		"no password":       {experiments.Etcd{Endpoints: url, Username: "root"}, []string{"etcd.passwordFile"}},
		"password gone":     {experiments.Etcd{Endpoints: url, Username: "root", PasswordFile: gone}, []string{"password file " + gone, "no such file"}},
		"password empty":    {experiments.Etcd{Endpoints: url, Username: "root", PasswordFile: empty}, []string{empty, "it is empty"}},
	}
	for name, test := range tests {
		c, err := Connect(test.at)
		if err == nil {
			c.Close()
			t.Errorf("%s: it connects", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: no %q in %q", name, want, err)
			}
		}
		if strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: a password in %q", name, err)
		}
	}
	if os.Geteuid() != 0 {
		write(t, gone, nil)
		_ = os.Chmod(gone, 0)
		if _, err := Connect(experiments.Etcd{Endpoints: url, CAFile: gone}); err == nil || !strings.Contains(err.Error(), "let this user read it") {
			t.Error(err)
		}
	}
}

// Connecting asks nobody: no member needs to be there, with a user or without.
func TestConnectAsksNobody(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	write(t, password, []byte("secret\n"))
	for _, user := range []string{"", "root"} {
		began := time.Now()
		c, err := Connect(experiments.Etcd{Endpoints: []string{"http://127.0.0.1:1", "http://127.0.0.1:2/"}, Username: user, PasswordFile: password})
		if err != nil {
			t.Fatal(err)
		}
		members := c.Members(t.Context())
		if len(members) != 2 || members[0].Err == nil || !strings.Contains(members[1].Err.Error(), "nothing answers there") {
			t.Errorf("%+v", members)
		}
		if _, err := c.IDs(t.Context()); err == nil {
			t.Error("ids of nobody")
		}
		c.Close()
		if took := time.Since(began); took > 2*answerWithin {
			t.Errorf("it took %s", took)
		}
	}
}

// What is wrong on the other side is told by each member, with the next step.
func TestWrongCertificates(t *testing.T) {
	r := start(t, 1, true)
	other := makeCerts(t, time.Hour)
	tests := map[string]struct {
		change func(*experiments.Etcd)
		want   string
	}{
		"right":                  {func(*experiments.Etcd) {}, ""},
		"another CA":             {func(at *experiments.Etcd) { at.CAFile = other.CA }, "etcd.caFile must be the authority"},
		"this machine's CAs":     {func(at *experiments.Etcd) { at.CAFile = "" }, "etcd.caFile must be the authority"},
		"a client of another CA": {func(at *experiments.Etcd) { at.CertFile, at.KeyFile = other.Client, other.ClientKey }, "refuses the client certificate"},
		"no client certificate":  {func(at *experiments.Etcd) { at.CertFile, at.KeyFile = "", "" }, "refuses the client certificate"},
		"no TLS": {func(at *experiments.Etcd) {
			at.Endpoints = []string{strings.Replace(at.Endpoints[0], "https", "http", 1)}
		}, "may speak TLS only"},
		"another name": {func(at *experiments.Etcd) {
			at.Endpoints = []string{strings.Replace(at.Endpoints[0], "127.0.0.1", "localhost", 1)}
		}, "for another name"},
	}
	for name, test := range tests {
		at := r.at
		test.change(&at)
		c, err := Connect(at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		began := time.Now()
		got := c.Members(t.Context())[0].Err
		switch {
		case test.want == "" && got != nil:
			t.Errorf("%s: %v", name, got)
		case test.want != "" && (got == nil || !strings.Contains(got.Error(), test.want)):
			t.Errorf("%s: %v, want %q", name, got, test.want)
		}
		if took := time.Since(began); took > answerWithin-time.Second {
			t.Errorf("%s took %s: what failed at once is told late", name, took)
		}
		c.Close()
	}
}
