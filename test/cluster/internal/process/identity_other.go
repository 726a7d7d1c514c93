//go:build unix && !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
)

// startOf is what tells a process from a later one with the same id: the
// time it started. A zombie counts as gone.
func startOf(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, start, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || state == "" || strings.HasPrefix(state, "Z") {
		return "", errGone
	}
	return strings.TrimSpace(start), nil
}
