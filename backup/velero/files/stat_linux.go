package files

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"
)

func attributesOf(stat *unix.Stat_t) attributes {
	a := attributes{
		Mode: stat.Mode & 0o7777, UID: stat.Uid, GID: stat.Gid,
		ModTime: nanoseconds(stat.Mtim), ChangeTime: nanoseconds(stat.Ctim),
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		a.Type = Directory
	case unix.S_IFLNK:
		a.Type = Symlink
	case unix.S_IFIFO:
		a.Type = FIFO
	case unix.S_IFSOCK:
		a.Type = Socket
	case unix.S_IFREG:
		a.Type, a.Size = File, stat.Size
		a.Sparse = stat.Blocks*512 < stat.Size
	default:
		a.Type = Device
	}
	if a.Type != Directory && stat.Nlink > 1 {
		a.Links = uint64(stat.Nlink) //nolint:unconvert // of another type elsewhere
	}
	return a
}

func nanoseconds(t unix.Timespec) int64 { return t.Nano() }

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
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) != nil || stat.Mode&unix.S_IFMT != unix.S_IFREG {
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
