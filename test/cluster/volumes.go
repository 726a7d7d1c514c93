package cluster

import (
	"context"

	"gameday.dev/gameday/test/cluster/internal/volumes"
)

// userProvisioner may do with volumes what it must.
const userProvisioner = "gameday:provisioner"

func (c *Cluster) volumes() volumes.Directories { return volumes.Directories{Nodes: c.path("nodes")} }

// VolumeDir is the directory on the machine with the data of a PersistentVolume
// that the cluster's default storage class made.
func (c *Cluster) VolumeDir(volume string) (string, error) { return c.volumes().Find(volume) }

func (c *Cluster) provisionerCommand() []string {
	return []string{c.Programs[provisioner], c.kubeconfigOf(provisioner), c.volumes().Nodes, c.Slot.loopback(portProvisioner)}
}

// startVolumes makes volumes to be had by whoever claims one.
func (c *Cluster) startVolumes(ctx context.Context) error {
	manifest, err := render("manifests/volumes.yaml", map[string]any{"Provisioner": volumes.Provisioner, "User": userProvisioner})
	if err != nil {
		return err
	}
	if err := c.Apply(ctx, manifest); err != nil {
		return err
	}
	return c.start(ctx, provisioner)
}
