package run

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/scenarios"
)

// LabelRun marks everything that a run creates with the run's id.
const LabelRun = "gameday.dev/run"

// labelLedger tells the record of a run from other objects that carry LabelRun.
const labelLedger = "gameday.dev/ledger"

const headerKey = "run.json"

// ledger is the part of the record that is kept in the cluster: what must be
// undone, written before it is done, so that any machine can undo it after the
// runner has died. It is a ConfigMap, deleted once everything is undone.
type ledger struct {
	client    kubernetes.Interface
	namespace string
	id        string
}

// header says whose ledger it is.
type header struct {
	ID       string    `json:"id"`
	Scenario string    `json:"scenario"`
	Host     string    `json:"host"`
	Started  time.Time `json:"started"`
}

// entry is one step that may have to be undone.
type entry struct {
	Order int              `json:"order"`
	Step  scenarios.Step   `json:"step"`
	Plan  experiments.Plan `json:"plan"`
}

func (e entry) key() string { return fmt.Sprintf("step-%03d-%s.json", e.Order, e.Step.Name) }

func (l *ledger) name() string { return "gameday-" + l.id }

// open creates the ledger, without entries.
func (l *ledger) open(ctx context.Context, h header) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encoding ledger: %w", err)
	}
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: l.name(), Namespace: l.namespace,
			Labels: map[string]string{LabelRun: l.id, labelLedger: "true"},
		},
		Data: map[string]string{headerKey: string(data)},
	}
	if _, err := l.client.CoreV1().ConfigMaps(l.namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating ledger %s/%s: %w", l.namespace, l.name(), err)
	}
	return nil
}

// add writes entries; when it returns nil they are in etcd.
func (l *ledger) add(ctx context.Context, entries ...entry) error {
	return l.update(ctx, func(data map[string]string) error {
		for _, e := range entries {
			encoded, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("encoding ledger entry %s: %w", e.Step.Name, err)
			}
			data[e.key()] = string(encoded)
		}
		return nil
	})
}

// remove strikes an entry that has been undone.
func (l *ledger) remove(ctx context.Context, e entry) error {
	return l.update(ctx, func(data map[string]string) error {
		delete(data, e.key())
		return nil
	})
}

func (l *ledger) update(ctx context.Context, change func(map[string]string) error) error {
	configMaps := l.client.CoreV1().ConfigMaps(l.namespace)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := configMaps.Get(ctx, l.name(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := change(object.Data); err != nil {
			return err
		}
		_, err = configMaps.Update(ctx, object, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("updating ledger %s/%s: %w", l.namespace, l.name(), err)
	}
	return nil
}

// close deletes the ledger: nothing is left to undo.
func (l *ledger) close(ctx context.Context) error {
	err := l.client.CoreV1().ConfigMaps(l.namespace).Delete(ctx, l.name(), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting ledger %s/%s: %w", l.namespace, l.name(), err)
	}
	return nil
}

// unfinished is a ledger found in the cluster, entries in the order of injection.
type unfinished struct {
	header  header
	entries []entry
}

// findUnfinished reads all ledgers of a namespace, oldest first.
func findUnfinished(ctx context.Context, client kubernetes.Interface, namespace string) ([]unfinished, error) {
	list, err := client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: labelLedger + "=true"})
	if err != nil {
		return nil, fmt.Errorf("listing ledgers in namespace %s: %w", namespace, err)
	}
	var found []unfinished
	for _, object := range list.Items {
		one, err := readLedger(object)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b unfinished) int { return a.header.Started.Compare(b.header.Started) })
	return found, nil
}

func readLedger(object corev1.ConfigMap) (unfinished, error) {
	var one unfinished
	for key, value := range object.Data {
		var err error
		switch {
		case key == headerKey:
			err = json.Unmarshal([]byte(value), &one.header)
		case strings.HasPrefix(key, "step-"):
			var e entry
			err = json.Unmarshal([]byte(value), &e)
			one.entries = append(one.entries, e)
		}
		if err != nil {
			return one, fmt.Errorf("reading ledger %s/%s, key %s: %w", object.Namespace, object.Name, key, err)
		}
	}
	if one.header.ID == "" {
		one.header.ID = object.Labels[LabelRun]
	}
	slices.SortFunc(one.entries, func(a, b entry) int { return a.Order - b.Order })
	return one, nil
}
