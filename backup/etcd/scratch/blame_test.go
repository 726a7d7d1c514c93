package scratch

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"gameday.dev/gameday/internal/child"
)

func TestBlame(t *testing.T) {
	tests := map[string]struct {
		ended   error
		stderr  string
		machine bool
		want    string
	}{
		"panic of bbolt":    {&child.Exit{Code: 2}, "panic: freepages: page 5: already freed\n\ngoroutine 1 [running]:\n", false, "freepages: page 5: already freed"},
		"panic of etcd":     {&child.Exit{Code: 2}, `{"level":"panic","msg":"cannot recover","error":"EOF"}` + "\npanic: cannot recover\n", false, "cannot recover: EOF"},
		"fatal of etcd":     {&child.Exit{Code: 1}, `{"level":"fatal","msg":"failed to read","error":"unexpected EOF"}`, false, "unexpected EOF"},
		"mapped page gone":  {&child.Exit{Code: 2}, "unexpected fault address 0x7f9ca69d0cf0\nfatal error: fault\n[signal SIGBUS: bus error]", false, "0x7f9ca69d0cf0"},
		"stack overflow":    {&child.Exit{Code: 2}, "runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n", false, "stack overflow"},
		"bus error":         {&child.Exit{Code: -1, Signal: syscall.SIGBUS}, "", false, "signal 7"},
		"killed":            {&child.Exit{Code: -1, Signal: syscall.SIGKILL}, "", true, "signal 9"},
		"terminated":        {&child.Exit{Code: -1, Signal: syscall.SIGTERM}, "", true, "signal 15"},
		"out of memory":     {&child.Exit{Code: 2}, "fatal error: runtime: out of memory: cannot allocate 4194304-byte block", true, "out of memory"},
		"disk full":         {&child.Exit{Code: 2}, `{"level":"panic","msg":"failed to commit","error":"write db: no space left on device"}`, true, "no space left"},
		"disk failed":       {&child.Exit{Code: 2}, "panic: read db: input/output error", true, "input/output error"},
		"too many files":    {&child.Exit{Code: 1}, `{"level":"fatal","msg":"x","error":"open: too many open files"}`, true, "too many open files"},
		"a usage message":   {&child.Exit{Code: 2}, "Error: unknown command", true, "did not say why"},
		"an error only":     {&child.Exit{Code: 1}, `{"level":"error","msg":"slow disk"}`, true, "did not say why"},
		"ended well":        {nil, "", true, "without an answer"},
		"output was unread": {errors.New("broken pipe"), "panic: x", true, "broken pipe"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			machine, err := blame(test.ended, test.stderr)
			if machine != test.machine || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("machine %t: %v", machine, err)
			}
		})
	}
}

func TestMachineError(t *testing.T) {
	if !machineError(fmt.Errorf("writing: %w", syscall.ENOSPC)) || !machineError(syscall.ENOENT) {
		t.Error("what the kernel refuses is held against the snapshot")
	}
	if machineError(errors.New("expected sha256 [1], got [2]")) {
		t.Error("a wrong hash is held against this machine")
	}
}

func TestNoBytesOfTheDatabaseAreTold(t *testing.T) {
	secret := hex.EncodeToString([]byte("k8s password: hunter2 and more of it"))
	_, err := blame(&child.Exit{Code: 2}, "panic: key[1]=(hex)"+secret+" on leaf page(409) needs to be > (found <) than previous element (hex)"+strings.ToUpper(secret))
	if told := err.Error(); strings.Contains(strings.ToLower(told), secret[:20]) || !strings.Contains(told, "page(409)") {
		t.Errorf("told: %s", told)
	}
}
