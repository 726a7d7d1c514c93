package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/scenarios"
)

// labelLedger tells the record of a run from other objects that carry experiments.LabelRun.
const labelLedger = "gameday.dev/ledger"

const (
	ledgerPrefix = "gameday-"
	headerKey    = "run.json"
)

// ledgerFormat is the format that this build writes. It reads this one and
// older ones; undoing what it only half understands would leave the other half.
const ledgerFormat = 1

// ledger is the part of the record that is kept in the cluster: what must be
// undone, written before it is done, so that any machine can undo it after the
// runner has died. It is a ConfigMap, deleted once everything is undone.
type ledger struct {
	client kubernetes.Interface
	id     string
}

// header says whose ledger it is.
type header struct {
	ID       string    `json:"id"`
	Scenario string    `json:"scenario"`
	Host     string    `json:"host"`
	Started  time.Time `json:"started"`
	// Format and Gameday say who can read the ledger.
	Format  int    `json:"format"`
	Gameday string `json:"gameday"`
}

// entry is one step that may have to be undone.
type entry struct {
	Order int              `json:"order"`
	Step  scenarios.Step   `json:"step"`
	Plan  experiments.Plan `json:"plan"`
}

func (e entry) key() string { return fmt.Sprintf("step-%03d-%s.json", e.Order, e.Step.Name) }

func (l *ledger) name() string { return ledgerPrefix + l.id }

// open creates the ledger, without entries.
func (l *ledger) open(ctx context.Context, h header) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encoding ledger: %w", err)
	}
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: l.name(), Namespace: Namespace,
			Labels: map[string]string{experiments.LabelRun: l.id, labelLedger: "true"},
		},
		Data: map[string]string{headerKey: string(data)},
	}
	if _, err := l.client.CoreV1().ConfigMaps(Namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating ledger %s/%s: %w", Namespace, l.name(), err)
	}
	return nil
}

// add writes entries; when it returns nil they are in etcd. What a plan says to
// people stays out of them: a ConfigMap holds 1 MiB, and a plan names every pod.
func (l *ledger) add(ctx context.Context, entries ...entry) error {
	return l.update(ctx, func(data map[string]string) error {
		for _, e := range entries {
			e.Plan.Notes, e.Plan.Warnings = nil, nil
			encoded, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("encoding ledger entry %s: %w", e.Step.Name, err)
			}
			data[e.key()] = string(encoded)
		}
		return nil
	})
}

// remove strikes an entry that has been undone. A ledger that somebody has
// deleted holds no entry.
func (l *ledger) remove(ctx context.Context, e entry) error {
	err := l.update(ctx, func(data map[string]string) error {
		delete(data, e.key())
		return nil
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func (l *ledger) update(ctx context.Context, change func(map[string]string) error) error {
	configMaps := l.client.CoreV1().ConfigMaps(Namespace)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := configMaps.Get(ctx, l.name(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if object.Data == nil { // somebody has emptied it
			object.Data = map[string]string{}
		}
		if err := change(object.Data); err != nil {
			return err
		}
		_, err = configMaps.Update(ctx, object, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("updating ledger %s/%s: %w", Namespace, l.name(), err)
	}
	return nil
}

// close deletes the ledger: nothing is left to undo.
func (l *ledger) close(ctx context.Context) error {
	err := l.client.CoreV1().ConfigMaps(Namespace).Delete(ctx, l.name(), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting ledger %s/%s: %w", Namespace, l.name(), err)
	}
	return nil
}

// closeSoon closes the ledger, trying again until ctx ends: a ledger that stays
// keeps every later run out.
func (l *ledger) closeSoon(ctx context.Context) error {
	for {
		err := l.close(ctx)
		if err == nil {
			return nil
		}
		if kube.Pause(ctx, undoRetryEvery) != nil {
			return fmt.Errorf("everything is undone but for the record of it in the cluster: %w", err)
		}
	}
}

// unfinished is a ledger found in the cluster, entries in the order of injection.
type unfinished struct {
	header  header
	entries []entry
	// unreadable says what of it this build cannot undo.
	unreadable []string
}

// findUnfinished reads all ledgers of the cluster, oldest first.
func findUnfinished(ctx context.Context, client kubernetes.Interface) ([]unfinished, error) {
	list, err := client.CoreV1().ConfigMaps(Namespace).List(ctx, metav1.ListOptions{LabelSelector: labelLedger + "=true"})
	if err != nil {
		return nil, fmt.Errorf("listing ledgers in namespace %s: %w", Namespace, err)
	}
	var found []unfinished
	for _, object := range list.Items {
		found = append(found, readLedger(object))
	}
	slices.SortFunc(found, func(a, b unfinished) int { return a.header.Started.Compare(b.header.Started) })
	return found, nil
}

// readLedger reads what it can: one ledger, or one entry, that cannot be read
// must not keep the others from being undone.
func readLedger(object corev1.ConfigMap) unfinished {
	one := unfinished{header: header{ID: strings.TrimPrefix(object.Name, ledgerPrefix)}}
	if err := json.Unmarshal([]byte(object.Data[headerKey]), &one.header); err != nil {
		one.cannotRead(object, headerKey, err)
	}
	if named := strings.TrimPrefix(object.Name, ledgerPrefix); one.header.ID != named {
		one.cannotRead(object, headerKey, fmt.Errorf("it says that it is of run %q: somebody has altered it", one.header.ID))
		one.header.ID = named
		return one
	}
	if one.header.Format > ledgerFormat {
		one.cannotRead(object, headerKey, fmt.Errorf("format %d: use gameday %s, which wrote it, or a newer one", one.header.Format, one.header.Gameday))
		return one
	}
	for _, key := range slices.Sorted(maps.Keys(object.Data)) {
		if !strings.HasPrefix(key, "step-") {
			continue
		}
		var e entry
		err := json.Unmarshal([]byte(object.Data[key]), &e)
		if err == nil && e.Step.Experiment() == nil {
			err = errUnknownStep
		}
		if err != nil {
			one.cannotRead(object, key, err)
			continue
		}
		one.entries = append(one.entries, e)
	}
	slices.SortFunc(one.entries, func(a, b entry) int { return a.Order - b.Order })
	return one
}

var errUnknownStep = errors.New("a kind of step that this gameday does not know: use the gameday that ran it, or a newer one")

func (u *unfinished) cannotRead(object corev1.ConfigMap, key string, err error) {
	u.unreadable = append(u.unreadable, fmt.Sprintf("ledger %s/%s, key %s: %v", object.Namespace, object.Name, key, err))
}
