package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// A Slot is a cluster's share of what is unique on a machine: ports, subnets
// and names of links. Clusters side by side differ in their slots.
type Slot int

// slots is how many clusters fit on one machine.
const slots = 25

// slotDir is known to all users of the machine, whatever their home or
// temporary directory: ports are shared by all of them.
const slotDir = "/tmp/gameday-slots"

// Ports of a slot, from its first one. They stay below the ports that the
// kernel gives to clients.
const (
	portAPIServer = iota
	portControllerManager
	portScheduler
	portPrometheus
	portAlertmanager
	portWebhook
	portKwok
	portS3 // at the address of the bridge
	portProvisioner
	portEtcd  = 10 // and two for each member
	slotPorts = 20
)

func (s Slot) port(which int) int { return 21000 + 100*int(s) + which }

func (s Slot) loopback(which int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port(which)))
}

func (s Slot) bridge() string        { return fmt.Sprintf("gd%d", s) }
func (s Slot) bridgeAddress() string { return fmt.Sprintf("172.30.%d.1", s) }

// Addresses of the cluster's inside.
func (s Slot) podSubnet() string         { return fmt.Sprintf("10.%d.0.0/16", 130+s) }
func (s Slot) serviceSubnet() string     { return fmt.Sprintf("10.%d.0.0/16", 100+s) }
func (s Slot) kubernetesService() string { return fmt.Sprintf("10.%d.0.1", 100+s) }
func (s Slot) dnsService() string        { return fmt.Sprintf("10.%d.0.10", 100+s) }

// Addresses of node number n, counted from 1.
func (s Slot) nodeAddress(n int) string   { return fmt.Sprintf("172.30.%d.%d", s, 10+n) }
func (s Slot) nodePodSubnet(n int) string { return fmt.Sprintf("10.%d.%d.0/24", 130+s, n) }
func (s Slot) nodeLink(n int) string      { return fmt.Sprintf("gd%dn%d", s, n) }

// claimSlot takes a free slot for the cluster with that state directory. A
// claim is a symbolic link, made in one step with its owner in it, so that
// two claimants never share one and a killed claimant leaves no doubt.
func claimSlot(registry, owner string, usable func(Slot) error) (Slot, error) {
	// Shared by users like /tmp itself: nobody removes another's claim.
	if err := os.Mkdir(registry, 0o1777); err == nil {
		if err := os.Chmod(registry, 0o1777|os.ModeSticky); err != nil {
			return 0, err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return 0, err
	}
	var reasons error
	for s := Slot(0); s < slots; s++ {
		link := filepath.Join(registry, strconv.Itoa(int(s)))
		if holder, err := os.Readlink(link); err == nil && abandoned(holder) {
			_ = os.Remove(link) // fails when it is another user's: then the slot stays taken
		}
		err := os.Symlink(owner, link)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("claiming a slot: %w", err)
		}
		if err := usable(s); err != nil {
			reasons = errors.Join(reasons, fmt.Errorf("slot %d: %w", s, err))
			_ = os.Remove(link)
			continue
		}
		return s, nil
	}
	return 0, errors.Join(fmt.Errorf("all %d places for clusters are taken: free one with make cluster-down", slots), reasons)
}

// abandoned says that the state directory which held a slot is gone.
func abandoned(owner string) bool {
	_, err := os.Stat(owner)
	return errors.Is(err, fs.ErrNotExist)
}

// releaseSlots gives back every slot of the owner.
func releaseSlots(registry, owner string) error {
	for _, s := range claimedSlots(registry, owner) {
		if err := os.Remove(filepath.Join(registry, strconv.Itoa(int(s)))); err != nil {
			return err
		}
	}
	return nil
}

// claimedSlots are the slots that the owner holds; more than one only after
// it was killed at a bad moment.
func claimedSlots(registry, owner string) []Slot {
	var mine []Slot
	for s := Slot(0); s < slots; s++ {
		if holder, err := os.Readlink(filepath.Join(registry, strconv.Itoa(int(s)))); err == nil && holder == owner {
			mine = append(mine, s)
		}
	}
	return mine
}

// portsFree is an error when something else listens at a port of the slot.
func portsFree(s Slot) error {
	for which := range slotPorts {
		listener, err := net.Listen("tcp", s.loopback(which))
		if err != nil {
			return err
		}
		listener.Close()
	}
	return nil
}
