package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/test/cluster"
)

// wantBackups loses the S3 server and the provisioner and gets them back, backs
// the shop up and restores it beside itself, where a file in one of its volumes
// must be again. Meanwhile the node with the volume takes no new pods.
func wantBackups(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"versitygw", "provisioner"} {
		d, err := c.Daemon(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(volumeOf(ctx, t, c, "shop", "data-store-0"), "letter"), []byte("dear reader"), 0o600); err != nil {
		t.Fatal(err)
	}
	pod, err := client.CoreV1().Pods("shop").Get(ctx, "store-0", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	taint(ctx, t, client, pod.Spec.NodeName)

	velero(ctx, t, c, "backup", "create", "whole", "--include-namespaces=shop", "--default-volumes-to-fs-backup", "--wait")
	if objects, err := filepath.Glob(filepath.Join(c.BucketDir(), "backups", "whole", "*.tar.gz")); err != nil || len(objects) == 0 {
		t.Errorf("the bucket has no file of the backup: %v, %v", objects, err)
	}
	velero(ctx, t, c, "restore", "create", "beside", "--from-backup=whole", "--namespace-mappings=shop:shop-beside", "--wait")

	letter, err := os.ReadFile(filepath.Join(volumeOf(ctx, t, c, "shop-beside", "data-store-0"), "letter"))
	if err != nil || string(letter) != "dear reader" {
		t.Errorf("the file in the volume came back as %q, %v", letter, err)
	}
	// What nobody has signed is not given out, on the machine as little as in pods.
	response, err := http.Get(c.S3URL() + "/velero/backups/whole/velero-backup.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("the S3 server says %s to a stranger", response.Status)
	}
}

func velero(ctx context.Context, t *testing.T, c *cluster.Cluster, arguments ...string) {
	t.Helper()
	program, err := c.Program(ctx, "velero")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	cmd := exec.CommandContext(ctx, program, append(arguments, "--kubeconfig="+c.Kubeconfig())...)
	out, err := cmd.CombinedOutput()
	// It exits with 0 whatever became of the backup.
	if err != nil || !strings.Contains(string(out), "completed with status: Completed.") {
		t.Fatalf("velero %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	t.Logf("velero %s %s: after %s", arguments[0], arguments[2], time.Since(begin).Round(100*time.Millisecond))
}

// taint keeps new pods off the node.
func taint(ctx context.Context, t *testing.T, client kubernetes.Interface, node string) {
	t.Helper()
	n, err := client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "gameday.dev/e2e", Effect: corev1.TaintEffectNoSchedule})
	if _, err := client.CoreV1().Nodes().Update(ctx, n, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func volumeOf(ctx context.Context, t *testing.T, c *cluster.Cluster, namespace, claim string) string {
	t.Helper()
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	pvc, err := client.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, claim, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := c.VolumeDir(pvc.Spec.VolumeName)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantVolumes makes dozens of volumes at once and deletes them with their
// namespace while some are still being made. Nothing of them may be left.
func wantVolumes(ctx context.Context, t *testing.T, c *cluster.Cluster) {
	t.Helper()
	client, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	const namespace = "volumes"
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, pod := range []string{"a", "b", "c", "d"} {
		createWithVolumes(ctx, t, client, namespace, pod, 10)
	}
	within(t, 3*time.Minute, "a pod with volumes runs", func() error {
		running, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{FieldSelector: "status.phase=Running"})
		if err == nil && len(running.Items) == 0 {
			err = errors.New("none does")
		}
		return err
	})
	t.Logf("there are directories of %d volumes", len(volumeDirs(t, c)))
	if err := client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, 3*time.Minute, "claims and volumes are gone", func() error {
		claims, err := client.CoreV1().PersistentVolumeClaims(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if len(claims.Items) > 0 {
			return fmt.Errorf("%d claims are left", len(claims.Items))
		}
		all, err := client.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, v := range all.Items {
			if v.Spec.ClaimRef.Namespace == namespace {
				return fmt.Errorf("%s is %s", v.Name, v.Status.Phase)
			}
		}
		if dirs := volumeDirs(t, c); len(dirs) != len(all.Items) {
			return fmt.Errorf("%d volumes have %d directories: %v", len(all.Items), len(dirs), dirs)
		}
		return nil
	})
}

// createWithVolumes creates a pod with so many claims.
func createWithVolumes(ctx context.Context, t *testing.T, client kubernetes.Interface, namespace, name string, claims int) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}
	pod.Spec.TerminationGracePeriodSeconds = new(int64)
	container := corev1.Container{Name: "pause", Image: "docker.io/gameday/pause:v1"}
	for i := range claims {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", name, i)}}
		claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
		if _, err := client.CoreV1().PersistentVolumeClaims(namespace).Create(ctx, claim, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		source := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}}
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: claim.Name, VolumeSource: source})
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: claim.Name, MountPath: "/" + claim.Name})
	}
	pod.Spec.Containers = []corev1.Container{container}
	if _, err := client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// volumeDirs are the directories of all volumes on all nodes.
func volumeDirs(t *testing.T, c *cluster.Cluster) []string {
	t.Helper()
	nodes, err := c.AllNodes()
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, n := range nodes {
		found, err := filepath.Glob(filepath.Join(n.VolumeDir(), "*"))
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, found...)
	}
	return dirs
}
