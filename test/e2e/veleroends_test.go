package e2e

import (
	"fmt"
	"os"
	"sync"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// kindOfItsOwn makes a class of objects that no other scene has, and one of them.
func (s *scene) kindOfItsOwn() (remove func()) {
	s.Helper()
	s.must(s.provider.Cluster().Apply(s.ctx, []byte(s.fill(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.${ns}.gameday.dev}
spec:
  group: ${ns}.gameday.dev
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`))))
	definitions := s.dynamic().Resource(at("apiextensions.k8s.io/v1/customresourcedefinitions"))
	things := s.dynamic().Resource(at(s.ns + ".gameday.dev/v1/things")).Namespace(s.ns)
	remove = sync.OnceFunc(func() {
		s.must(definitions.Delete(s.ctx, "things."+s.ns+".gameday.dev", metav1.DeleteOptions{}))
		s.eventually("nobody knows of things any more", func() (bool, string) {
			_, err := things.List(s.ctx, metav1.ListOptions{})
			return apierrors.IsNotFound(err), fmt.Sprint(err)
		})
	})
	s.Cleanup(remove)
	thing := &unstructured.Unstructured{Object: map[string]any{"apiVersion": s.ns + ".gameday.dev/v1", "kind": "Thing", "metadata": map[string]any{"name": "one"}}}
	s.eventually("a thing can be made", func() (bool, string) {
		_, err := things.Create(s.ctx, thing, metav1.CreateOptions{})
		return err == nil, fmt.Sprint(err)
	})
	s.past(things, "one")
	return remove
}

func TestVeleroEnds(t *testing.T) {
	prove(t,
		promise{says: "a custom resource that Velero has not discovered yet is missed, and a restore that hangs on a kind that went is told and recovered from", needs: velero, proof: func(s *scene) {
			s.restartVelero() // which looks for kinds then, and not again for five minutes
			remove := s.kindOfItsOwn()
			s.drills(restoring("unseen", fromNow)).exits(1).breaks("unseen", "objects", "fail", "Thing ${ns}/one", "not backed up")
			s.restartVelero()
			whole := s.backedUp("whole", false)
			remove()
			r := s.drills(restoring("hangs", fromBackup(whole)+`, timeout: 12s, cleanupTimeout: 10s`)).exits(4).
				breaks("hangs", "restore", "fail", "timeout of 12s").says("restart Velero", "gameday recover")
			s.restartVelero()
			s.recover().exits(0)
			r.leavesNothing()
			s.drills(restoring("lost", fromBackup(whole))).exits(1).breaks("lost", "restore", "fail", "things.", "one")
		}},
		promise{says: "a backup that did not end well is told by its reasons, and a Velero or a bucket that does not answer as inconclusive", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			whole := s.backedUp("whole", false)
			warned := s.backedUp("warned", false, func(b *velerov1.Backup) {
				b.Spec.OrderedResources = map[string]string{"configmaps": s.ns + "/no-such-thing"}
			})
			s.drills(restoring("warned", fromBackup(warned))).exits(0).finds("warned", "backup", "pass", "Completed with 1 warning", "no-such-thing")
			s.pod("hooked")
			s.untilRunning("hooked", 1)
			_, err := s.client.CoreV1().Pods(s.ns).Patch(s.ctx, "hooked", types.MergePatchType,
				[]byte(`{"metadata":{"annotations":{"pre.hook.backup.velero.io/command":"[\"/no-such-program\"]","pre.hook.backup.velero.io/on-error":"Fail"}}}`), metav1.PatchOptions{})
			s.must(err)
			s.drills(
				restoring("hook", fromNow),
				restoring("nowhere", `backup: {namespaces: ["${ns}"], storageLocation: nowhere, defaultVolumesToFsBackup: false}`),
			).exits(1).breaks("hook", "backup", "fail", "no-such-program", "PartiallyFailed").breaks("nowhere", "backup", "fail", "nowhere", "FailedValidation")
			start := s.stopBucket()
			s.drills(restoring("unreached", fromBackup(whole))).exits(3).breaks("unreached", "backup", "inconclusive", "object store")
			start()
			s.scaleVelero(0)
			s.Cleanup(func() { s.scaleVelero(1) })
			s.drills(restoring("unheard", fromBackup(whole))).exits(3).breaks("unheard", "backup", "inconclusive", "DownloadRequest")
		}},
		promise{says: "a restore that Velero finds invalid is lost by its reasons", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			s.admitted(at("velero.io/v1/restores"), `[{"op":"add","path":"/spec/includedResources","value":["pods"]},{"op":"add","path":"/spec/excludedResources","value":["pods"]}]`)
			s.drills(restoring("invalid", fromNow)).exits(1).breaks("invalid", "restore", "fail", "excludes list cannot contain", "FailedValidation")
		}},
		promise{says: "Velero killed in mid-restore fails the step, and what it left is cleaned away", needs: velero, proof: func(s *scene) {
			s.volume()
			whole := s.backedUp("whole", true)
			p := s.begin(longer(climbing(restoring("cut", fromBackup(whole)+`, volumes: {ignore: [machine, left-out]}`))), s.veleroFlags()...)
			p.untilSays("restore is InProgress")
			s.killVelero()
			p.wait().exits(1).undone().leavesNothing().breaks("cut", "restore", "fail", "server starting", "Failed")
			s.untilVeleroServes()
		}},
		promise{says: "a scratch namespace that is stuck is named, and so is what a killed runner left, until recover has cleaned it away", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			into := s.ns + "-stuck"
			check := s.plants(into, plant{at("v1/configmaps"), "conf", patched("conf", `{"metadata":{"finalizers":["e2e.gameday.dev/stays"]}}`)})
			r := s.drills(restoring("stuck", fromNow+`, cleanupTimeout: 12s`)).exits(4).says("stuck in deletion", "e2e.gameday.dev/stays")
			check()
			s.must(patched("conf", `{"metadata":{"finalizers":null}}`)(s.ctx, s.dynamic().Resource(at("v1/configmaps")).Namespace(into)))
			s.recover().exits(0)
			r.leavesNothing()

			p := s.begin(longer(climbing(restoring("killed", fromNow))), s.veleroFlags()...)
			p.untilSays("restore is InProgress")
			p.signal(os.Kill)
			p.wait()
			s.unlock()
			s.run(longer(climbing(restoring("refused", fromNow))), s.veleroFlags()...).exits(5).says("gameday recover")
			s.recover().exits(0)
			r.leavesNothing()
		}},
		promise{says: "plan refuses what could only end badly, and changes nothing", needs: velero, proof: func(s *scene) {
			plan := func(fields string) *result {
				return s.plan(longer(climbing(fields)), s.veleroFlags()...)
			}
			_, err := s.client.CoreV1().Namespaces().Create(s.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.ns + "-there", Labels: map[string]string{reserved: "scene"}}}, metav1.CreateOptions{})
			s.must(err)
			s.Cleanup(func() { s.must(s.client.CoreV1().Namespaces().Delete(s.ctx, s.ns+"-there", metav1.DeleteOptions{})) })
			plan(restoring("there", fromNow)).exits(5).says("is there already")
			plan(restoring("none", fromBackup("no-such-backup"))).exits(5).says("no-such-backup")
			plan(restoring("none", `backup: {schedule: no-such-schedule}, namespace: "${ns}"`)).exits(5).says("no-such-schedule")
			plan(restoring("fine", fromNow)).exits(0).says("a run would begin")
			if left := s.marked(); len(left) > 0 {
				s.Errorf("plan has made %v", left)
			}
		}},
	)
}
