package velero

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"gameday.dev/gameday/backup/velero/probe"
)

// What a step says ends in paths, in selectors and on nodes: one problem each.
func TestValidate(t *testing.T) {
	of := func(b Source) *Restore { return &Restore{Backup: b, Namespace: "shop", Into: "shop-drill"} }
	with := func(change func(*Restore)) *Restore {
		s := of(Source{Name: "nightly-1"})
		change(s)
		return s
	}
	probed := func(start bool, command ...string) *Restore {
		return with(func(s *Restore) {
			s.Start, s.Probe = start, &probe.Spec{Exec: &probe.Exec{Selector: "app=db", Command: command}}
		})
	}
	cleanup := func(d time.Duration) *Restore {
		return with(func(s *Restore) { s.CleanupTimeout = &metav1.Duration{Duration: d} })
	}
	for name, test := range map[string]struct {
		spec *Restore
		at   string // where the problem is; empty when there is none
	}{
		"a backup":               {of(Source{Name: "nightly-20261101.1"}), ""},
		"a path as a backup":     {of(Source{Name: "a/../b"}), "backup.name"},
		"a schedule":             {of(Source{Schedule: "nightly"}), ""},
		"selectors as schedules": {of(Source{Schedule: "nightly,velero.io/storage-location!=x"}), "backup.schedule"},
		"a location":             {of(Source{Namespaces: []string{"shop"}, StorageLocation: "default"}), ""},
		"a path as a location":   {of(Source{Namespaces: []string{"shop"}, StorageLocation: "../x"}), "backup.storageLocation"},
		"a namespace twice":      {of(Source{Namespaces: []string{"shop", "shop"}}), "backup.namespaces[1]"},
		"a canary":               {with(func(s *Restore) { s.Canary = &Canary{ConfigMap: "beat", Key: "at_1.x"} }), ""},
		"a canary nowhere":       {with(func(s *Restore) { s.Canary = &Canary{ConfigMap: "a/b", Key: "at"} }), "canary.configMap"},
		"a canary's blank key":   {with(func(s *Restore) { s.Canary = &Canary{ConfigMap: "beat", Key: " "} }), "canary.key"},
		"a canary without key":   {with(func(s *Restore) { s.Canary = &Canary{ConfigMap: "beat"} }), "canary.key"},
		"a kubelet":              {with(func(s *Restore) { s.Volumes.KubeletRoot = "/data/kubelet" }), ""},
		"a kubelet somewhere":    {with(func(s *Restore) { s.Volumes.KubeletRoot = "relative" }), "volumes.kubeletRoot"},
		"a kubelet elsewhere":    {with(func(s *Restore) { s.Volumes.KubeletRoot = "/var/lib/kubelet/../.." }), "volumes.kubeletRoot"},
		"a kubelet everywhere":   {with(func(s *Restore) { s.Volumes.KubeletRoot = "/" }), "volumes.kubeletRoot"},
		"an ignored claim":       {with(func(s *Restore) { s.Volumes.Ignore = []string{"data-db-0"} }), ""},
		"all without a claim":    {with(func(s *Restore) { s.Volumes.Ignore = []string{""} }), "volumes.ignore[0]"},
		"no pattern":             {with(func(s *Restore) { s.Volumes.Ignore = []string{"*"} }), "volumes.ignore[0]"},
		"a probe":                {probed(true, "pg_isready"), ""},
		"a probe of nothing":     {probed(false, "pg_isready"), "probe"},
		"a probe asking nothing": {probed(true), "probe.exec.command"},
		"a short cleanup":        {cleanup(10 * time.Second), ""},
		"too short a cleanup":    {cleanup(1), "cleanupTimeout"},
		"no cleanup":             {cleanup(0), "cleanupTimeout"},
		"too long a cleanup":     {cleanup(5 * time.Minute), "cleanupTimeout"},
	} {
		problems := test.spec.Validate(field.NewPath("step"))
		if test.at == "" && len(problems) > 0 || test.at != "" && (len(problems) != 1 || strings.TrimPrefix(problems[0].Field, "step.") != test.at) {
			t.Errorf("%s: %v, want a problem at %q", name, problems, test.at)
		}
	}
}
