package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
)

// widgets are custom resources of the suite: JSON in etcd, where built-in
// types are protobuf.
var widgets = schema.GroupVersionResource{Group: "e2e.gameday.dev", Version: "v1", Resource: "widgets"}

// widget makes one that says what it is told to.
func (s *scene) widget(name, says string) {
	s.Helper()
	_, err := s.widgets().Create(s.ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": widgets.GroupVersion().String(), "kind": "Widget",
		"metadata": map[string]any{"name": name}, "spec": map[string]any{"says": says},
	}}, metav1.CreateOptions{})
	s.must(err)
}

// widgets are those of the scene's namespace. Their definition is made by
// whoever wants it first, and stays with the cluster.
func (s *scene) widgets() dynamic.ResourceInterface {
	s.Helper()
	client, err := dynamic.NewForConfig(s.config)
	s.must(err)
	definition := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": widgets.Resource + "." + widgets.Group},
		"spec": map[string]any{
			"group": widgets.Group, "scope": "Namespaced",
			"names": map[string]any{"plural": widgets.Resource, "singular": "widget", "kind": "Widget"},
			"versions": []any{map[string]any{
				"name": widgets.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}}
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if _, err := definitions.Create(s.ctx, definition, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		s.Fatal(err)
	}
	ours := client.Resource(widgets).Namespace(s.ns)
	s.eventually("widgets are served", func() (bool, string) {
		_, err := ours.List(s.ctx, metav1.ListOptions{})
		return err == nil, fmt.Sprint(err)
	})
	return ours
}

// configMap and secret have one entry each, named value.
func (s *scene) configMap(name, value string) {
	s.Helper()
	_, err := s.client.CoreV1().ConfigMaps(s.ns).Create(s.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"value": value}}, metav1.CreateOptions{})
	s.must(err)
}

func (s *scene) secret(name, value string) {
	s.Helper()
	_, err := s.client.CoreV1().Secrets(s.ns).Create(s.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{"value": []byte(value)}}, metav1.CreateOptions{})
	s.must(err)
}

// churn creates, changes and deletes objects of three kinds of storage until
// the returned function is called, which says how many changes there were.
func (s *scene) churn() (stop func() int) {
	s.Helper()
	widgets := s.widgets()
	return s.inRounds("the writer", func(ctx context.Context, i int) (int, error) { return s.change(ctx, widgets, i) })
}

// inRounds goes on in the background, round after round, until the returned
// function is called, which says how many changes there were.
func (s *scene) inRounds(who string, round func(ctx context.Context, i int) (changes int, err error)) (stop func() int) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	changes := 0
	var failed error
	var busy sync.WaitGroup
	busy.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			done, err := round(ctx, i)
			changes += done
			if err != nil && ctx.Err() == nil {
				failed = fmt.Errorf("round %d: %w", i, err)
				return
			}
		}
	})
	stop = sync.OnceValue(func() int {
		cancel()
		busy.Wait()
		if failed != nil {
			s.Errorf("%s has failed: %v", who, failed)
		}
		return changes
	})
	s.Cleanup(func() { stop() })
	return stop
}

// change is round i of the writer: it makes three objects, changes those of
// the round before, and deletes those of ten rounds ago.
func (s *scene) change(ctx context.Context, widgets dynamic.ResourceInterface, i int) (changes int, err error) {
	maps, secrets := s.client.CoreV1().ConfigMaps(s.ns), s.client.CoreV1().Secrets(s.ns)
	name := func(i int) string { return fmt.Sprintf("churn-%d", i) }
	meta := metav1.ObjectMeta{Name: name(i)}
	did := func(next error) {
		if err == nil {
			err = next
		}
		changes++
	}
	did(retry.RetryOnConflict(retry.DefaultBackoff, func() error { // of a quota, which others count in too
		_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"round": name(i)}}, metav1.CreateOptions{})
		return err
	}))
	_, next := secrets.Create(ctx, &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"round": name(i)}}, metav1.CreateOptions{})
	did(next)
	widget := func(i int) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "e2e.gameday.dev/v1", "kind": "Widget",
			"metadata": map[string]any{"name": name(i)}, "spec": map[string]any{"says": rand.String(20)},
		}}
	}
	_, next = widgets.Create(ctx, widget(i), metav1.CreateOptions{})
	did(next)
	if i >= 1 {
		meta.Name = name(i - 1)
		_, next = maps.Update(ctx, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"round": rand.String(20)}}, metav1.UpdateOptions{})
		did(next)
		_, next = secrets.Update(ctx, &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"round": rand.String(20)}}, metav1.UpdateOptions{})
		did(next)
	}
	if i >= 10 {
		did(maps.Delete(ctx, name(i-10), metav1.DeleteOptions{}))
		did(secrets.Delete(ctx, name(i-10), metav1.DeleteOptions{}))
		did(widgets.Delete(ctx, name(i-10), metav1.DeleteOptions{}))
	}
	return changes, err
}

// keepsToItself wants none of the values in anything that the run has said or
// written, neither plain nor in base64, wherever in a longer text that begins.
func (r *result) keepsToItself(values ...string) *result {
	r.Helper()
	places := map[string]string{"standard output": r.stdout, "standard error": r.stderr}
	r.must(filepath.WalkDir(r.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		places[path] = string(data)
		return err
	}))
	if len(places) < 4 {
		r.Errorf("the run directory %s has hardly anything in it", r.dir)
	}
	for _, value := range values {
		for _, form := range forms(value) {
			for place, text := range places {
				if strings.Contains(text, form) {
					r.Errorf("a value of a Secret is in %s", place)
				}
			}
		}
	}
	return r
}

// forms are a value and the three ways it can look in base64.
func forms(value string) []string {
	all := []string{value}
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("-", before) + value))
		// The first and the last characters also hold bits of what is beside the value.
		all = append(all, text[(before*8+5)/6:len(text)-2])
	}
	return all
}
