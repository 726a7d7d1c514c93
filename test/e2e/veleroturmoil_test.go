package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
)

// turmoil is what goes on in a namespace that is in use: objects come, change and
// go, the application is scaled and loses pods, and files are written, grown,
// renamed and removed in these directories. It goes on until the returned
// function is called, which says how much went on.
func (s *scene) turmoil(directories ...string) (stop func() int) {
	s.Helper()
	widgets := s.widgets()
	tick := time.NewTicker(400 * time.Millisecond)
	s.Cleanup(tick.Stop)
	return s.inRounds("the turmoil", func(ctx context.Context, i int) (int, error) {
		changes, err := s.change(ctx, widgets, i)
		if err == nil {
			err = s.work(ctx, i)
		}
		for _, directory := range directories {
			if err == nil {
				err = scribble(directory, i)
			}
		}
		if err == nil {
			<-tick.C
		}
		return changes, err
	})
}

// work is what the application and its people do in round i.
func (s *scene) work(ctx context.Context, i int) error {
	beat := fmt.Sprintf(`{"data":{"at":%q}}`, time.Now().UTC().Format(time.RFC3339Nano))
	if _, err := s.client.CoreV1().ConfigMaps(s.ns).Patch(ctx, "heartbeat", types.MergePatchType, []byte(beat), metav1.PatchOptions{}); err != nil {
		return err
	}
	switch i % 10 {
	case 3:
		patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, 2+i/10%2)
		_, err := s.client.AppsV1().Deployments(s.ns).Patch(ctx, "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	case 6:
		pods, err := s.client.CoreV1().Pods(s.ns).List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil || len(pods.Items) == 0 {
			return err
		}
		err = s.client.CoreV1().Pods(s.ns).Delete(ctx, pods.Items[0].Name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil // scaled away
		}
		return err
	default:
		return nil
	}
}

// scribble makes a file in a directory, grows that of the round before, renames
// one and removes one.
func scribble(directory string, i int) error {
	name := func(i int) string { return filepath.Join(directory, fmt.Sprintf("churn-%d", i)) }
	if err := os.WriteFile(name(i), []byte(rand.String(1000)), 0o644); err != nil {
		return err
	}
	if i >= 1 {
		file, err := os.OpenFile(name(i-1), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := file.WriteString(rand.String(1000)); err != nil {
			return err
		}
	}
	if i >= 5 {
		if err := os.Rename(name(i-5), name(i-5)+"-moved"); err != nil {
			return err
		}
	}
	if i >= 10 {
		return os.Remove(name(i-10) + "-moved")
	}
	return nil
}

// furnish fills a directory with what file systems have: empty and larger files,
// directories, links, modes, names that are not plain, and a past.
func (s *scene) furnish(directory string) {
	s.Helper()
	long := time.Now().Add(-1000 * time.Hour)
	for name, text := range map[string]string{
		"letter": "dear reader", "empty": "", "large": rand.String(3 << 20), ".hidden": "seen", "with space and ü": "named",
		"deep/deeper/deepest": "down here", "script": "#!/bin/sh\n",
	} {
		path := filepath.Join(directory, name)
		s.must(os.MkdirAll(filepath.Dir(path), 0o750))
		s.must(os.WriteFile(path, []byte(text), 0o640))
		s.must(os.Chtimes(path, long, long))
	}
	s.must(os.Chmod(filepath.Join(directory, "script"), 0o751))
	s.must(os.Chown(filepath.Join(directory, "letter"), 1001, 1002))
	s.must(os.Mkdir(filepath.Join(directory, "nothing-in-it"), 0o700))
	s.must(os.Symlink("letter", filepath.Join(directory, "link")))
	s.must(os.Symlink("/nowhere/at/all", filepath.Join(directory, "dangling")))
}
