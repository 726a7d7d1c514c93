package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/test/cluster"
	"gameday.dev/gameday/verify/objects"
)

// objectCrowd makes many objects that no controller works on.
type objectCrowd struct{ client dynamic.Interface }

func newObjectCrowd(c *cluster.Cluster) (*objectCrowd, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 5000, 5000
	client, err := dynamic.NewForConfig(config)
	return &objectCrowd{client}, err
}

// object is the i-th of a namespace.
func (objectCrowd) object(namespace string, i int) (objects.Resource, *unstructured.Unstructured) {
	r := crowdResources()[i%len(crowdResources())]
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion(r.Version)
	if r.Group != "" {
		o.SetAPIVersion(r.Group + "/" + r.Version)
	}
	o.SetKind(r.Kind)
	o.SetNamespace(namespace)
	o.SetName(fmt.Sprintf("object-%06d", i))
	o.SetLabels(map[string]string{"app": fmt.Sprintf("app-%d", i%97), "tier": "bench"})
	o.SetAnnotations(map[string]string{"bench.gameday.dev/note": fmt.Sprintf("the %d-th object, with a text about as long as people write them", i)})
	rules := []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"configmaps", "secrets"}, "verbs": []any{"get", "list"}}}
	switch r.Kind {
	case "ConfigMap":
		o.Object["data"] = map[string]any{"settings.yaml": fmt.Sprintf("color: red\nsize: %d\nnames:\n- one\n- two\n- three\n", i), "level": "info"}
	case "Secret":
		o.Object["type"] = "Opaque"
		o.Object["data"] = map[string]any{"password": "aHVudGVyMg==", "user": "c2hvcA=="}
	case "Role":
		o.Object["rules"] = rules
	case "RoleBinding":
		o.Object["roleRef"] = map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
		o.Object["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "default", "namespace": namespace}}
	case "NetworkPolicy":
		o.Object["spec"] = map[string]any{
			"podSelector": map[string]any{"matchLabels": map[string]any{"app": fmt.Sprintf("app-%d", i%97)}}, "policyTypes": []any{"Ingress"},
			"ingress": []any{map[string]any{"ports": []any{map[string]any{"port": int64(8080), "protocol": "TCP"}}}},
		}
	}
	return r, o
}

func crowdResources() []objects.Resource {
	config := objects.Resource{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true}
	return []objects.Resource{
		config,
		{Version: "v1", Name: "secrets", Kind: "Secret", Namespaced: true},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "roles", Kind: "Role", Namespaced: true},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "rolebindings", Kind: "RoleBinding", Namespaced: true},
		{Group: "networking.k8s.io", Version: "v1", Name: "networkpolicies", Kind: "NetworkPolicy", Namespaced: true},
	}
}

// fill makes the objects of a namespace.
func (o *objectCrowd) fill(ctx context.Context, namespace string, count int) error {
	began := time.Now()
	space := &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(space)
	if err != nil {
		return err
	}
	namespaces := o.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	if _, err := namespaces.Create(ctx, &unstructured.Unstructured{Object: content}, metav1.CreateOptions{}); err != nil {
		return err
	}
	const together = 64
	group, ctx := errgroup.WithContext(ctx)
	for worker := range together {
		group.Go(func() error {
			for i := worker; i < count; i += together {
				r, object := o.object(namespace, i)
				of := schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name}
				if _, err := o.client.Resource(of).Namespace(namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
					return err
				}
				if i%20_000 == 0 {
					progress("%s: %d of %d objects after %s", namespace, i, count, time.Since(began).Round(time.Second))
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// manifests are the objects as a person would keep them.
func (o *objectCrowd) manifests(namespace string, count int) []byte {
	var all bytes.Buffer
	for i := range count {
		_, object := o.object(namespace, i)
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			panic(err) // a map of texts and numbers
		}
		all.WriteString("---\n")
		all.Write(text)
	}
	return all.Bytes()
}

// backUp writes a tarball of a namespace as Velero does.
func (o *objectCrowd) backUp(ctx context.Context, namespace, file string) error {
	progress("writing a backup of %s", namespace)
	into, err := os.Create(file)
	if err != nil {
		return err
	}
	defer into.Close()
	zipped := gzip.NewWriter(into)
	archive := tar.NewWriter(zipped)
	listed := objects.Listed{Client: o.client, Namespaces: []string{namespace}}
	for _, resource := range crowdResources() {
		for object, err := range listed.Objects(ctx, resource) {
			if err != nil {
				return err
			}
			text, err := json.Marshal(object.Object)
			if err != nil {
				return err
			}
			header := &tar.Header{
				Name: fmt.Sprintf("resources/%s/namespaces/%s/%s.json", resource, namespace, object.GetName()),
				Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg,
			}
			if err := archive.WriteHeader(header); err != nil {
				return err
			}
			if _, err := archive.Write(text); err != nil {
				return err
			}
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}
