package files

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// labelReader tells readers from other pods of a run.
const (
	labelReader = "app.kubernetes.io/component"
	readerValue = "files-reader"
)

func readersOf(runID string) string {
	return experiments.LabelRun + "=" + runID + "," + labelReader + "=" + readerValue
}

// Remove deletes the readers of a run, whoever has made them, and returns when
// none is left. It may be called again, and when there never was one. ctx bounds
// how long it waits; the error names what is left.
func Remove(ctx context.Context, client kubernetes.Interface, namespace, runID string) error {
	pods := client.CoreV1().Pods(namespace)
	readers, err := readersThere(ctx, client, namespace, runID)
	if err != nil || len(readers) == 0 {
		return err
	}
	for _, reader := range readers {
		err := pods.Delete(ctx, reader.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &reader.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("deleting reader %s: %w: finish it with kubectl -n %s delete pod -l %s", reader, err, namespace, readersOf(runID))
		}
	}
	left := namesOf(readers)
	err = kube.Follow(ctx, pods, kube.FollowOptions{LabelSelector: readersOf(runID)},
		func(pod *corev1.Pod) (string, bool) { return pod.Name, true },
		func(view map[types.UID]string) bool {
			left = left[:0]
			for _, name := range view {
				left = append(left, name)
			}
			return len(left) == 0
		})
	if err != nil {
		slices.Sort(left)
		return fmt.Errorf("waiting until readers %s in namespace %s are gone: %w: is their node up? finish it with kubectl -n %s delete pod -l %s",
			strings.Join(left, ", "), namespace, err, namespace, readersOf(runID))
	}
	return nil
}

// Left names the readers of a run that are there.
func Left(ctx context.Context, client kubernetes.Interface, namespace, runID string) ([]string, error) {
	readers, err := readersThere(ctx, client, namespace, runID)
	return namesOf(readers), err
}

func readersThere(ctx context.Context, client kubernetes.Interface, namespace, runID string) ([]kube.PodRef, error) {
	var readers []kube.PodRef
	_, err := kube.Each(ctx, client.CoreV1().Pods(namespace), metav1.ListOptions{LabelSelector: readersOf(runID)}, func(pod *corev1.Pod) error {
		readers = append(readers, kube.RefOf(pod))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for readers in namespace %s: %w", namespace, err)
	}
	return readers, nil
}

func namesOf(readers []kube.PodRef) []string {
	var names []string
	for _, reader := range readers {
		names = append(names, reader.Name)
	}
	return names
}
