package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"gameday.dev/gameday/internal/journal"
)

// stuckDrain is a run whose drain has cordoned the stage and waits for a
// budget that never allows it: in the middle of everything.
func (s *scene) stuckDrain() *process {
	s.Helper()
	s.deployment("web", 1, on(s.stage))
	s.budget("web", "web", 1)
	p := s.begin(drain(`, timeout: 5m`))
	p.untilSays("waits: PDB")
	s.wantCordoned(s.stage, true)
	return p
}

func TestInterruption(t *testing.T) {
	prove(t,
		promise{says: "Ctrl-C in the middle of a drain undoes it and exits 130", proof: func(s *scene) {
			p := s.stuckDrain()
			p.signal(os.Interrupt)
			p.wait().exits(130).undone().says("interrupted: undoing", "${node} uncordoned")
			s.wantCordoned(s.stage, false)
			s.wantNothingLeft()
		}},
		promise{says: "SIGTERM is an interruption like Ctrl-C", proof: func(s *scene) {
			p := s.stuckDrain()
			p.signal(syscall.SIGTERM)
			p.wait().exits(130).undone()
			s.wantCordoned(s.stage, false)
		}},
		promise{says: "Ctrl-C in a hold undoes it and exits 130", proof: func(s *scene) {
			s.deployment("web", 1, on(s.stage))
			d := drain("")
			d.steps = strings.TrimSuffix(d.steps, "}]") + `, hold: 2m}]`
			p := s.begin(d)
			p.until(journal.StepHolding)
			p.signal(os.Interrupt)
			p.wait().exits(130).undone()
			s.wantCordoned(s.stage, false)
		}},
		promise{says: "a second Ctrl-C gives up, exits 4 and names the command that recovers", needs: ownMachinery, proof: func(s *scene) {
			p := s.stuckDrain()
			api, err := s.provider.Cluster().Daemon("kube-apiserver")
			s.must(err)
			s.must(api.Freeze(s.ctx)) // nothing can be undone now
			p.signal(os.Interrupt)
			p.untilSays("interrupted: undoing")
			p.signal(os.Interrupt)
			p.untilSays("giving up")
			r := p.wait()
			s.must(api.Thaw(s.ctx))
			r.exits(4).says("gameday recover "+r.report.Run, "NOT UNDONE")
			s.wantCordoned(s.stage, true)
			s.recover(r.report.Run).exits(0).says("${node} uncordoned")
			s.wantCordoned(s.stage, false)
			s.wantNothingLeft()
		}},
	)
}

func TestRecover(t *testing.T) {
	prove(t,
		promise{says: "what a killed run has left keeps the next one out until somebody recovers it, from anywhere", proof: func(s *scene) {
			p := s.stuckDrain()
			p.signal(syscall.SIGKILL)
			id := runID(p)
			if code := p.wait().code; code == 0 {
				s.Errorf("a killed run exits %d", code)
			}
			s.wantCordoned(s.stage, true)
			s.run(drain("")).exits(5).says("cut short and has not been undone", "hint: undo it with: gameday recover "+id)
			s.wantCordoned(s.stage, true)
			s.must(os.RemoveAll(p.runs)) // another machine has no run directory
			s.recover().exits(0).says(id, "${node} uncordoned")
			s.wantCordoned(s.stage, false)
			s.recover().exits(0).says("nothing to do")
			s.recover(id).exits(0).says("nothing to do")
			s.wantNothingLeft()
		}},
		promise{says: "recovering a run directory completes its journal, and the verdict stays inconclusive", proof: func(s *scene) {
			p := s.stuckDrain()
			p.signal(syscall.SIGKILL)
			r := p.wait()
			s.gameday("judge", r.dir).exits(3).says("gameday recover")
			s.recover(r.dir).exits(0).says("${node} uncordoned")
			s.wantCordoned(s.stage, false)
			judged := s.gameday("judge", r.dir, "-o", "json").exits(3)
			judged.says(`"cleanup": "complete"`, `"undone": true`, `"verdict": "inconclusive"`)
			s.recover(r.dir).exits(0).says("nothing to do")
		}},
		promise{says: "recover does not lift a cordon that somebody else has made since", proof: func(s *scene) {
			p := s.stuckDrain()
			p.signal(syscall.SIGKILL)
			p.wait()
			s.cordon(s.stage, false)
			s.cordon(s.stage, true) // another actor's, without the mark of the run
			defer s.cordon(s.stage, false)
			s.recover().exits(0).saysNot("${node} uncordoned")
			s.wantCordoned(s.stage, true)
		}},
	)
}

// runID is the id of a run, from the name of its directory.
func runID(p *process) string {
	return strings.TrimPrefix(filepath.Base(p.dirNow()), "drill-")
}

// wantNothingLeft wants neither a lock nor a ledger in the cluster.
func (s *scene) wantNothingLeft() {
	s.Helper()
	leases, err := s.client.CoordinationV1().Leases("gameday").List(s.ctx, metav1.ListOptions{})
	s.must(err)
	ledgers, err := s.client.CoreV1().ConfigMaps("gameday").List(s.ctx, metav1.ListOptions{LabelSelector: labelRun})
	s.must(err)
	if len(leases.Items)+len(ledgers.Items) > 0 {
		s.Errorf("%d leases and %d ledgers are left", len(leases.Items), len(ledgers.Items))
	}
}
