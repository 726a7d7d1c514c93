package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/test/cluster/internal/process"
)

// VeleroNamespace is where Velero runs.
const VeleroNamespace = "velero"

func (o Options) veleroImage() string { return "docker.io/gameday/velero:v" + o.VeleroVersion }

// veleroImageSpec is Velero with its helpers and the one plugin that it needs,
// which upstream is an image of its own that an init container copies from.
func (c *Cluster) veleroImageSpec() Image {
	files := map[string]string{"plugins/" + veleroAWS: c.Programs[veleroAWS]}
	for _, program := range []string{velero, veleroHelper, veleroRestoreHelper} {
		files[program] = c.Programs[program]
	}
	return Image{Reference: c.veleroImage(), Entrypoint: []string{"/" + velero}, Files: files}
}

// installVelero puts Velero into the API. It is ready when waitVelero returns.
func (c *Cluster) installVelero(ctx context.Context) error {
	crds, err := c.veleroCRDs(ctx)
	if err != nil {
		return err
	}
	manifest, err := render("manifests/velero.yaml", map[string]any{
		"Namespace": VeleroNamespace, "Image": c.veleroImage(),
		"Keys": c.S3Keys, "S3": c.S3URL(), "Region": s3Region, "Bucket": s3Bucket,
	})
	if err != nil {
		return err
	}
	if err := c.Apply(ctx, crds); err != nil {
		return err
	}
	return c.Apply(ctx, manifest)
}

// veleroCRDs asks the program for its resource definitions: nothing else has
// those of its version.
func (c *Cluster) veleroCRDs(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.Programs[velero], "install", "--crds-only", "--dry-run", "--output=json")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := process.RunHelper(cmd); err != nil {
		return nil, fmt.Errorf("asking velero for its resource definitions: %w: %s", err, lastLines(problems.String(), 3))
	}
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		return nil, fmt.Errorf("reading velero's resource definitions: %w", err)
	}
	var documents bytes.Buffer
	for _, item := range list.Items {
		documents.Write(item)
		documents.WriteByte('\n')
	}
	return documents.Bytes(), nil
}

var backupStorageLocations = schema.GroupVersionResource{Group: "velero.io", Version: "v1", Resource: "backupstoragelocations"}

// waitVelero waits until Velero runs, has an agent on every node and has found
// its bucket.
func (c *Cluster) waitVelero(ctx context.Context, client kubernetes.Interface) error {
	if err := waitWorkloads(ctx, client, VeleroNamespace, 4*time.Minute); err != nil {
		return err
	}
	config, err := c.RESTConfig()
	if err != nil {
		return err
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	return until(ctx, 4*time.Minute, 200*time.Millisecond, "velero to be ready", func(ctx context.Context) error {
		agents, err := client.AppsV1().DaemonSets(VeleroNamespace).Get(ctx, "node-agent", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if ready := int(agents.Status.NumberAvailable); ready < c.Nodes {
			return fmt.Errorf("%d of %d nodes have an agent that is available", ready, c.Nodes)
		}
		location, err := objects.Resource(backupStorageLocations).Namespace(VeleroNamespace).Get(ctx, "default", metav1.GetOptions{})
		if err != nil {
			return err
		}
		phase, _, _ := unstructured.NestedString(location.Object, "status", "phase")
		message, _, _ := unstructured.NestedString(location.Object, "status", "message")
		if phase != "Available" {
			return fmt.Errorf("the phase of its backup storage location is %q: %s", phase, message)
		}
		return nil
	})
}
