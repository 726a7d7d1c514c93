package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/test/cluster"
)

// patched is what a merge patch does to an object.
func patched(name, patch string) func(context.Context, dynamic.ResourceInterface) error {
	return func(ctx context.Context, all dynamic.ResourceInterface) error {
		_, err := all.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	}
}

// volume makes a pod that keeps files in a claim, and one with a hostPath. It gives
// the directory of the claim's files.
func (s *scene) volume() string {
	s.Helper()
	s.apply("volume.yaml")
	s.untilAllRun()
	return s.volumeOf(s.ns, "own")
}

func TestVeleroLosses(t *testing.T) {
	prove(t,
		promise{says: "whatever is altered in a restored namespace is found and named", needs: velero, proof: func(s *scene) {
			secret := "hush-" + s.ns
			s.secret("db", secret)
			for _, name := range []string{"gone", "bytes", "conf"} {
				s.configMap(name, "as it was")
			}
			s.deployment("web", 1)
			_, err := s.client.CoreV1().ConfigMaps(s.ns).Create(s.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "labelled", Labels: map[string]string{"tier": "data"}}}, metav1.CreateOptions{})
			s.must(err)
			_, err = s.client.RbacV1().RoleBindings(s.ns).Create(s.ctx, &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: "reader"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
				Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "default", Namespace: s.ns}},
			}, metav1.CreateOptions{})
			s.must(err)
			into := s.ns + "-altered"
			made := func(name string) error {
				_, err := s.client.CoreV1().ConfigMaps(into).Create(s.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"value": "another"}}, metav1.CreateOptions{})
				return err
			}
			check := s.plants(into,
				plant{at("v1/configmaps"), "gone", func(ctx context.Context, all dynamic.ResourceInterface) error {
					return all.Delete(ctx, "gone", metav1.DeleteOptions{})
				}},
				plant{at("v1/configmaps"), "bytes", patched("bytes", `{"data":{"value":"as it wAs"}}`)},
				plant{at("v1/configmaps"), "labelled", patched("labelled", `{"metadata":{"labels":{"tier":null}}}`)},
				plant{at("v1/secrets"), "db", patched("db", `{"stringData":{"value":"other-`+secret+`"}}`)},
				plant{at("apps/v1/deployments"), "web", patched("web", `{"spec":{"revisionHistoryLimit":3}}`)},
				plant{at("rbac.authorization.k8s.io/v1/rolebindings"), "reader", patched("reader", `{"subjects":[{"kind":"ServiceAccount","name":"default","namespace":"`+s.ns+`"}]}`)},
				plant{at("v1/namespaces"), into, func(context.Context, dynamic.ResourceInterface) error { return made("stranger") }},
				plant{at("v1/namespaces"), into, func(context.Context, dynamic.ResourceInterface) error { return made("conf") }},
			)
			r := s.drills(restoring("altered", fromNow)).exits(1).keepsToItself(secret, "other-"+secret)
			check()
			r.breaks("altered", "restore", "fail", "already exists").finds("altered", "objects", "fail",
				"ConfigMap ${ns}/gone: missing", "ConfigMap ${ns}/bytes: data.value", "ConfigMap ${ns}/labelled: metadata.labels.tier", "Secret ${ns}/db: data.value",
				"Deployment ${ns}/web: spec.revisionHistoryLimit", "RoleBinding ${ns}/reader: subjects", "ConfigMap ${ns}/stranger: extra", "ConfigMap ${ns}/conf: data.value",
				"artifacts/objects-"+into+".diff")
			r.shows("objects-"+into+".diff", "\n-  value: as it was\n+  value: as it wAs\n", "\n-  value: (not shown; wanted differs)\n+  value: (not shown; found differs)\n")
		}},
		promise{says: "a tarball that was damaged, altered or emptied in the object store is no backup", needs: velero, proof: func(s *scene) {
			s.configMap("conf", "as it was")
			s.configMap("out", "taken out")
			s.past(s.dynamic().Resource(at("v1/configmaps")).Namespace(s.ns), "out")
			whole := s.backedUp("whole", false)
			flipped, cut, gone, altered, emptied := s.twin(whole, "flipped"), s.twin(whole, "cut"), s.twin(whole, "gone"), s.twin(whole, "altered"), s.twin(whole, "emptied")
			s.damage(s.inBucket(flipped, ".tar.gz"), func(data []byte) []byte {
				data[len(data)/2] ^= 0xff
				return data
			})
			s.damage(s.inBucket(cut, ".tar.gz"), func(data []byte) []byte { return data[:len(data)/2] })
			s.must(os.Remove(s.inBucket(gone, ".tar.gz")))
			s.repack(altered, func(_ string, data []byte) []byte {
				return bytes.ReplaceAll(data, []byte("as it was"), []byte("as it wAs"))
			})
			s.repack(emptied, func(name string, data []byte) []byte {
				if strings.HasSuffix(name, "/out.json") {
					return nil
				}
				return data
			})
			var steps []string
			for _, name := range []string{"flipped", "cut", "gone", "altered", "emptied"} {
				steps = append(steps, restoring(name, fromBackup(s.ns+"-"+name)))
			}
			s.drills(steps...).exits(1).
				breaks("flipped", "backup", "fail", "damaged").
				breaks("cut", "backup", "fail", "damaged", "EOF").
				breaks("gone", "backup", "fail", "tarball is gone", "NoSuchKey").
				breaks("altered", "objects", "fail", "ConfigMap ${ns}/conf", "data.value").
				breaks("emptied", "objects", "fail", "ConfigMap ${ns}/out", "not backed up")
		}},
		promise{says: "a file altered in a restored volume, damaged data of one, and volumes that Velero leaves out are named", needs: velero, proof: func(s *scene) {
			directory := s.volume()
			s.must(os.WriteFile(filepath.Join(directory, "letter"), []byte("dear reader"), 0o640))
			whole := s.backedUp("whole", true)
			var once sync.Once
			s.eachChange(cluster.VeleroNamespace, at("velero.io/v1/podvolumerestores"), func(object *unstructured.Unstructured) {
				var restore velerov1.PodVolumeRestore
				s.must(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &restore))
				if restore.Spec.Pod.Namespace == s.ns+"-altered" && restore.Status.Phase == velerov1.PodVolumeRestorePhaseCompleted {
					once.Do(func() {
						s.must(os.WriteFile(filepath.Join(s.volumeOf(s.ns+"-altered", "own"), "letter"), []byte("dear Reader"), 0o640))
					})
				}
			})
			s.drills(restoring("altered", fromBackup(whole)+`, volumes: {compare: true}`)).exits(1).
				breaks("altered", "volumes", "fail", "2 of 3 volumes is lost", "letter: content", "volume machine of pod machine", "hostPath", "claim left-out")
			blobs, err := filepath.Glob(filepath.Join(s.filesInBucket(), "p*"))
			s.must(err)
			if len(blobs) == 0 {
				s.Fatal("the bucket has no files of volumes")
			}
			for _, blob := range blobs {
				s.damage(blob, func(data []byte) []byte {
					for i := range data {
						data[i] ^= 0xff
					}
					return data
				})
			}
			s.renewAgents() // those of Velero 1.16 restore from what they have in memory and on disk
			s.drills(restoring("damaged", fromBackup(whole)+`, volumes: {ignore: [machine, left-out]}`)).exits(1).breaks("damaged", "restore", "fail", "pod volume restore", "PartiallyFailed")
		}},
	)
}

// shows wants each text in a file that the run has left for people.
func (r *result) shows(file string, texts ...string) {
	r.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, journal.ArtifactsName, file))
	r.must(err)
	for _, text := range texts {
		if !strings.Contains(string(data), text) {
			r.Errorf("%s shows no %q:\n%s", file, text, data)
		}
	}
}
