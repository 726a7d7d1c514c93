package files

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"
)

// look asks for everything that is told of an entry: of one in a directory, which
// is not followed, or of the open file itself where the name is empty.
func look(fd int, name string) (unix.Statx_t, error) {
	var stat unix.Statx_t
	flags := unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	_, err := retry(func() (int, error) {
		return 0, unix.Statx(fd, name, flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &stat)
	})
	return stat, err
}

func attributesOf(stat *unix.Statx_t) attributes {
	a := attributes{
		Type: typeOf(stat), Mode: uint32(stat.Mode) & 0o7777, UID: stat.Uid, GID: stat.Gid,
		ModTime: nanoseconds(stat.Mtime), ChangeTime: nanoseconds(stat.Ctime),
	}
	if stat.Mask&unix.STATX_BTIME != 0 {
		a.BirthTime = nanoseconds(stat.Btime)
	}
	if a.Type == File {
		a.Size = int64(stat.Size)
		a.Sparse = int64(stat.Blocks)*512 < a.Size
	}
	if a.Type != Directory && stat.Nlink > 1 {
		a.Links = uint64(stat.Nlink)
	}
	return a
}

func typeOf(stat *unix.Statx_t) FileType {
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return Directory
	case unix.S_IFLNK:
		return Symlink
	case unix.S_IFIFO:
		return FIFO
	case unix.S_IFSOCK:
		return Socket
	case unix.S_IFREG:
		return File
	default:
		return Device
	}
}

func nanoseconds(t unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }

// openDirectory opens a directory and nothing else.
func openDirectory(in int, name string) (int, error) {
	return openAt(in, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC)
}

// openAt leaves the time of last access alone where it may: only of files of our
// own, since that needs a capability that could do more.
func openAt(in int, name string, flags int) (int, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(in, name, flags|unix.O_NOATIME, 0) })
	if errors.Is(err, unix.EPERM) {
		return retry(func() (int, error) { return unix.Openat(in, name, flags, 0) })
	}
	return fd, err
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func readLink(in int, name string) (string, error) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(in, name, buffer)
	if err != nil {
		return "", err
	}
	return string(buffer[:n]), nil
}

// A directory whose file of this name begins so holds a cache (bford.info/cachedir).
const (
	cacheTag       = "CACHEDIR.TAG"
	cacheSignature = "Signature: 8a477f597d28d172789f06886806bc55"
)

func isCacheTag(directory int) bool {
	fd, err := openAt(directory, cacheTag, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC)
	if err != nil {
		return false
	}
	defer unix.Close(fd) //nolint:errcheck // it was only read
	if stat, err := look(fd, ""); err != nil || typeOf(&stat) != File {
		return false
	}
	begins := make([]byte, len(cacheSignature))
	n, err := retry(func() (int, error) { return unix.Read(fd, begins) })
	return err == nil && string(begins[:max(0, n)]) == cacheSignature
}

// countAttributes counts extended attributes. SELinux labels every file anew, and
// a file system without attributes has none.
func countAttributes(fd int) int {
	buffer := make([]byte, 4096)
	n, err := unix.Flistxattr(fd, buffer)
	if err != nil || n <= 0 {
		if errors.Is(err, unix.ERANGE) {
			return 1 // more than fit here: there are some
		}
		return 0
	}
	count := 0
	for name := range bytes.SplitSeq(bytes.TrimSuffix(buffer[:n], []byte{0}), []byte{0}) {
		if string(name) != "security.selinux" {
			count++
		}
	}
	return count
}
