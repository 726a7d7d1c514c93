package scratch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"gameday.dev/gameday/internal/child"
)

// blame says how a child came to its end that did not say so itself, and whether
// this machine is to blame. What can't be told is not held against the snapshot.
func blame(ended error, stderr string) (machine bool, err error) {
	words := lastWords(stderr)
	var exit *child.Exit
	switch {
	case ended == nil:
		return true, errNoAnswer
	case !errors.As(ended, &exit):
		return true, ended
	case exit.Signal != 0:
		return !crash(exit.Signal), ended
	case words == "":
		return true, fmt.Errorf("%w and did not say why", ended)
	default:
		return machineWords(words), errors.New(words)
	}
}

// crash says that a process brings this signal upon itself.
func crash(signal syscall.Signal) bool {
	switch signal {
	case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGABRT, syscall.SIGFPE, syscall.SIGILL:
		return true
	}
	return false
}

// machineError says that an orderly error is of this machine's making: whatever
// the kernel has refused. What etcd's libraries have to say of a file has no number.
func machineError(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) || machineWords(err.Error())
}

// machineWords does the same for what was only logged, or said in a panic.
func machineWords(words string) bool {
	refusals := []string{
		syscall.ENOSPC.Error(), syscall.EDQUOT.Error(), syscall.EFBIG.Error(), syscall.EROFS.Error(), syscall.EIO.Error(),
		syscall.ENOMEM.Error(), syscall.EMFILE.Error(), syscall.ENFILE.Error(), syscall.EACCES.Error(), syscall.EPERM.Error(),
		syscall.EADDRINUSE.Error(), syscall.EADDRNOTAVAIL.Error(),
		"out of memory", "new OS thread", "file descriptor limit",
	}
	for _, refusal := range refusals {
		if strings.Contains(words, refusal) {
			return true
		}
	}
	return false
}

// lastWords finds why a process crashed: what etcd logged when it gave up, else
// what Go prints. It is empty when neither is there.
func lastWords(stderr string) string {
	var logged, printed string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		var entry struct{ Level, Msg, Error string }
		switch {
		case strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &entry) == nil:
			if entry.Level == "fatal" || entry.Level == "panic" {
				logged = strings.TrimSuffix(entry.Msg+": "+entry.Error, ": ")
			}
		case printed == "" && (strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") || strings.HasPrefix(line, "unexpected fault address")):
			printed = strings.TrimPrefix(line, "panic: ")
		}
	}
	if logged != "" {
		return discreet(logged)
	}
	return discreet(printed)
}

// discreet takes out of a message what may be bytes of the database: bbolt shows
// keys in hex, and what it takes for a key in a damaged page can be a Secret.
func discreet(words string) string {
	const longest, most = 16, 300 // an address has 12 digits
	var kept strings.Builder
	for words != "" {
		digits := len(words) - len(strings.TrimLeft(words, "0123456789abcdefABCDEF"))
		switch {
		case digits > longest:
			kept.WriteString("...")
		case digits > 0:
			kept.WriteString(words[:digits])
		default:
			digits = 1
			kept.WriteString(words[:1])
		}
		words = words[digits:]
	}
	if kept.Len() > most {
		return strings.ToValidUTF8(kept.String()[:most], "") + "..."
	}
	return kept.String()
}
