package files

// Rule is why something that differs, or is not compared, is no difference.
type Rule string

// The rules. What they let pass is counted.
const (
	CacheDirectories Rule = "cacheDirectories"
	Attributes       Rule = "extendedAttributes"
	HardLinks        Rule = "hardLinks"
	Sockets          Rule = "sockets"
	FIFOs            Rule = "fifos"
	Devices          Rule = "devices"
	Holes            Rule = "holes"
	LostAndFound     Rule = "lost+found"
	Marker           Rule = ".velero"
	DirectoryTime    Rule = "directoryTime"
	CoarseTime       Rule = "coarseTime"
	FSGroup          Rule = "fsGroup"
)

// Explanation is a rule in words.
type Explanation struct {
	Rule Rule
	// Passes says what is let pass; it reads on after a number.
	Passes string
	// Why is the reason, with its source.
	Why string
}

// Explanations are of all rules: first those that let pass what a restore really
// does not bring back. The files of kopia are relative to its repository.
func Explanations() []Explanation {
	return []Explanation{
		{
			CacheDirectories, "in directories with a CACHEDIR.TAG, not backed up",
			"kopia leaves out what is in such a directory (fs/ignorefs/ignorefs.go): by the tag its application says that it can make all of it again. " +
				"Not at the root of a volume, whose backup is empty then, and not where the copy has the tag, which was backed up then",
		},
		{
			Attributes, "with fewer extended attributes, POSIX ACLs among them",
			"kopia restores none (snapshot/restore/local_fs_output.go). They are counted, not compared, and SELinux's label is left out",
		},
		{HardLinks, "names of a file that had several and is restored as several files", "kopia knows no hard links (fs/entry.go)"},
		{Sockets, "sockets, not backed up", "kopia skips them (fs/localfs/local_fs_os.go); they hold no data"},
		{FIFOs, "pipes, not backed up", "kopia skips them (fs/localfs/local_fs_os.go); they hold no data"},
		{Devices, "devices, not backed up", "kopia skips them (fs/localfs/local_fs_os.go); they hold no data"},
		{Holes, "sparse files, restored with their zeros written out", "the content is the same; it takes more room"},
		{LostAndFound, "lost+found at the root, without what is in it", "it is of the file system, made with it; what fsck has put there is compared"},
		{Marker, ".velero at the root, and in it", "there Velero tells the restored pod that its volume is whole (pkg/podvolume/restore_micro_service.go)"},
		{DirectoryTime, "times of directories", "kopia gives a directory the newest time of all that is in it (snapshot/snapshotfs/repofs.go); what is in it is compared by itself"},
		{CoarseTime, "times kept less exactly", "the copy's file system, or kopia for symbolic links, rounds them (snapshot/restore/local_fs_output_unix.go)"},
		{
			FSGroup, "owned by the fsGroup of the restored pod, with the modes that come with it",
			"its kubelet gives them to whatever it finds in a volume that it mounts (kubernetes, pkg/volume/volume_linux.go), " +
				"and has not done so for what the original has written since its own was mounted",
		},
	}
}
