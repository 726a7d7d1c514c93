package files

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// mostHashers bounds what a reader takes of a node that has other work.
const mostHashers = 4

// readVolume prints what is in a volume.
func readVolume(ctx context.Context, volumes, directory, after string, out io.Writer) error {
	fd, err := openDirectory(unix.AT_FDCWD, filepath.Join(volumes, directory))
	if err != nil {
		return fmt.Errorf("opening the volume: %w", err)
	}
	start := begin{Version: formatVersion, Directory: directory, Remote: isRemote(fd)}
	return newPrinter(out).print(ctx, fd, start, after, usualLimits(min(max(2, runtime.NumCPU()), mostHashers)))
}

// isRemote says whether times of the file system come from another clock: from
// a server, or from whichever client wrote.
func isRemote(fd int) bool {
	var stat unix.Statfs_t
	if unix.Fstatfs(fd, &stat) != nil {
		return false
	}
	const ceph, fuse, ninep, lustre, gfs2 = 0x00c36400, 0x65735546, 0x01021997, 0x0bd00bd0, 0x01161970
	return slices.Contains([]uint32{unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC,
		unix.AFS_SUPER_MAGIC, ceph, fuse, ninep, lustre, gfs2}, uint32(stat.Type))
}
