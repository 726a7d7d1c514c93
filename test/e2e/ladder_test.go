package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/verify/report"
)

// rungs of the ladder, from the bottom to the top.
var rungs = []string{"snapshot", "integrity", "restore", "serve", "decode", "match", "apiServer"}

// climb is a step that climbs the ladder to a level, with these further fields.
func climb(name, level, fields string) string {
	return fmt.Sprintf(`{name: %s, etcdRestore: {level: %s%s}}`, name, level, fields)
}

// from is the field of a step that says which file it begins with.
func from(path string) string { return fmt.Sprintf(`, from: {file: %q}`, path) }

// climbing is a drill of such steps, and of others that only prove something.
func climbing(steps ...string) drill {
	return drill{proofs: true, steps: "[" + strings.Join(steps, ", ") + "]"}
}

// at says where the suite's etcd is: the fields of an Environment's etcd,
// with some of them changed. A nil takes a field away.
func (s *scene) at(changes map[string]any) map[string]any {
	local := s.provider.Cluster()
	caFile, certFile, keyFile := local.EtcdCredentials()
	binary, err := local.Program(s.ctx, "kube-apiserver")
	s.must(err)
	at := map[string]any{
		"endpoints": local.EtcdEndpoints(), "caFile": caFile, "certFile": certFile, "keyFile": keyFile,
		"apiServer": binary, "encryptionConfig": local.EncryptionConfig(), "snapshotDirectory": filepath.Join(s.dir, "snapshots"),
	}
	maps.Copy(at, changes)
	maps.DeleteFunc(at, func(_ string, value any) bool { return value == nil })
	return at
}

// ladder are the flags of a run that climbs: its environment, and a scratch
// directory that the scene looks into afterwards.
func (s *scene) ladder(changes map[string]any) []string {
	s.Helper()
	text, err := json.Marshal(map[string]any{
		"apiVersion": "gameday.dev/v1alpha1", "kind": "Environment", "metadata": map[string]any{"name": "e2e"},
		"spec": map[string]any{"context": s.context, "etcd": s.at(changes)},
	})
	s.must(err)
	s.must(os.MkdirAll(s.scratch(), 0o700))
	return []string{"--environment", s.write("environment.yaml", string(text)), "--scratch-dir", s.scratch()}
}

// tapped is the suite's etcd as it is through wiretaps.
func (s *scene) tapped() ([]*wiretap, map[string]any) {
	s.Helper()
	var taps []*wiretap
	var endpoints []string
	var authorities []byte
	for i := range s.provider.Cluster().EtcdEndpoints() {
		w := s.tap(i)
		taps, endpoints = append(taps, w), append(endpoints, w.server.URL)
		authority, err := os.ReadFile(w.caFile)
		s.must(err)
		authorities = append(authorities, authority...)
	}
	return taps, map[string]any{"endpoints": endpoints, "caFile": s.write("taps.crt", string(authorities))}
}

func (s *scene) scratch() string { return filepath.Join(s.dir, "scratch") }

// climbs runs the drill on the suite's etcd and wants no trace of it.
func (s *scene) climbs(d drill, flags ...string) *result {
	s.Helper()
	return s.run(d, append(s.ladder(nil), flags...)...).traceless()
}

// traceless wants neither a file in the scratch directory nor a process.
func (r *result) traceless() *result {
	r.Helper()
	r.wantNoScratch()
	return r
}

func (s *scene) wantNoScratch() {
	s.Helper()
	s.wantEmpty(s.scratch())
	for _, left := range s.helpers() {
		s.Errorf("a process is left: %s", left)
	}
}

// helpers are the processes that work for runs of this scene, or call the
// suite's gameday: what they are called with tells.
func (s *scene) helpers() []string {
	s.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	s.must(err)
	var found []string
	for _, process := range processes {
		called, _ := os.ReadFile(filepath.Join(process, "cmdline"))
		program, _ := os.Readlink(filepath.Join(process, "exe"))
		words := strings.TrimSpace(strings.ReplaceAll(string(called), "\x00", " "))
		if words != "" && (strings.Contains(words, s.scratch()) || program == s.program) {
			found = append(found, filepath.Base(process)+" "+words)
		}
	}
	return found
}

// proof is what report.json says of a step that proves something, as a script reads it.
type proof struct {
	Reached, Required      string
	Rungs                  []rung
	Members                rung // the finding of its own below the ladder
	RPOSeconds, RTOSeconds *float64
	RTOPhases              []rung
	Backup                 map[string]string
	Counts                 map[string]int64
}

type rung struct {
	Name, Verdict, Summary string
	Seconds                float64
	Problems, Notes, Hints []string
	ProblemCount           int64
}

func (r *result) proof(step string) proof {
	r.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, report.JSONFile))
	r.must(err)
	var written struct {
		Steps []struct {
			Name  string
			Proof *proof
		}
	}
	r.must(json.Unmarshal(data, &written))
	for _, one := range written.Steps {
		if one.Name == step && one.Proof != nil {
			p := *one.Proof
			p.Members = p.rung("members")
			p.Rungs = slices.DeleteFunc(p.Rungs, func(one rung) bool { return one.Name == "members" })
			return p
		}
	}
	r.Fatalf("report.json has no proof of step %s", step)
	return proof{}
}

// rung is one rung of a step's proof; the zero one when it was not tried.
func (p proof) rung(name string) rung {
	for _, one := range p.Rungs {
		if one.Name == name {
			return one
		}
	}
	return rung{Name: name}
}

// breaks wants the first rung that is not passed to be this one, with that
// verdict, and each text in what is said of it.
func (r *result) breaks(step, name, verdict string, texts ...string) *result {
	r.Helper()
	p := r.proof(step)
	for _, one := range p.Rungs {
		if one.Verdict == "pass" {
			continue
		}
		if one.Name != name || one.Verdict != verdict {
			r.Errorf("step %s breaks at %s (%s: %s %q), want %s at %s", step, one.Name, one.Verdict, one.Summary, one.Problems, verdict, name)
			return r
		}
		return r.finds(step, name, verdict, texts...)
	}
	r.Errorf("step %s passes all of its rungs, want %s at %s", step, verdict, name)
	return r
}

// finds wants a rung to have this verdict and to say these things.
func (r *result) finds(step, name, verdict string, texts ...string) *result {
	r.Helper()
	for _, one := range r.proof(step).Rungs {
		if one.Name != name {
			continue
		}
		said := oneLine(one.Summary + "\n" + strings.Join(one.Problems, "\n") + "\n" + strings.Join(one.Notes, "\n") + "\n" + strings.Join(one.Hints, "\n"))
		if one.Verdict != verdict {
			r.Errorf("rung %s of step %s is %s, want %s: %s", name, step, one.Verdict, verdict, said)
		}
		for _, text := range texts {
			if !strings.Contains(said, r.fill(text)) {
				r.Errorf("rung %s of step %s says nothing of %q: %s", name, step, r.fill(text), said)
			}
		}
		return r
	}
	r.Errorf("step %s has not tried rung %s", step, name)
	return r
}

// reaches wants every rung up to the level passed, and none above it tried.
func (r *result) reaches(step, level string) *result {
	r.Helper()
	p := r.proof(step)
	if p.Reached != level || p.Required != level {
		r.Errorf("step %s has reached %q, required %q; want %s", step, p.Reached, p.Required, level)
	}
	for i, name := range rungs {
		if i >= len(p.Rungs) {
			r.Errorf("step %s has not tried %s", step, name)
			return r
		}
		if one := p.Rungs[i]; one.Name != name || one.Verdict != "pass" {
			r.Errorf("rung %d of step %s is %s (%s: %s %q), want %s passed", i+1, step, one.Name, one.Verdict, one.Summary, one.Problems, name)
		}
		if name == level {
			if len(p.Rungs) > i+1 {
				r.Errorf("step %s went on after %s: %v", step, level, p.Rungs[i+1:])
			}
			return r
		}
	}
	return r
}

// untilRung waits until a rung was tried.
func (p *process) untilRung(name string) {
	p.Helper()
	p.until("backup.rung", func(event journal.Event) bool {
		var tried rung
		p.must(event.Decode(&tried))
		return tried.Name == name
	})
}
