package process

import (
	"bytes"
	"fmt"
	"os"
)

// startOf is what tells a process from a later one with the same id: its
// start time in clock ticks. A zombie counts as gone, once its last thread is:
// until then its sockets may still be open.
func startOf(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", errGone
	}
	// The name, in parentheses, may hold anything; what follows it is fields.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return "", errGone
	}
	state, threads := string(fields[0]), string(fields[17])
	if state == "X" || state == "Z" && (threads == "0" || threads == "1") {
		return "", errGone
	}
	return string(fields[19]), nil
}
