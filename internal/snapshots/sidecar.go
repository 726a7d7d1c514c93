package snapshots

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SidecarOf is the path of the file that holds the snapshot's sha256, as sha256sum writes it.
func SidecarOf(path string) string { return path + ".sha256" }

// longestSidecar is far more than a line of sha256sum is long.
const longestSidecar = 64 << 10

// ReadSidecar gives the hex sha256 that was stored beside a snapshot; empty when there is none.
// A snapshot that was renamed with its sidecar keeps it: a sidecar of one line
// counts whatever name it holds, one of several must hold this name.
func ReadSidecar(path string) (string, error) {
	file, err := os.Open(SidecarOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading sidecar: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, longestSidecar))
	if err != nil {
		return "", fmt.Errorf("reading sidecar: %w", err)
	}
	sum, err := parseSidecar(text, filepath.Base(path))
	if err != nil {
		return "", fmt.Errorf("reading sidecar %s: %w", SidecarOf(path), err)
	}
	return sum, nil
}

func parseSidecar(text []byte, name string) (string, error) {
	lines := bytes.Split(bytes.TrimRight(text, "\r\n"), []byte("\n"))
	for _, line := range lines {
		sum, of, ok := parseSum(strings.TrimRight(string(line), "\r"))
		if ok && (len(lines) == 1 || of == name) {
			return sum, nil
		}
	}
	return "", errors.New("it does not hold a sha256 of this file, as sha256sum would write it")
}

// parseSum reads one line of sha256sum, or a sum that stands alone.
func parseSum(line string) (sum, name string, ok bool) {
	escaped := strings.HasPrefix(line, `\`)
	if escaped {
		line = line[1:]
	}
	sum, name, _ = strings.Cut(line, " ")
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 {
		return "", "", false
	}
	if strings.HasPrefix(name, " ") || strings.HasPrefix(name, "*") { // read as text, or as binary
		name = name[1:]
	}
	if escaped {
		name = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(name)
	}
	return strings.ToLower(sum), name, true
}

// sidecarLine is what sha256sum prints for a file; it marks a line in whose
// name it had to escape something.
func sidecarLine(name, sum string) string {
	safe := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name)
	if safe != name {
		return `\` + sum + "  " + safe + "\n"
	}
	return sum + "  " + name + "\n"
}

// WriteSidecar stores it: synced, and whole or not at all.
func WriteSidecar(path, sum string) (err error) {
	to := SidecarOf(path)
	writing := to + ".part"
	if err := os.Remove(writing); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing sidecar: %w", err)
	}
	file, err := os.OpenFile(writing, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing sidecar: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing sidecar: %w", err)
			file.Close()
			os.Remove(writing)
		}
	}()
	if _, err := file.WriteString(sidecarLine(filepath.Base(path), sum)); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(writing, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// SyncDir makes the names in a directory survive a power loss; syncing a file
// keeps its content only.
func SyncDir(directory string) error {
	opened, err := os.Open(directory)
	if err != nil {
		return fmt.Errorf("syncing directory: %w", err)
	}
	defer opened.Close()
	if err := opened.Sync(); err != nil {
		return fmt.Errorf("syncing directory: %w", err)
	}
	return nil
}
