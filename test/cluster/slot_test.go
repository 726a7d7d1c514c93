package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestClaimsAreNeverShared(t *testing.T) {
	registry, homes := filepath.Join(t.TempDir(), "slots"), t.TempDir()
	var mu sync.Mutex
	var wg sync.WaitGroup
	taken := map[Slot]string{}
	for i := range slots {
		owner := filepath.Join(homes, fmt.Sprint(i))
		if err := os.Mkdir(owner, 0o755); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			s, err := claimSlot(registry, owner, func(Slot) error { return nil })
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if other, ok := taken[s]; ok {
				t.Errorf("slot %d was given to %s and to %s", s, other, owner)
			}
			taken[s] = owner
		})
	}
	wg.Wait()
	if _, err := claimSlot(registry, homes, func(Slot) error { return nil }); err == nil {
		t.Errorf("a cluster more than there are slots got one")
	}
	if err := releaseSlots(registry, taken[3]); err != nil {
		t.Fatal(err)
	}
	if s, err := claimSlot(registry, homes, func(Slot) error { return nil }); err != nil || s != 3 {
		t.Errorf("after slot 3 was released: got slot %d, %v", s, err)
	}
}

func TestClaimPassesOverWhatIsInUse(t *testing.T) {
	registry, owner := filepath.Join(t.TempDir(), "slots"), t.TempDir()
	s, err := claimSlot(registry, owner, func(s Slot) error {
		if s < 2 {
			return errors.New("in use")
		}
		return nil
	})
	if err != nil || s != 2 {
		t.Fatalf("got slot %d, %v; want 2", s, err)
	}
	if mine := claimedSlots(registry, owner); len(mine) != 1 || mine[0] != 2 {
		t.Errorf("slots claimed: %v, want only 2", mine)
	}
}

func TestClaimTakesWhatWasAbandoned(t *testing.T) {
	registry := filepath.Join(t.TempDir(), "slots")
	killed := filepath.Join(t.TempDir(), "killed")
	if err := os.Mkdir(killed, 0o755); err != nil {
		t.Fatal(err)
	}
	free := func(Slot) error { return nil }
	if _, err := claimSlot(registry, killed, free); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(killed); err != nil {
		t.Fatal(err)
	}
	if s, err := claimSlot(registry, t.TempDir(), free); err != nil || s != 0 {
		t.Errorf("got slot %d, %v; want 0, whose owner's directory is gone", s, err)
	}
}

func TestSlotsDoNotOverlap(t *testing.T) {
	seen := map[string]Slot{}
	for s := Slot(0); s < slots; s++ {
		values := []string{s.bridge(), s.bridgeAddress(), s.podSubnet(), s.serviceSubnet(), s.nodeLink(1), s.nodeAddress(1), s.nodePodSubnet(1)}
		for which := range slotPorts {
			values = append(values, s.loopback(which))
		}
		for _, value := range values {
			if other, ok := seen[value]; ok {
				t.Errorf("slots %d and %d both have %s", s, other, value)
			}
			seen[value] = s
		}
		if link := s.nodeLink(maxNodes); len(link) > 15 {
			t.Errorf("link name %s is longer than the kernel allows", link)
		}
		if port := s.port(slotPorts); port > 32767 {
			t.Errorf("port %d is among those given to clients", port)
		}
	}
}
