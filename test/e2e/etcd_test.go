package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

// The ladder is climbed with the suite's own etcd, whose members are ours to
// read, to stop and to damage.

func TestEtcdRestore(t *testing.T) {
	prove(t,
		promise{says: "every rung is reached on a living cluster with changes going on", needs: ownMachinery, proof: func(s *scene) {
			s.deployment("web", 1)
			s.secret("db", "hush")
			s.widget("gadget", "hello")
			stop := s.churn()
			r := s.climbs(climbing(climb("etcd", "apiServer", `, objectives: {rpo: 1m, rto: 10m}`))).exits(0).undone().reaches("etcd", "apiServer")
			if changes := stop(); changes < 50 {
				s.Errorf("only %d changes went on meanwhile", changes)
			}
			p := r.proof("etcd")
			if p.Members.Verdict != "pass" {
				s.Errorf("the members were not found to agree: %+v", p.Members)
			}
			if p.RPOSeconds == nil || *p.RPOSeconds > 60 || p.RTOSeconds == nil || *p.RTOSeconds <= 0 {
				s.Errorf("RPO %v, RTO %v", p.RPOSeconds, p.RTOSeconds)
			}
			if p.Backup["sha256"] == "" || p.Backup["revision"] == "" || p.Backup["size"] == "" || p.Backup["memberRole"] != "follower" {
				s.Errorf("of the backup is said: %v", p.Backup)
			}
			for _, resource := range []string{"pods", "secrets", "configmaps", "serviceaccounts", "widgets.e2e.gameday.dev", "deployments.apps"} {
				if p.Counts[resource] == 0 {
					s.Errorf("no %s were counted: %v", resource, p.Counts)
				}
			}
			for _, provider := range []string{"aescbc secrets-1", "secretbox configmaps-1", "aesgcm serviceaccounts-1"} {
				if !strings.Contains(p.Backup["encrypted"], provider) {
					s.Errorf("nothing is said of what %s has encrypted: %v", provider, p.Backup)
				}
			}
		}},
		promise{says: "no rung above the level is climbed, and each level can be asked for", needs: ownMachinery, proof: func(s *scene) {
			var steps []string
			for _, level := range rungs[:6] {
				steps = append(steps, climb(level, level, ""))
			}
			r := s.climbs(climbing(steps...)).exits(0).undone()
			for _, level := range rungs[:6] {
				r.reaches(level, level)
			}
		}},
		promise{says: "the living etcd hears nothing but calls that read", needs: ownMachinery, proof: func(s *scene) {
			taps, through := s.tapped()
			s.run(climbing(climb("etcd", "apiServer", "")), s.ladder(through)...).exits(0).traceless().reaches("etcd", "apiServer")
			reads := []string{callSnapshot, callRange, callHashKV, "/etcdserverpb.Maintenance/Status", "/etcdserverpb.Cluster/MemberList"}
			for i, tap := range taps {
				heard := tap.heard()
				for _, call := range heard {
					if !slices.Contains(reads, call) {
						s.Errorf("member %d heard %s", i, call)
					}
				}
				if len(heard) == 0 {
					s.Errorf("member %d heard nothing: the tap proves nothing", i)
				}
			}
		}},
		promise{says: "no value of a Secret leaves memory, neither plain nor in base64", needs: ownMachinery, proof: func(s *scene) {
			before, after := rand.String(30), rand.String(30)
			s.secret("db", before)
			client := s.etcd()
			file := s.snapshot(client, "before.db")
			// A difference to report: the Secret of the file is not the one that is compared with.
			altered := s.doctored(file, "altered.db", garble(s.key("secrets", "db"), 40))
			gone := s.doctored(file, "gone.db", forget(s.key("secrets", "db")))
			secret, err := s.client.CoreV1().Secrets(s.ns).Get(s.ctx, "db", metav1.GetOptions{})
			s.must(err)
			secret.Data["value"] = []byte(after)
			_, err = s.client.CoreV1().Secrets(s.ns).Update(s.ctx, secret, metav1.UpdateOptions{})
			s.must(err)
			s.climbs(climbing(climb("old", "match", from(file)), climb("altered", "match", from(altered)), climb("gone", "match", from(gone)), climb("now", "apiServer", ""))).
				exits(1).undone().keepsToItself(before, after).says("Secret ${ns}/db").
				reaches("old", "match").reaches("now", "apiServer")
		}},
		promise{says: "objects whose key is missing cannot be told, and the key is named", needs: ownMachinery, proof: func(s *scene) {
			s.secret("db", "hush")
			text, err := os.ReadFile(s.provider.Cluster().EncryptionConfig())
			s.must(err)
			other := s.write("other.yaml", strings.ReplaceAll(string(text), "name: secrets-1", "name: another"))
			s.run(climbing(climb("etcd", "decode", "")), s.ladder(map[string]any{"encryptionConfig": other})...).
				exits(3).undone().traceless().breaks("etcd", "decode", "inconclusive", "aescbc", "secrets-1", "Secret")
			s.run(climbing(climb("etcd", "decode", "")), s.ladder(map[string]any{"encryptionConfig": nil})...).
				exits(3).undone().traceless().breaks("etcd", "decode", "inconclusive", "secretbox", "configmaps-1")
		}},
		promise{says: "a wrong key is no proof of anything either way", needs: ownMachinery, proof: func(s *scene) {
			s.secret("db", "hush")
			text, err := os.ReadFile(s.provider.Cluster().EncryptionConfig())
			s.must(err)
			begin := strings.Index(string(text), "name: secrets-1, secret: ") + len("name: secrets-1, secret: ")
			wrong := s.write("wrong.yaml", string(text[:begin])+strings.Repeat("A", 43)+"="+string(text[begin+44:]))
			r := s.run(climbing(climb("etcd", "decode", "")), s.ladder(map[string]any{"encryptionConfig": wrong})...).undone().traceless()
			if r.code == 0 {
				s.Error("what cannot be decrypted has passed")
			}
		}},
		promise{says: "a snapshot whose revision the living cluster has compacted is inconclusive, or compared at what has not changed", needs: ownMachinery, proof: func(s *scene) {
			s.configMap("stays", "as it is")
			s.widget("stays", "as it is")
			client := s.etcd()
			file := s.snapshot(client, "old.db")
			s.configMap("later", "made after the snapshot")
			s.compact(client)
			s.climbs(climbing(climb("etcd", "match", from(file)))).exits(3).undone().breaks("etcd", "match", "inconclusive", "compact")
			s.climbs(climbing(climb("etcd", "apiServer", from(file)+`, afterCompaction: compareUnchanged`))).exits(0).undone().reaches("etcd", "apiServer")
			lost := s.doctored(file, "lost.db", forget(s.key("configmaps", "stays")))
			s.climbs(climbing(climb("etcd", "match", from(lost)+`, afterCompaction: compareUnchanged`))).exits(1).
				undone().breaks("etcd", "integrity", "fail", "taken out").finds("etcd", "match", "fail", "ConfigMap ${ns}/stays")
		}},
		promise{says: "judge comes to the same verdict on a proof without a cluster, to the byte", needs: ownMachinery, proof: func(s *scene) {
			r := s.climbs(climbing(climb("etcd", "match", ""), climb("broken", "match", from(s.write("broken.db", "broken"))))).exits(1).undone()
			written, err := os.ReadFile(filepath.Join(r.dir, "report.json"))
			s.must(err)
			blind := *s
			blind.world = &world{program: s.program, kubeconfig: "/nowhere"}
			if judged := blind.gameday("judge", r.dir, "-o", "json").exits(1); judged.stdout != string(written) {
				s.Errorf("report.json:\n%s\njudge:\n%s", written, judged.stdout)
			}
		}},
		promise{says: "an objective that is missed fails", needs: ownMachinery, proof: func(s *scene) {
			s.climbs(climbing(
				climb("slow", "serve", `, objectives: {rto: 1ms}`),
				climb("stale", "integrity", `, objectives: {rpo: 1ms}`+from(s.snapshot(s.etcd(), "stale.db"))),
			)).exits(1).undone().says("RTO", "RPO", "missed")
		}},
	)
}

// key is where the API server keeps an object of the scene.
func (s *scene) key(resource, name string) string {
	return "/registry/" + resource + "/" + s.ns + "/" + name
}

func TestEtcdCorruption(t *testing.T) {
	prove(t,
		promise{says: "a flipped bit in any region of the file is found by its hash", needs: ownMachinery, proof: func(s *scene) {
			// An untouched edit, so that there is a freelist to damage too.
			file := s.doctored(s.snapshot(s.etcd(), "taken.db"), "whole.db", untouched)
			steps := []string{climb("whole", "integrity", from(file))}
			regions := s.regions(file)
			if len(regions) < 15 {
				s.Errorf("the snapshot has only these regions: %v", regions)
			}
			for region, at := range regions {
				damaged := s.copyOf(file, fileName(region)+".db", flipped(at))
				steps = append(steps, climb(fileName(region), "integrity", from(damaged)))
			}
			r := s.climbs(climbing(steps...)).exits(1).undone().reaches("whole", "integrity")
			for region := range regions {
				r.breaks(fileName(region), "integrity", "fail", "sha256")
			}
		}},
		promise{says: "a copy that broke off is found, wherever it did", needs: ownMachinery, proof: func(s *scene) {
			file := s.snapshot(s.etcd(), "whole.db")
			info, err := os.Stat(file)
			s.must(err)
			var steps []string
			for name, length := range lengths(info.Size()) {
				cut := s.copyOf(file, fileName(name)+".db", func(data []byte) []byte { return data[:length] })
				steps = append(steps, climb(fileName(name), "integrity", from(cut)))
			}
			r := s.climbs(climbing(steps...)).exits(1).undone()
			for name := range lengths(info.Size()) {
				r.breaks(fileName(name), "integrity", "fail")
			}
			r.breaks("the-trailer-less", "integrity", "fail", "no sha256 at its end")
		}},
		promise{says: "a damaged page is found under a hash that was made to fit", needs: ownMachinery, proof: func(s *scene) {
			file := s.doctored(s.snapshot(s.etcd(), "taken.db"), "whole.db", untouched)
			regions := s.regions(file)
			var steps, damaged []string
			for _, region := range []string{"branch header", "leaf header", "branch elements"} {
				name := fileName(region)
				at := regions[region]
				bad := s.copyOf(file, name+".db", resealed(func(data []byte) { data[at] ^= 0x10 }))
				steps, damaged = append(steps, climb(name, "match", from(bad))), append(damaged, name)
			}
			r := s.climbs(climbing(steps...)).exits(1).undone()
			for _, name := range damaged {
				r.breaks(name, "integrity", "fail")
			}
		}},
		promise{says: "a deleted key is found under a hash that was made to fit, and named as the object it was", needs: ownMachinery, proof: func(s *scene) {
			s.configMap("settings", "all of them")
			s.widget("gadget", "hello")
			// Without its newest revision a database is that of a moment before.
			s.configMap("newest", "whatever")
			file := s.snapshot(s.etcd(), "whole.db")
			var steps []string
			for name, key := range map[string]string{"map": s.key("configmaps", "settings"), "custom": s.key("e2e.gameday.dev/widgets", "gadget")} {
				steps = append(steps, climb(name, "match", from(s.doctored(file, name+".db", forget(key)))))
			}
			s.climbs(climbing(steps...)).exits(1).undone().
				breaks("map", "integrity", "fail", "taken out").finds("map", "match", "fail", "ConfigMap ${ns}/settings").
				breaks("custom", "integrity", "fail", "taken out").finds("custom", "match", "fail", "${ns}/gadget")
		}},
		promise{says: "one altered value is found under a hash that was made to fit, and named as the object it was", needs: ownMachinery, proof: func(s *scene) {
			s.widget("gadget", "hello")
			s.pod("quiet")
			s.configMap("settings", "all of them")
			file := s.snapshot(s.etcd(), "whole.db")
			alterations := map[string]func(*bolt.Tx) error{
				"custom":    alter(s.key("e2e.gameday.dev/widgets", "gadget"), "hello", "hullo"),
				"built-in":  alter(s.key("pods", "quiet"), "docker.io/gameday/shop", "docker.io/gameday/evil"),
				"encrypted": garble(s.key("configmaps", "settings"), 3),
			}
			var steps []string
			for name, alteration := range alterations {
				steps = append(steps, climb(name, "match", from(s.doctored(file, name+".db", alteration))))
			}
			s.climbs(climbing(steps...)).exits(1).undone().
				breaks("custom", "match", "fail", "${ns}/gadget").
				breaks("built-in", "match", "fail", "Pod ${ns}/quiet").
				breaks("encrypted", "decode", "fail", "ConfigMap ${ns}/settings")
		}},
		promise{says: "a snapshot of another cluster is told apart", needs: ownMachinery, proof: func(s *scene) {
			stranger := s.strangersSnapshot()
			s.climbs(climbing(climb("etcd", "match", from(stranger)))).exits(1).undone().
				breaks("etcd", "integrity", "fail", "another cluster")
		}},
		promise{says: "a snapshot swapped for an older one is found by the sha256 beside it, and with that swapped too by the age of its content", needs: ownMachinery, proof: func(s *scene) {
			s.needsRealNodes() // whose leases tell the time
			directory := filepath.Join(s.dir, "snapshots")
			s.must(os.Mkdir(directory, 0o700))
			take := climbing(fmt.Sprintf(`{name: nightly, etcdSnapshot: {directory: %q}}`, directory))
			s.climbs(take).exits(0).undone()
			old := s.stored(directory)[0]
			s.lasts(15 * time.Second)
			s.climbs(take).exits(0).undone()
			fresh := s.stored(directory)[0]
			if fresh == old {
				s.Fatalf("the second snapshot is not the newest: %v", s.stored(directory))
			}
			newest := climbing(climb("etcd", "integrity", fmt.Sprintf(`, from: {directory: %q}, objectives: {rpo: 12s}`, directory)))
			s.climbs(newest).exits(0).undone().reaches("etcd", "integrity")
			s.must(os.Rename(old, fresh))
			s.climbs(newest).exits(1).undone().breaks("etcd", "integrity", "fail", "swapped")
			sum, err := os.ReadFile(old + ".sha256")
			s.must(err)
			s.must(os.WriteFile(fresh+".sha256", []byte(strings.ReplaceAll(string(sum), filepath.Base(old), filepath.Base(fresh))), 0o600))
			s.climbs(newest).exits(1).undone().says("RPO", "missed")
		}},
		promise{says: "members that hold different data are named", needs: ownMachinery, proof: func(s *scene) {
			s.widget("gadget", "hello")
			s.agree()
			s.alterMember(2, alter(s.key("e2e.gameday.dev/widgets", "gadget"), "hello", "hullo"))
			mend := func() { s.alterMember(2, alter(s.key("e2e.gameday.dev/widgets", "gadget"), "hullo", "hello")) }
			defer func() {
				mend()
				s.agree()
			}()
			r := s.climbs(climbing(climb("etcd", "snapshot", ""))).exits(1).undone().says(s.provider.Cluster().EtcdEndpoints()[2])
			if members := r.proof("etcd").Members; members.Verdict != "fail" {
				s.Errorf("of the members is said: %+v", members)
			}
		}},
	)
}

func TestEtcdTrouble(t *testing.T) {
	prove(t,
		promise{says: "a member that is lost while the snapshot streams is replaced by another, from the beginning", needs: ownMachinery, proof: func(s *scene) {
			p, tap, i := s.streaming()
			member := s.member(i)
			s.must(member.Kill(s.ctx))
			tap.letGo()
			r := p.wait()
			s.must(member.Start(s.ctx))
			s.agree()
			r.exits(0).undone().traceless().reaches("etcd", "match")
			if p := r.proof("etcd"); !strings.Contains(strings.Join(p.rung("snapshot").Problems, " "), strings.TrimPrefix(tap.server.URL, "https://")) {
				s.Errorf("nothing is said of the lost member: %+v", p.rung("snapshot"))
			}
		}},
		promise{says: "a member that falls silent while the snapshot streams is replaced by another", needs: ownMachinery, proof: func(s *scene) {
			p, tap, _ := s.streaming()
			r := p.wait().exits(0).undone().traceless().reaches("etcd", "match")
			if p := r.proof("etcd"); !strings.Contains(strings.Join(p.rung("snapshot").Problems, " "), strings.TrimPrefix(tap.server.URL, "https://")) {
				s.Errorf("nothing is said of the silent member: %+v", p.rung("snapshot"))
			}
		}},
		promise{says: "a member that is down from the beginning is named, and the others give the proof", needs: ownMachinery, proof: func(s *scene) {
			member := s.member(1)
			s.must(member.Kill(s.ctx))
			plan := s.plan(climbing(climb("etcd", "match", "")), s.ladder(nil)...)
			r := s.climbs(climbing(climb("etcd", "match", "")))
			s.must(member.Start(s.ctx))
			s.agree()
			plan.exits(0).says(s.provider.Cluster().EtcdEndpoints()[1])
			r.exits(0).undone().says(s.provider.Cluster().EtcdEndpoints()[1]).reaches("etcd", "match")
		}},
		promise{says: "an etcd that restarts while the snapshot streams costs a new beginning, not the proof", needs: ownMachinery, proof: func(s *scene) {
			p, tap, _ := s.streaming()
			for i := range s.provider.Cluster().Etcd {
				d := s.member(i)
				s.must(d.Kill(s.ctx))
				go func() { _ = d.Start(s.ctx) }() // which takes longer than killing the next one
			}
			for i := range s.provider.Cluster().Etcd {
				s.eventually("the member runs", func() (bool, string) { return s.member(i).Running(s.ctx), "not yet" })
				s.must(s.member(i).WaitReady(s.ctx))
			}
			tap.letGo()
			r := p.wait()
			s.agree()
			r.exits(0).undone().traceless().reaches("etcd", "match")
		}},
		promise{says: "a disk that fills up leaves the question open, and no trace", needs: ownMachinery, proof: func(s *scene) {
			disk := s.smallDisk("400m")
			p, tap, _ := s.streaming("--scratch-dir", disk)
			s.fillDisk(disk)
			tap.letGo()
			r := p.wait().exits(3).undone().says("no space left")
			r.breaks("etcd", "snapshot", "inconclusive", "no space left")
			s.wantEmpty(disk)
		}},
		promise{says: "a disk that is full when the snapshot is to be restored leaves the question open too", needs: ownMachinery, proof: func(s *scene) {
			file := s.snapshot(s.etcd(), "whole.db")
			disk := s.smallDisk("400m")
			taps, through := s.tapped()
			begun := taps[0].holdBack(callHashKV, 0) // the first thing that a climb asks for
			p := s.begin(climbing(climb("etcd", "match", from(file))), append(s.ladder(through), "--scratch-dir", disk)...)
			<-begun.reached
			s.fillDisk(disk)
			taps[0].letGo()
			p.wait().exits(3).undone().breaks("etcd", "restore", "inconclusive", "no space left")
			s.wantEmpty(disk)
		}},
		promise{says: "a disk that fills up under the nightly snapshot fails it and keeps the old ones", needs: ownMachinery, proof: func(s *scene) {
			directory := s.smallDisk("400m")
			nightly := climbing(fmt.Sprintf(`{name: etcd, etcdSnapshot: {directory: %q, keep: 1}}`, directory))
			s.climbs(nightly).exits(0).undone()
			before := s.stored(directory)
			p, tap, _ := s.streamingOf(nightly)
			s.fillDisk(directory)
			tap.letGo()
			p.wait().exits(1).undone().says("no space left")
			s.must(os.Remove(filepath.Join(directory, ".full")))
			entries, err := os.ReadDir(directory)
			s.must(err)
			if after := s.stored(directory); !slices.Equal(after, before) || len(entries) != 2 {
				s.Errorf("stored were %v, now there are %v", before, entries)
			}
			s.output(directory, "sha256sum", "-c", filepath.Base(before[0])+".sha256")
		}},
		promise{says: "Ctrl-C on the ladder leaves no trace and exits 130", needs: ownMachinery, proof: func(s *scene) {
			p, tap, _ := s.streaming()
			p.signal(os.Interrupt)
			p.untilSays("undoing")
			tap.letGo()
			p.wait().exits(130).undone().traceless()
			p = s.begin(climbing(climb("etcd", "apiServer", "")), s.ladder(nil)...)
			p.untilRung("match")
			p.signal(os.Interrupt)
			p.wait().exits(130).undone().traceless()
			s.wantNothingLeft()
		}},
		promise{says: "a killed snapshot leaves nothing that looks like one, and recover removes the rest", needs: ownMachinery, proof: func(s *scene) {
			directory := filepath.Join(s.dir, "snapshots")
			s.must(os.Mkdir(directory, 0o700))
			p, _, _ := s.streamingOf(climbing(fmt.Sprintf(`{name: etcd, etcdSnapshot: {directory: %q}}`, directory)))
			p.signal(os.Kill)
			r := p.wait()
			if stored := s.stored(directory); len(stored) > 0 {
				s.Errorf("half a snapshot looks like one: %v", stored)
			}
			s.unlock()
			s.recover(r.dir).exits(0)
			if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
				s.Errorf("%v are left, %v", left, err)
			}
			s.wantNoScratch()
		}},
	)
	for i, name := range rungs {
		prove(t, promise{says: "after kill -9 on rung " + name + " recover leaves neither file nor process", needs: ownMachinery, proof: func(s *scene) {
			var p *process
			if name == "snapshot" {
				p, _, _ = s.streaming()
			} else {
				p = s.begin(climbing(climb("etcd", "apiServer", "")), s.ladder(nil)...)
				p.untilRung(rungs[i-1])
			}
			if name == "apiServer" {
				s.eventually("the API server boots", func() (bool, string) {
					helpers := strings.Join(s.helpers(), "\n")
					return strings.Contains(helpers, "kube-apiserver "), helpers
				})
			}
			p.signal(os.Kill)
			r := p.wait()
			if r.code == 0 {
				s.Fatal("it was not killed in time")
			}
			s.eventually("its processes have ended with it", func() (bool, string) {
				left := s.helpers()
				return len(left) == 0, strings.Join(left, "\n")
			})
			if entries, err := os.ReadDir(s.scratch()); err != nil || len(entries) == 0 {
				s.Errorf("the killed run has left nothing to remove: %v", err)
			}
			s.unlock()
			s.recover(r.dir).exits(0).says("scratch directory removed")
			s.wantNoScratch()
			s.wantNothingLeft()
		}})
	}
}

func TestEtcdRefuses(t *testing.T) {
	type refusal struct {
		says    string
		step    string
		changes map[string]any
		hears   []string
	}
	for _, refused := range []refusal{
		{"an environment without etcd", climb("etcd", "match", ""), nil, []string{"etcd", "hint:"}},
		{"a snapshot that is not there", climb("etcd", "match", from("nowhere.db")), map[string]any{}, []string{"nowhere.db"}},
		{"an empty directory of snapshots", climb("etcd", "match", `, from: {newest: true}`), map[string]any{"snapshotDirectory": "empty"}, []string{"/empty", "hint:"}},
		{"a directory of snapshots that is not there", climb("etcd", "match", `, from: {newest: true}`), map[string]any{"snapshotDirectory": "/no/where"}, []string{"/no/where"}},
		{"level apiServer without a kube-apiserver", climb("etcd", "apiServer", ""), map[string]any{"apiServer": nil}, []string{"kube-apiserver", "hint:"}},
		{"a kube-apiserver that is no program", climb("etcd", "apiServer", ""), map[string]any{"apiServer": "/etc/hostname"}, []string{"/etc/hostname"}},
		{"an etcd where nobody listens", climb("etcd", "match", ""), map[string]any{"endpoints": []string{"https://127.0.0.1:1"}}, []string{"127.0.0.1:1"}},
		{"a certificate file that is not there", climb("etcd", "match", ""), map[string]any{"certFile": "/nowhere.crt"}, []string{"/nowhere.crt"}},
		{"an EncryptionConfiguration that is not there", climb("etcd", "decode", ""), map[string]any{"encryptionConfig": "/nowhere.yaml"}, []string{"/nowhere.yaml"}},
	} {
		prove(t, promise{says: refused.says + " is refused", needs: ownMachinery, proof: func(s *scene) {
			flags := s.ladder(refused.changes)
			s.must(os.Mkdir(filepath.Join(s.dir, "empty"), 0o700))
			if refused.changes == nil {
				flags = []string{"--scratch-dir", s.scratch()}
			}
			s.plan(climbing(refused.step), flags...).exits(5).says(refused.hears...)
			s.run(climbing(refused.step), flags...).exits(5).says(refused.hears...)
			s.wantNoScratch()
			s.wantNothingLeft()
		}})
	}
	prove(t,
		promise{says: "certificates of another authority, and none at all, are refused", needs: ownMachinery, proof: func(s *scene) {
			kubernetes := filepath.Join(s.provider.Cluster().Dir(), "pki")
			for _, changes := range []map[string]any{
				{"caFile": filepath.Join(kubernetes, "ca.crt")},
				{"certFile": filepath.Join(kubernetes, "admin.crt"), "keyFile": filepath.Join(kubernetes, "admin.key")},
				{"certFile": nil, "keyFile": nil},
			} {
				flags := s.ladder(changes)
				s.plan(climbing(climb("etcd", "match", "")), flags...).exits(5).says("certificate")
				s.run(climbing(climb("etcd", "match", "")), flags...).exits(5).says("certificate").traceless()
			}
		}},
		promise{says: "a kube-apiserver of another version is refused", needs: ownMachinery, proof: func(s *scene) {
			old := s.write("kube-apiserver", "#!/bin/sh\necho Kubernetes v1.31.2\n")
			s.must(os.Chmod(old, 0o700))
			flags := s.ladder(map[string]any{"apiServer": old})
			s.plan(climbing(climb("etcd", "apiServer", "")), flags...).exits(5).says("v1.31.2", "hint:")
			s.plan(climbing(climb("etcd", "match", "")), flags...).exits(0)
		}},
		promise{says: "a disk without room for the ladder is refused", needs: ownMachinery, proof: func(s *scene) {
			flags := append(s.ladder(nil), "--scratch-dir", s.tinyDisk())
			s.plan(climbing(climb("etcd", "match", "")), flags...).exits(5).says("free", "--scratch-dir")
			s.run(climbing(climb("etcd", "match", "")), flags...).exits(5).says("free", "--scratch-dir")
		}},
		promise{says: "a level, a source or an objective that makes no sense is wrong input", needs: ownMachinery, proof: func(s *scene) {
			for step, hears := range map[string]string{
				climb("etcd", "roof", ""):                                        "roof",
				climb("etcd", "match", `, from: {file: a, directory: b}`):        "exclude each other",
				climb("etcd", "match", `, from: {}`):                             "newest",
				climb("etcd", "snapshot", `, objectives: {rto: 1m}`):             "rto",
				climb("etcd", "match", `, objectives: {rto: -1m}`):               "rto",
				climb("etcd", "match", `, afterCompaction: pass`):                "compareUnchanged",
				`{name: etcd, etcdSnapshot: {directory: d, keep: 0}}`:            "keep",
				`{name: etcd, etcdSnapshot: {dir: d}}`:                           "directory",
				`{name: etcd, etcdSnapshot: {}, etcdRestore: {level: snapshot}}`: "etcdSnapshot",
			} {
				s.run(climbing(step), s.ladder(nil)...).exits(2).says(hears)
			}
			s.wantNoScratch()
		}},
		promise{says: "plan says what would be done and does none of it", needs: ownMachinery, proof: func(s *scene) {
			taps, through := s.tapped()
			s.plan(climbing(climb("etcd", "apiServer", "")), s.ladder(through)...).exits(0).says("apiServer")
			for _, tap := range taps {
				if heard := tap.heard(); slices.Contains(heard, callSnapshot) {
					s.Errorf("plan takes a snapshot: %v", heard)
				}
			}
			s.wantNoScratch()
			s.wantNothingLeft()
		}},
	)
}

func TestEtcdSnapshot(t *testing.T) {
	prove(t,
		promise{says: "a snapshot is stored with its sha256, readable by its owner alone, and etcd's own tools take it for one", needs: ownMachinery, proof: func(s *scene) {
			directory := filepath.Join(s.dir, "snapshots")
			s.must(os.Mkdir(directory, 0o700))
			s.climbs(climbing(`{name: nightly, etcdSnapshot: {}}`)).exits(0).undone().reaches("nightly", "integrity") // the Environment's directory
			stored := s.stored(directory)
			if len(stored) != 1 {
				s.Fatalf("stored are %v", stored)
			}
			info, err := os.Stat(stored[0])
			s.must(err)
			if info.Mode().Perm() != 0o600 {
				s.Errorf("%s has mode %s", stored[0], info.Mode())
			}
			s.output(directory, "sha256sum", "-c", filepath.Base(stored[0])+".sha256")
			etcdutl, err := s.provider.Cluster().Program(s.ctx, "etcdutl")
			s.must(err)
			s.output(s.dir, etcdutl, "snapshot", "restore", stored[0], "--data-dir", filepath.Join(s.dir, "by-etcdutl"))
			s.climbs(climbing(climb("etcd", "match", `, from: {newest: true}`))).exits(0).undone().reaches("etcd", "match")
		}},
		promise{says: "old snapshots are removed beyond those to keep, and nobody else's file is", needs: ownMachinery, proof: func(s *scene) {
			directory := filepath.Join(s.dir, "snapshots")
			s.must(os.Mkdir(directory, 0o700))
			others := []string{"backup-by-hand.db", "etcd-another-20200101T000000Z.db", "notes.txt"}
			for _, other := range others {
				s.write(filepath.Join("snapshots", other), "not gameday's")
			}
			for range 4 {
				s.climbs(climbing(fmt.Sprintf(`{name: nightly, etcdSnapshot: {directory: %q, keep: 2}}`, directory))).exits(0).undone()
				s.lasts(1100 * time.Millisecond) // names have seconds
			}
			entries, err := os.ReadDir(directory)
			s.must(err)
			ours := 0
			for _, entry := range entries {
				if !slices.Contains(others, entry.Name()) {
					ours++
				}
			}
			if ours != 4 || len(entries) != 4+len(others) {
				s.Errorf("there are %v, want the newest two with their sha256 and what was there before", entries)
			}
		}},
		promise{says: "a game day fails when snapshots stop, and says so", needs: ownMachinery, proof: func(s *scene) {
			directory := filepath.Join(s.dir, "snapshots")
			s.must(os.Mkdir(directory, 0o700))
			s.climbs(climbing(`{name: nightly, etcdSnapshot: {}}`)).exits(0)
			fresh := func(fields string) drill {
				d := climbing(climb("etcd", "snapshot", ""))
				d.checks = `[{name: fresh, backups: {etcdSnapshots: {` + fields + `}}}]`
				return d
			}
			s.climbs(fresh(`maxAge: 1h, minKept: 1`)).exits(0).undone().says("ok fresh")
			s.climbs(fresh(`maxAge: 1h, minKept: 2`)).exits(1).undone().says("XX fresh", "1 kept")
			s.climbs(fresh(`maxAge: 1ms`)).exits(1).undone().says("XX fresh", "1ms is the most")
			// What looks like a new snapshot is none when its content is another's.
			stored := s.stored(directory)[0]
			s.must(os.WriteFile(stored, []byte("nothing"), 0o600))
			s.climbs(fresh(`maxAge: 1h`)).exits(1).undone().says("XX fresh", filepath.Base(stored))
			s.must(os.Remove(stored))
			s.climbs(fresh(`maxAge: 1h`)).exits(1).undone().says("XX fresh")
		}},
	)
}

// stored are the snapshots in a directory, the newest first by their names.
func (s *scene) stored(directory string) []string {
	s.Helper()
	files, err := filepath.Glob(filepath.Join(directory, "*.db"))
	s.must(err)
	slices.Sort(files)
	slices.Reverse(files)
	return files
}
