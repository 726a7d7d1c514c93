package files

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a reader prints is a stream of lines of JSON, each an object with one of:
//
//	begin  first: what is read, and in which version of this format
//	entry  an entry of the tree, the root being "."
//	again  a directory whose entry was printed and that has changed since
//	alive  every few seconds, so that silence means trouble: how far it is
//	end    last: how many entries there were, so that a stream that was cut off is known
//
// Entries come in the order of a walk: a directory before what is in it, and
// siblings by the bytes of their names. So a comes before a/z, and that before
// a.txt. Names are bytes: those that are no UTF-8 are in path64 and target64.
type line struct {
	Begin *begin
	Entry *entry
	Again *entry
	Alive *Counts
	End   *Counts
}

// formatVersion changes with every change of the format: reader and runner are
// then of different builds, and one would not understand the other.
const formatVersion = 1

// begin says what is read.
type begin struct {
	Version int `json:"version"`
	// Directory is the volume's below the pod's: kubernetes.io~csi/pvc-1/mount.
	Directory string `json:"directory"`
	// Remote says that the file system is another machine's, whose clock its times are of.
	Remote bool `json:"remote,omitempty"`
}

// FileType is what an entry of a directory is.
type FileType string

// The types of entries.
const (
	File      FileType = "file"
	Directory FileType = "dir"
	Symlink   FileType = "symlink"
	FIFO      FileType = "fifo"
	Socket    FileType = "socket"
	Device    FileType = "device"
	Unknown   FileType = "unknown" // it was gone, or could not be looked at
)

func (t FileType) known() bool {
	switch t {
	case File, Directory, Symlink, FIFO, Socket, Device, Unknown:
		return true
	default:
		return false
	}
}

// entry is one file, or directory, and so on. Times are nanoseconds since 1970.
type entry struct {
	Path   string // relative to the volume's root, bytes
	Target string // of a symbolic link, bytes
	attributes
}

type attributes struct {
	Type FileType `json:"type"`
	// Size and SHA256 are of what was read of a regular file.
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	// Mode holds the permission bits, setuid, setgid and sticky, as chmod(2) does.
	Mode       uint32 `json:"mode,omitempty"`
	UID        uint32 `json:"uid,omitempty"`
	GID        uint32 `json:"gid,omitempty"`
	ModTime    int64  `json:"mtime,omitempty"`
	ChangeTime int64  `json:"ctime,omitempty"`
	// BirthTime is when the file was made; 0 where the file system does not know.
	BirthTime int64 `json:"btime,omitempty"`
	// Links is how many names the file has, when more than one.
	Links uint64 `json:"links,omitempty"`
	// Attributes counts extended attributes but SELinux's label, which every file has.
	Attributes int `json:"xattrs,omitempty"`
	// Cache says that the directory has a CACHEDIR.TAG with the right signature.
	Cache bool `json:"cache,omitempty"`
	// Sparse says that the file takes less room than its size.
	Sparse bool `json:"sparse,omitempty"`
	// Changed says that the file was written to while it was read.
	Changed bool `json:"changed,omitempty"`
	// Gone says that its directory named it and then it was not there.
	Gone bool `json:"gone,omitempty"`
	// Error says why it could not be read: a file, or what is in a directory.
	Error string `json:"error,omitempty"`
}

// printedLine is a line as it is printed.
type printedLine struct {
	Begin *begin        `json:"begin,omitempty"`
	Entry *printedEntry `json:"entry,omitempty"`
	Again *printedEntry `json:"again,omitempty"`
	Alive *Counts       `json:"alive,omitempty"`
	End   *Counts       `json:"end,omitempty"`
}

// printedEntry is an entry with its names as JSON can carry them.
type printedEntry struct {
	Path     string `json:"path,omitempty"`
	Path64   []byte `json:"path64,omitempty"`
	Target   string `json:"target,omitempty"`
	Target64 []byte `json:"target64,omitempty"`
	attributes
}

// encode is the other half of decode.
func encode(to *json.Encoder, l line) error {
	return to.Encode(printedLine{Begin: l.Begin, Entry: l.Entry.print(), Again: l.Again.print(), Alive: l.Alive, End: l.End})
}

func (e *entry) print() *printedEntry {
	if e == nil {
		return nil
	}
	p := &printedEntry{attributes: e.attributes}
	p.Path, p.Path64 = split(e.Path)
	p.Target, p.Target64 = split(e.Target)
	return p
}

func (p *printedEntry) read() *entry {
	if p == nil {
		return nil
	}
	return &entry{Path: p.Path + string(p.Path64), Target: p.Target + string(p.Target64), attributes: p.attributes}
}

func split(name string) (text string, other []byte) {
	if utf8.ValidString(name) {
		return name, nil
	}
	return "", []byte(name)
}

// longestPath bounds a path, and so a line. Linux takes 4096 bytes at once; a
// tree may be deeper, though kopia's way into it ends there.
const longestPath = 64 << 10

// decode reads one line, and believes nothing: what is in it decides a verdict.
func decode(data []byte) (line, error) {
	var p printedLine
	if err := json.Unmarshal(data, &p); err != nil {
		return line{}, fmt.Errorf("reading a line of a reader: %w", err)
	}
	l := line{Begin: p.Begin, Entry: p.Entry.read(), Again: p.Again.read(), Alive: p.Alive, End: p.End}
	set := 0
	for _, is := range []bool{l.Begin != nil, l.Entry != nil, l.Again != nil, l.Alive != nil, l.End != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return l, errors.New("reading a line of a reader: it says not one thing")
	}
	for _, e := range []*entry{l.Entry, l.Again} {
		if e == nil {
			continue
		}
		if err := e.check(); err != nil {
			return l, fmt.Errorf("reading a line of a reader: %s: %w", show(e.Path), err)
		}
	}
	return l, nil
}

func (e *entry) check() error {
	switch {
	case !validPath(e.Path):
		return errors.New("this is no relative path")
	case !e.Type.known():
		return fmt.Errorf("unknown type %q", e.Type)
	case e.Type == Unknown && !e.Gone && e.Error == "":
		return errors.New("neither gone nor in error, and of unknown type")
	case e.Size < 0 || e.Mode > 0o7777:
		return fmt.Errorf("size %d, mode %o", e.Size, e.Mode)
	case e.Type == File && !e.Gone && e.Error == "" && !validSum(e.SHA256):
		return fmt.Errorf("sha256 %q", e.SHA256)
	default:
		return nil
	}
}

func validSum(sum string) bool {
	_, err := hex.DecodeString(sum)
	return err == nil && len(sum) == 64 && strings.ToLower(sum) == sum
}

func validPath(path string) bool {
	if path == root {
		return true
	}
	if len(path) > longestPath || strings.IndexByte(path, 0) >= 0 {
		return false
	}
	for component := range strings.SplitSeq(path, "/") {
		if component == "" || component == "." || component == ".." {
			return false
		}
	}
	return true
}

// count adds an entry of the stream.
func (c *Counts) count(e *entry) {
	if e.Gone {
		return
	}
	c.Entries++
	if e.Type == File {
		c.Files++
		c.Bytes += e.Size
	}
	if e.Error != "" {
		c.Errors++
	}
}
