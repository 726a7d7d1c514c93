package files

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// root is the path of the volume itself.
const root = "."

// comparePaths orders paths as a walk meets them: component by component, each by
// its bytes. No name has a slash in it, so that it can stand for the lowest byte.
func comparePaths(a, b string) int {
	if a == root || b == root {
		return cmp.Compare(btoi(a != root), btoi(b != root))
	}
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parent is the path of the directory that a path is in; that of the root is the root.
func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return root
}

// within says whether path is the directory or below it.
func within(path, directory string) bool {
	return directory == root || path == directory || len(path) > len(directory) && path[len(directory)] == '/' && path[:len(directory)] == directory
}

// longestShown bounds what one path takes of a journal.
const longestShown = 500

// show makes a path of any bytes safe to read: on a terminal, in JSON. What is
// quoted begins with a quotation mark, which no plain one does.
func show(path string) string {
	if len(path) > longestShown {
		path = "…" + path[len(path)-longestShown:]
	}
	if !utf8.ValidString(path) || strings.HasPrefix(path, `"`) || strings.IndexFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) >= 0 {
		return strconv.Quote(path)
	}
	return path
}
