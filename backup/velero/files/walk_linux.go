package files

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// walker walks a tree in the order of comparePaths. It works with names relative
// to open directories, so that neither the length of a path nor a rename above
// bounds it, and follows no symbolic link. Its memory does not grow with the
// tree: of a directory too large it keeps the next names only, and reads it again
// for those after; descriptors and names of directories far above are let go and
// got again.
type walker struct {
	limits limits
	emit   func(*job) error

	frames []frame
	path   []byte // of the top frame
	held   int    // names in all frames
	buffer []byte
}

// limits are smaller in tests.
type limits struct {
	names   int // of one directory at once
	held    int // of all directories
	open    int // directories
	workers int // files hashed at once
	queue   int // entries ahead of the one being printed
}

func usualLimits(workers int) limits {
	return limits{names: 100_000, held: 200_000, open: 64, workers: workers, queue: 64}
}

// frame is a directory on the way from the root to where the walk is.
type frame struct {
	name     string
	length   int // of the walker's path, with this directory in it
	handle   *handle
	identity identity
	ctime    int64 // as last told
	// names are the next ones, in their order; complete says that none come after.
	names    []string
	complete bool
	last     string // every name up to this one is done
}

type identity struct {
	major, minor uint32
	inode        uint64
}

func identityOf(stat *unix.Statx_t) identity {
	return identity{major: stat.Dev_major, minor: stat.Dev_minor, inode: stat.Ino}
}

// handle is an open directory. The walk and those who hash files in it share it.
type handle struct {
	fd   int
	refs atomic.Int32
}

func newHandle(fd int) *handle {
	h := &handle{fd: fd}
	h.refs.Store(1)
	return h
}

func (h *handle) retain() *handle {
	h.refs.Add(1)
	return h
}

func (h *handle) release() {
	if h.refs.Add(-1) == 0 {
		_ = unix.Close(h.fd) // it was only read
	}
}

// walk prints everything below the directory, or everything after a path. It
// takes the directory over.
func (w *walker) walk(ctx context.Context, fd int, after string) error {
	defer w.close()
	w.buffer = make([]byte, 256<<10)
	top := newHandle(fd)
	stat, err := look(fd, "")
	if err != nil {
		top.release()
		return fmt.Errorf("looking at the volume: %w", err)
	}
	if err := w.enter("", top, &stat, after != ""); err != nil {
		return err
	}
	if err := w.resume(after); err != nil {
		return err
	}
	for len(w.frames) > 0 {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		name, ok, err := w.next()
		if err != nil {
			return err
		}
		if !ok {
			w.leave()
			continue
		}
		if err := w.visit(name); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) close() {
	for len(w.frames) > 0 {
		w.leave()
	}
}

// resume puts the walk behind a path that was printed before. Its directories are
// told again: they may have changed.
func (w *walker) resume(after string) error {
	if after == "" || after == root {
		return nil
	}
	for rest := after; ; {
		name, below, more := cut(rest)
		w.skip(name)
		if len(w.frames) == 0 {
			return nil
		}
		f := w.top()
		stat, err := look(f.handle.fd, name)
		if err == nil && typeOf(&stat) != Directory && !more {
			return nil
		}
		var fd int
		if err == nil {
			fd, err = openDirectory(f.handle.fd, name)
		}
		if err != nil {
			// What was printed of it stays; that the rest is not known must be said.
			if !more && errors.Is(err, unix.ENOENT) {
				return nil
			}
			return w.emit(&job{again: true, entry: entry{Path: w.join(name), attributes: attributes{Type: Directory, Error: reason(err)}}})
		}
		depth := len(w.frames)
		if err := w.enter(name, newHandle(fd), &stat, true); err != nil {
			return err
		}
		if !more || len(w.frames) == depth { // it could not be read, and that was told
			return nil
		}
		rest = below
	}
}

func cut(path string) (name, below string, more bool) {
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// skip takes all names up to this one as done.
func (w *walker) skip(name string) {
	if len(w.frames) == 0 {
		return
	}
	f := w.top()
	done, _ := slices.BinarySearch(f.names, name)
	if done < len(f.names) && f.names[done] == name {
		done++
	}
	w.held -= done
	f.names = f.names[done:]
	f.last = name
}

func (w *walker) top() *frame { return &w.frames[len(w.frames)-1] }

// join is the path of a name in the top directory.
func (w *walker) join(name string) string {
	switch {
	case len(w.path) == 0 && name == "":
		return root
	case len(w.path) == 0:
		return name
	case name == "":
		return string(w.path)
	default:
		return string(w.path) + "/" + name
	}
}

// enter goes into a directory and tells of it: after its names were read, so that
// a file removed before that shows in the directory's ctime.
func (w *walker) enter(name string, directory *handle, stat *unix.Statx_t, again bool) error {
	path := w.join(name)
	w.path = append(w.path[:0], path...)
	if path == root {
		w.path = w.path[:0]
	}
	w.frames = append(w.frames, frame{
		name: name, length: len(w.path), handle: directory,
		identity: identityOf(stat),
	})
	f := w.top()
	err := w.read(f)
	if now, failed := look(directory.fd, ""); failed == nil {
		stat = &now
	}
	f.ctime = nanoseconds(stat.Ctime)
	told := &job{again: again, entry: entry{Path: path, attributes: attributesOf(stat)}}
	told.entry.Attributes = countAttributes(directory.fd)
	if _, tagged := slices.BinarySearch(f.names, cacheTag); tagged && err == nil {
		told.entry.Cache = isCacheTag(directory.fd)
	}
	if err != nil {
		told.entry.Error = reason(err)
		w.leave()
	}
	if err := w.emit(told); err != nil {
		return err
	}
	w.letGo()
	return nil
}

// leave goes back to the directory above.
func (w *walker) leave() {
	f := w.top()
	if f.handle != nil {
		f.handle.release()
	}
	w.held -= len(f.names)
	w.frames = w.frames[:len(w.frames)-1]
	if len(w.frames) == 0 {
		return
	}
	w.path = w.path[:w.top().length]
}

// letGo keeps descriptors and names within their limits. The root stays open.
func (w *walker) letGo() {
	open := 0
	for i := len(w.frames) - 1; i >= 1; i-- {
		f := &w.frames[i]
		if f.handle == nil {
			break // so are those above
		}
		if open++; open > w.limits.open {
			f.handle.release()
			f.handle = nil
		}
	}
	for i := 0; i < len(w.frames)-1 && w.held > w.limits.held; i++ {
		f := &w.frames[i]
		w.held -= len(f.names)
		if len(f.names) > 0 {
			f.names, f.complete = nil, false
		}
	}
}

// next is the next name of the top directory.
func (w *walker) next() (name string, ok bool, err error) {
	f := w.top()
	if len(f.names) == 0 && !f.complete {
		if err := w.readOn(); err != nil || len(w.frames) == 0 {
			return "", false, err
		}
		f = w.top()
	}
	if len(f.names) == 0 {
		return "", false, nil
	}
	name = f.names[0]
	f.names, f.last = f.names[1:], name
	w.held--
	return name, true, nil
}

// readOn reads the top directory again for the names that come next.
func (w *walker) readOn() error {
	f := w.top()
	err := w.reopen()
	var stat unix.Statx_t
	if err == nil {
		err = w.read(f)
	}
	if err == nil {
		stat, err = look(f.handle.fd, "")
	}
	if err != nil {
		f.names, f.complete = nil, true
		return w.emit(&job{again: true, entry: entry{Path: w.join(""), attributes: attributes{Type: Directory, Error: reason(err)}}})
	}
	if ctime := nanoseconds(stat.Ctime); ctime != f.ctime {
		f.ctime = ctime
		return w.emit(&job{again: true, entry: entry{Path: w.join(""), attributes: attributesOf(&stat)}})
	}
	return nil
}

// reopen opens the top directory again, from the nearest one above that is open,
// and makes sure that it is the same.
func (w *walker) reopen() error {
	open := len(w.frames) - 1
	for w.frames[open].handle == nil {
		open--
	}
	for ; open < len(w.frames)-1; open++ {
		below := &w.frames[open+1]
		fd, err := openDirectory(w.frames[open].handle.fd, below.name)
		if err != nil {
			return err
		}
		stat, err := look(fd, "")
		if err == nil && identityOf(&stat) != below.identity {
			err = errors.New("another directory has its name by now")
		}
		if err != nil {
			_ = unix.Close(fd)
			return err
		}
		below.handle = newHandle(fd)
	}
	w.letGo()
	return nil
}

// read reads the names after the last one, no more than fit.
func (w *walker) read(f *frame) error {
	if _, err := unix.Seek(f.handle.fd, 0, unix.SEEK_SET); err != nil {
		return fmt.Errorf("reading directory: %w", err)
	}
	var kept, batch []string
	bound := ""
	complete := true
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(f.handle.fd, w.buffer) })
		if err != nil {
			return fmt.Errorf("reading directory: %w", err)
		}
		if n <= 0 {
			break
		}
		_, _, batch = unix.ParseDirent(w.buffer[:n], -1, batch[:0])
		for _, name := range batch {
			if name > f.last && (bound == "" || name < bound) {
				kept = append(kept, name)
			}
		}
		if len(kept) > 2*w.limits.names {
			slices.Sort(kept)
			kept = slices.Compact(kept)
			if len(kept) > w.limits.names {
				kept, complete = kept[:w.limits.names], false
				bound = kept[len(kept)-1]
			}
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept) // a directory that changes may name one twice
	if len(kept) > w.limits.names {
		kept, complete = kept[:w.limits.names], false
	}
	w.held += len(kept) - len(f.names)
	f.names, f.complete = kept, complete
	return nil
}

// visit tells of a name in the top directory, and enters it if it is one.
func (w *walker) visit(name string) error {
	f := w.top()
	if f.length+1+len(name) > longestPath {
		f.names, f.complete = nil, true
		return w.emit(&job{again: true, entry: entry{Path: w.join(""), attributes: attributes{Type: Directory,
			Error: fmt.Sprintf("what is in it has paths longer than %d bytes", longestPath)}}})
	}
	if f.handle == nil {
		if err := w.reopen(); err != nil {
			f.names, f.complete = nil, true
			return w.emit(&job{again: true, entry: entry{Path: w.join(""), attributes: attributes{Type: Directory, Error: reason(err)}}})
		}
	}
	stat, err := look(f.handle.fd, name)
	if err != nil {
		return w.emit(&job{entry: failed(w.join(name), attributes{Type: Unknown}, err)})
	}
	told := entry{Path: w.join(name), attributes: attributesOf(&stat)}
	switch told.Type {
	case Directory:
		fd, err := openDirectory(f.handle.fd, name)
		if err != nil {
			return w.emit(&job{entry: failed(told.Path, told.attributes, err)})
		}
		return w.enter(name, newHandle(fd), &stat, false)
	case File:
		return w.emit(&job{entry: told, name: name, in: f.handle.retain(), done: make(chan struct{})})
	case Symlink:
		target, err := readLink(f.handle.fd, name)
		if err != nil {
			return w.emit(&job{entry: failed(told.Path, told.attributes, err)})
		}
		told.Target = target
	}
	return w.emit(&job{entry: told})
}

// failed is an entry that could not be read, or is not there any more.
func failed(path string, known attributes, err error) entry {
	if errors.Is(err, unix.ENOENT) {
		return entry{Path: path, attributes: attributes{Type: Unknown, Gone: true}}
	}
	known.Error = reason(err)
	return entry{Path: path, attributes: known}
}

// reason is what the kernel said, without paths of the reader's own world.
func reason(err error) string {
	var number unix.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return err.Error()
}
