package files

// FileType is what an entry of a directory is.
type FileType string

// The types of entries.
const (
	File      FileType = "file"
	Directory FileType = "dir"
	Symlink   FileType = "symlink"
	Pipe      FileType = "fifo"
	Socket    FileType = "socket"
	Device    FileType = "device"
)
