package files

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The plugins whose directories differ from the others', by the names that a
// kubelet gives them.
const (
	pluginCSI      = "kubernetes.io~csi"       // the volume is in mount below its directory
	pluginEmptyDir = "kubernetes.io~empty-dir" // a plain directory, unless it is in memory
)

// locate finds a volume by its name among those of a pod: <plugin>/<name>. The
// plugin is looked for and not guessed. The directory must be mounted by now: an
// empty one that is about to be looks like a volume that has lost everything.
func locate(volumes, name, mountTable string) (directory string, err error) {
	plugins, err := os.ReadDir(volumes)
	if err != nil {
		return "", fmt.Errorf("looking for volumes of the pod: %w", err)
	}
	var found, others []string
	for _, plugin := range plugins {
		if !plugin.IsDir() {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(volumes, plugin.Name()))
		if err != nil {
			return "", fmt.Errorf("looking for volumes of plugin %s: %w", plugin.Name(), err)
		}
		for _, entry := range entries {
			at := plugin.Name() + "/" + entry.Name()
			if entry.Name() == name {
				found = append(found, at)
			} else {
				others = append(others, at)
			}
		}
	}
	switch {
	case len(found) == 0:
		return "", fmt.Errorf("volume %s is not mounted on the node: its pod has %s there", name, enumerate(others))
	case len(found) > 1:
		return "", fmt.Errorf("volume %s is there more than once: %s", name, strings.Join(found, ", "))
	}
	plugin := filepath.Dir(found[0])
	directory = found[0]
	if plugin == pluginCSI {
		directory += "/mount"
	}
	path := filepath.Join(volumes, directory)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("volume %s is not mounted on the node: it has no %s yet", name, directory)
	case err != nil:
		return "", fmt.Errorf("looking for volume %s: %w", name, err)
	case !info.IsDir():
		return "", fmt.Errorf("volume %s is no directory on the node but %s: only file systems are compared", name, info.Mode().Type())
	}
	if plugin != pluginEmptyDir {
		mounted, err := isMounted(mountTable, path)
		if err != nil {
			return "", err
		}
		if !mounted {
			return "", fmt.Errorf("volume %s is not mounted on the node: %s is a directory with nothing mounted on it", name, directory)
		}
	}
	return directory, nil
}

func enumerate(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	if len(names) > 20 {
		names = append(names[:20:20], "…")
	}
	return strings.Join(names, ", ")
}

// isMounted looks a directory up in the table of mounts as proc(5) has it. Another
// device number than the parent's would not do: a bind mount often has the same.
func isMounted(mountTable, path string) (bool, error) {
	file, err := os.Open(mountTable)
	if err != nil {
		return false, fmt.Errorf("reading the mounts: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && unescape(fields[4]) == path {
			return true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("reading the mounts: %w", err)
	}
	return false, nil
}

// unescape reads the octal escapes that the table has for blanks and backslashes.
func unescape(field string) string {
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if code, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		b.WriteByte(field[i])
	}
	return b.String()
}
