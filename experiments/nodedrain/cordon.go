package nodedrain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

// cordon is one node's former state: what Undo has to know.
type cordon struct {
	Name        string    `json:"name"`
	UID         types.UID `json:"uid"`
	WasCordoned bool      `json:"wasCordoned"`
}

// apply cordons the node and marks the cordon as ours. A cordon that is there
// already, whoever made it, is neither touched nor marked.
func (c cordon) apply(ctx context.Context, env experiments.Env) error {
	err := c.patch(ctx, env, func(node *corev1.Node) *nodePatch {
		if node.Spec.Unschedulable {
			return nil
		}
		return newPatch(node, new(env.RunID), new(true))
	})
	if err != nil {
		return fmt.Errorf("cordoning node %s: %w", c.Name, err)
	}
	return nil
}

// lift takes our cordon back, and no other. The mark on the node decides, not
// what was planned: a cordon seen then may have been lifted, and made anew by us.
func (c cordon) lift(ctx context.Context, env experiments.Env) (lifted bool, err error) {
	err = c.patch(ctx, env, func(node *corev1.Node) *nodePatch {
		if node.Labels[experiments.LabelRun] != env.RunID {
			return nil
		}
		lifted = node.Spec.Unschedulable
		return newPatch(node, nil, nil)
	})
	if apierrors.IsNotFound(err) || errors.Is(err, errAnotherNode) {
		return false, nil // the node is gone, and its cordon with it
	}
	return lifted && err == nil, err
}

// errAnotherNode means that the name is now another machine's.
var errAnotherNode = errors.New("the node was replaced by another of the same name")

// patch changes the node if change asks for it, guarded against changes in
// between, and goes on through conflicts and restarts of the API server until
// ctx ends.
func (c cordon) patch(ctx context.Context, env experiments.Env, change func(*corev1.Node) *nodePatch) error {
	nodes := env.Client.CoreV1().Nodes()
	asking, stopAsking := kube.Linger(ctx)
	defer stopAsking()
	for {
		node, err := nodes.Get(ctx, c.Name, metav1.GetOptions{})
		if err == nil {
			if node.UID != c.UID {
				return errAnotherNode
			}
			patch := change(node)
			if patch == nil {
				return nil
			}
			var body []byte
			if body, err = json.Marshal(patch); err != nil {
				return fmt.Errorf("encoding patch: %w", err)
			}
			_, err = nodes.Patch(asking, c.Name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: "gameday"})
		}
		if err == nil || (!apierrors.IsConflict(err) && !kube.Unsure(err)) {
			return err
		}
		if kube.Pause(ctx, patience) != nil {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// patience between attempts to patch a node.
const patience = 250 * time.Millisecond

// nodePatch is a merge patch: nil removes the field.
type nodePatch struct {
	Metadata struct {
		UID             types.UID          `json:"uid"`
		ResourceVersion string             `json:"resourceVersion"`
		Labels          map[string]*string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Unschedulable *bool `json:"unschedulable"`
	} `json:"spec"`
}

func newPatch(node *corev1.Node, run *string, unschedulable *bool) *nodePatch {
	var patch nodePatch
	patch.Metadata.UID = node.UID
	patch.Metadata.ResourceVersion = node.ResourceVersion
	patch.Metadata.Labels = map[string]*string{experiments.LabelRun: run}
	patch.Spec.Unschedulable = unschedulable
	return &patch
}

// Undo lifts the cordons that this run made. The pods that moved away stay
// where they are.
func (s *Spec) Undo(ctx context.Context, env experiments.Env, plan experiments.Plan) (string, error) {
	var own data
	if err := plan.GetData(&own); err != nil {
		return "", err
	}
	var lifted []string
	var left []error
	for _, node := range own.Nodes {
		ours, err := node.lift(ctx, env)
		if err != nil {
			left = append(left, fmt.Errorf("node %[1]s may still be cordoned; finish with `kubectl uncordon %[1]s && kubectl label node %[1]s %[2]s-`: %[3]w", node.Name, experiments.LabelRun, err))
		}
		if ours {
			lifted = append(lifted, node.Name)
		}
	}
	if len(lifted) == 0 {
		return "", errors.Join(left...)
	}
	return strings.Join(lifted, ", ") + " uncordoned", errors.Join(left...)
}
