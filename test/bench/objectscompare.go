package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/verify/objects"
)

// compareCommand is how the bench calls itself to compare in a process of its own,
// whose time and memory are those of the comparison alone.
const compareCommand = "compare-objects"

// comparing is what that process is asked to do: to compare a tarball with what was
// restored and with the original, or manifests with what is there.
type comparing struct {
	Kubeconfig, Tarball, Dir, Manifests string
	Original, Restored                  string
}

// comparedObjects is what it found.
type comparedObjects struct {
	Equal, Losses int64
	Requests      int64
	// Seconds are of the comparison, CPU is what the process itself spent on it,
	// Whole is the process with its start and end.
	Seconds, CPU, Whole float64
	Peak                int64
}

func (b *bench) compareOnce(ctx context.Context, task comparing) (comparedObjects, error) {
	program, err := os.Executable()
	if err != nil {
		return comparedObjects{}, err
	}
	text, err := json.Marshal(task)
	if err != nil {
		return comparedObjects{}, err
	}
	command := exec.CommandContext(ctx, program, compareCommand, string(text))
	command.Stderr = os.Stderr
	began := time.Now()
	output, err := command.Output()
	whole := time.Since(began)
	if err != nil {
		return comparedObjects{}, fmt.Errorf("comparing: %w", err)
	}
	found := comparedObjects{}
	if err := json.Unmarshal(output, &found); err != nil {
		return found, err
	}
	found.Whole = whole.Seconds()
	return found, nil
}

// runComparison is the process that compares.
func runComparison(ctx context.Context, text string) error {
	var task comparing
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", task.Kubeconfig)
	if err != nil {
		return err
	}
	var requests atomic.Int64
	config.QPS, config.Burst = 100, 200 // gameday's own
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{next, &requests} })
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	began := time.Now()
	comparison, err := task.comparison(ctx, client)
	if err != nil {
		return err
	}
	result, err := comparison.Run(ctx)
	if err != nil {
		return err
	}
	for _, loss := range result.Loss {
		fmt.Fprintln(os.Stderr, loss)
	}
	found := comparedObjects{
		Equal: result.Equal, Losses: result.LossCount, Requests: requests.Load(),
		Seconds: time.Since(began).Seconds(), CPU: processorTime(), Peak: highWater(os.Getpid()),
	}
	if found.Peak == 0 {
		return errors.New("the memory of a process is only known on Linux")
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func (t comparing) comparison(ctx context.Context, client dynamic.Interface) (objects.Comparison, error) {
	restored := objects.Listed{Client: client, Namespaces: []string{t.Restored}, Of: crowdResources()}
	comparison := objects.Comparison{Found: restored, Keep: 10, Rules: []objects.Rule{notOfTheBench()}}
	if t.Manifests != "" {
		wanted, err := readManifests(t.Manifests)
		comparison.Wanted = wanted
		return comparison, err
	}
	file, err := os.Open(t.Tarball)
	if err != nil {
		return comparison, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return comparison, err
	}
	backup, err := contents.Read(ctx, local{unzipped}, t.Dir, t.Original, func(int64) {})
	if err != nil {
		return comparison, err
	}
	comparison.Wanted = backup
	comparison.Live = objects.Listed{Client: client, Namespaces: []string{t.Original}, Of: crowdResources()}
	comparison.Namespaces = map[string]string{t.Original: t.Restored}
	comparison.TakenAt = time.Now()
	comparison.NotBackedUp = func(_ objects.Resource, o *unstructured.Unstructured) string {
		if o.GetLabels()["tier"] != "bench" {
			return "not the bench's"
		}
		return ""
	}
	return comparison, nil
}

// notOfTheBench expects what every namespace has.
func notOfTheBench() objects.Rule {
	return objects.Rule{
		Name: "not the bench's", Kinds: []string{"*"}, What: []string{objects.Extra},
		When: func(c objects.Case) bool { return c.FoundObject != nil && c.FoundObject.GetLabels()["tier"] != "bench" },
	}
}

// local is a file that is at hand: no transfer breaks.
type local struct{ io.Reader }

func (local) Err() error { return nil }

type counted struct {
	next     http.RoundTripper
	requests *atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (c counted) RoundTrip(request *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.next.RoundTrip(request)
}

func readManifests(path string) (objects.Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []*unstructured.Unstructured
	decoder := yamlutil.NewYAMLOrJSONDecoder(file, 1<<16)
	for {
		var object unstructured.Unstructured
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects.NewSet(all...), nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			all = append(all, &object)
		}
	}
}
