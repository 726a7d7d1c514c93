package etcdsnapshots

import (
	"testing"

	"gameday.dev/gameday/verify"
	"gameday.dev/gameday/verify/backups/internal/lookstest"
)

func TestMutations(t *testing.T) { lookstest.Mutate(t, eventLook, recorded) }

func TestHollowLook(t *testing.T) { lookstest.Hollow(t, eventLook, recorded) }

// recorded is the check that a recording is of.
func recorded(name string) verify.Check {
	switch name {
	case "fail-too-few":
		return newCheck(4)
	default:
		return newCheck(1)
	}
}
