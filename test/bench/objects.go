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
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/test/cluster"
	"gameday.dev/gameday/verify/objects"
)

const (
	// storeOfObjects is how many objects each side of the large comparison has.
	storeOfObjects = 100_000
	// fewObjects is how many the comparison with kubectl diff has: it takes long.
	fewObjects = 1000
)

// The namespaces that are compared.
const (
	originalNamespace = "bench-original"
	restoredNamespace = "bench-restored"
	fewNamespace      = "bench-few"
)

// measureObjects compares 100,000 objects on three sides: a backup's tarball, what
// was restored, and the original, as the rung objects of veleroRestore does it.
func measureObjects(ctx context.Context, b *bench, times int) ([]figure, error) {
	var figures []figure
	err := withCluster(ctx, "objects", func(c *cluster.Cluster) error {
		crowd, err := newObjectCrowd(c)
		if err != nil {
			return err
		}
		for _, namespace := range []string{originalNamespace, restoredNamespace} {
			if err := crowd.fill(ctx, namespace, storeOfObjects); err != nil {
				return err
			}
		}
		tarball := filepath.Join(b.dir, "backup.tar.gz")
		if err := crowd.backUp(ctx, originalNamespace, tarball); err != nil {
			return err
		}
		var seconds, memory, requests []float64
		var notes []string
		for i := range times {
			found, err := b.compareOnce(ctx, comparing{Kubeconfig: c.Kubeconfig(), Tarball: tarball, Dir: b.dir, Original: originalNamespace, Restored: restoredNamespace})
			if err != nil {
				return err
			}
			if found.Equal < storeOfObjects || found.Losses > 0 { // the namespace has something of its own too
				return fmt.Errorf("the comparison has found something else than it was given: %+v", found)
			}
			note := fmt.Sprintf("%d objects on three sides, %.1fs CPU of the comparison itself, %d API requests", found.Equal, found.CPU, found.Requests)
			progress("objects %d of %d: %.1fs, %s", i+1, times, found.Seconds, note)
			seconds, memory, requests = append(seconds, found.Seconds), append(memory, float64(found.Peak)/1e6), append(requests, float64(found.Requests))
			notes = append(notes, note)
		}
		pages := 2 * float64(storeOfObjects) / 500
		figures = []figure{
			median("comparing 100,000 objects: tarball, restored, live", "s", 60, seconds, notes...),
			median("the same, peak RSS of the process", "MB", 300, memory),
			// A page of each side, the last ones of each resource not full, and discovery.
			median("the same, API requests for each page of 500 objects", "", 1.2, scaled(requests, 1/pages)),
		}
		return nil
	})
	return figures, err
}

func scaled(samples []float64, by float64) []float64 {
	all := make([]float64, len(samples))
	for i, sample := range samples {
		all[i] = sample * by
	}
	return all
}

// measureObjectsDiff holds the comparison of 1,000 objects against kubectl diff of
// the same manifests: whole processes, one after the other.
func measureObjectsDiff(ctx context.Context, b *bench, times int) (figures []figure, err error) {
	err = withCluster(ctx, "objects", func(c *cluster.Cluster) error {
		ratio, err := againstDiff(ctx, b, c, times)
		figures = []figure{ratio}
		return err
	})
	return figures, err
}

func againstDiff(ctx context.Context, b *bench, c *cluster.Cluster, times int) (figure, error) {
	crowd, err := newObjectCrowd(c)
	if err != nil {
		return figure{}, err
	}
	if err := crowd.fill(ctx, fewNamespace, fewObjects); err != nil {
		return figure{}, err
	}
	manifests := filepath.Join(b.dir, "manifests.yaml")
	if err := os.WriteFile(manifests, crowd.manifests(fewNamespace, fewObjects), 0o600); err != nil {
		return figure{}, err
	}
	kubectl, err := c.Program(ctx, "kubectl")
	if err != nil {
		return figure{}, err
	}
	var ratios []float64
	var notes []string
	for range times {
		found, err := b.compareOnce(ctx, comparing{Kubeconfig: c.Kubeconfig(), Manifests: manifests, Restored: fewNamespace})
		if err != nil {
			return figure{}, err
		}
		if found.Equal < fewObjects || found.Losses > 0 {
			return figure{}, fmt.Errorf("the comparison has found something else than it was given: %+v", found)
		}
		command := exec.CommandContext(ctx, kubectl, "diff", "--kubeconfig", c.Kubeconfig(), "-f", manifests)
		began := time.Now()
		if output, err := command.CombinedOutput(); err != nil {
			return figure{}, fmt.Errorf("kubectl diff: %w\n%s", err, output[:min(len(output), 2000)])
		}
		took := time.Since(began).Seconds()
		note := fmt.Sprintf("kubectl diff %.1fs, the comparison %.2fs with its start", took, found.Whole)
		progress("objects: %s", note)
		ratios, notes = append(ratios, took/found.Whole), append(notes, note)
	}
	ratio := median("time of kubectl diff on 1,000 objects against the comparison's", "", 0, ratios, notes...)
	least := 20.0
	ratio.Target, ratio.AtLeast, ratio.Missed = &least, true, ratio.Value < least
	return ratio, nil
}

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
