package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"gameday.dev/gameday/test/cluster"
)

// What is done to backups here needs nothing of gameday: Velero takes them, and
// the files of its bucket are edited where they lie.

// read reads one of Velero's objects; it says whether there is one.
func (s *scene) read(resource, name string, into any) bool {
	s.Helper()
	object, err := s.inVelero(resource).Get(s.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false
	}
	s.must(err)
	s.must(runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into))
	return true
}

func (s *scene) make(resource, kind string, object any) {
	s.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	s.must(err)
	one := &unstructured.Unstructured{Object: content}
	one.SetAPIVersion("velero.io/v1")
	one.SetKind(kind)
	_, err = s.inVelero(resource).Create(s.ctx, one, metav1.CreateOptions{})
	s.must(err)
}

// backedUp has Velero back the scene's namespace up, with the files of its volumes
// or without, and gives the name of the backup.
func (s *scene) backedUp(name string, files bool, changes ...func(*velerov1.Backup)) string {
	s.Helper()
	backup := &velerov1.Backup{
		ObjectMeta: metav1.ObjectMeta{Name: s.ns + "-" + name, Namespace: cluster.VeleroNamespace},
		Spec:       velerov1.BackupSpec{IncludedNamespaces: []string{s.ns}, StorageLocation: "default", DefaultVolumesToFsBackup: &files},
	}
	for _, change := range changes {
		change(backup)
	}
	s.make("backups", "Backup", backup)
	s.Cleanup(func() { s.removeBackup(backup.Name) })
	s.eventually("backup "+backup.Name+" has ended", func() (bool, string) {
		var now velerov1.Backup
		s.read("backups", backup.Name, &now)
		phase := string(now.Status.Phase)
		return phase == "Completed" || strings.HasSuffix(phase, "Failed"), phase
	})
	return backup.Name
}

// past waits until an object was made seconds ago: the API tells times in whole ones. What
// is made in the second of a backup may be made after it, and is 0s old in that second.
func (s *scene) past(objects dynamic.ResourceInterface, name string) {
	s.Helper()
	made, err := objects.Get(s.ctx, name, metav1.GetOptions{})
	s.must(err)
	s.eventually(name+" is seconds old", func() (bool, string) {
		age := time.Since(made.GetCreationTimestamp().Time)
		return age > 3*time.Second, age.String()
	})
}

// removeBackup takes a backup out of the bucket first, or Velero would find it again.
func (s *scene) removeBackup(name string) {
	s.Helper()
	s.must(os.RemoveAll(s.inBucket(name, "")))
	for _, resource := range []string{"podvolumebackups", "backups"} {
		options := metav1.ListOptions{LabelSelector: velerov1.BackupNameLabel + "=" + name}
		if resource == "backups" {
			options = metav1.ListOptions{FieldSelector: "metadata.name=" + name}
		}
		s.must(s.inVelero(resource).DeleteCollection(s.ctx, metav1.DeleteOptions{}, options))
	}
}

// inBucket is a file of a backup: its tarball has the suffix .tar.gz. Without a
// suffix it is the directory of all of them.
func (s *scene) inBucket(backup, suffix string) string {
	directory := filepath.Join(s.provider.Cluster().BucketDir(), "backups", backup)
	if suffix == "" {
		return directory
	}
	return filepath.Join(directory, backup+suffix)
}

// twin is a copy of a backup under another name, in the bucket and in the cluster.
func (s *scene) twin(backup, name string, changes ...func(*velerov1.Backup)) string {
	s.Helper()
	var original velerov1.Backup
	if !s.read("backups", backup, &original) {
		s.Fatalf("there is no backup %s", backup)
	}
	twin := original.DeepCopy()
	twin.ObjectMeta = metav1.ObjectMeta{Name: s.ns + "-" + name, Namespace: cluster.VeleroNamespace, Labels: original.Labels, Annotations: original.Annotations}
	for _, change := range changes {
		change(twin)
	}
	s.must(os.MkdirAll(s.inBucket(twin.Name, ""), 0o755))
	files, err := os.ReadDir(s.inBucket(backup, ""))
	s.must(err)
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(s.inBucket(backup, ""), file.Name()))
		s.must(err)
		s.must(os.WriteFile(filepath.Join(s.inBucket(twin.Name, ""), strings.ReplaceAll(file.Name(), backup, twin.Name)), data, 0o644))
	}
	s.make("backups", "Backup", twin)
	s.Cleanup(func() { s.removeBackup(twin.Name) })
	return twin.Name
}

// damage changes the bytes of a file.
func (s *scene) damage(path string, change func([]byte) []byte) {
	s.Helper()
	data, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(path, change(data), 0o644))
}

// repack changes the files of a backup's tarball, by somebody who knows how to. A
// file that becomes nil is taken out.
func (s *scene) repack(backup string, change func(name string, data []byte) []byte) {
	s.Helper()
	s.damage(s.inBucket(backup, ".tar.gz"), func(packed []byte) []byte {
		unzipped, err := gzip.NewReader(bytes.NewReader(packed))
		s.must(err)
		from := tar.NewReader(unzipped)
		var again bytes.Buffer
		zipped := gzip.NewWriter(&again)
		to := tar.NewWriter(zipped)
		for {
			header, err := from.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			s.must(err)
			data, err := io.ReadAll(from)
			s.must(err)
			if header.Typeflag == tar.TypeReg {
				if data = change(header.Name, data); data == nil {
					continue
				}
			}
			header.Size = int64(len(data))
			s.must(to.WriteHeader(header))
			_, err = to.Write(data)
			s.must(err)
		}
		s.must(to.Close())
		s.must(zipped.Close())
		return again.Bytes()
	})
}
