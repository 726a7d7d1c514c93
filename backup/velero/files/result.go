package files

// Label says what a difference means.
type Label string

// The labels of differences.
const (
	// Loss is a difference that nothing explains but the backup or the restore.
	Loss Label = "loss"
	// Drift is a difference because one side has moved on since: the live file was
	// changed after it was backed up, or the restored application made a new one.
	Drift Label = "drift"
	// Unclear is a difference that may be hiding a loss: a file that can't be read,
	// or one that the restored application has changed or deleted.
	Unclear Label = "unclear"
)

// Kind says in what something differs.
type Kind string

// The kinds of differences.
const (
	Missing    Kind = "missing"    // the source has it, the copy does not
	Extra      Kind = "extra"      // the copy has it, the source does not
	Content    Kind = "content"    // sha256 or size of a regular file
	Type       Kind = "type"       // one is a directory, say, and the other a file
	Target     Kind = "target"     // where a symbolic link points
	Mode       Kind = "mode"       // permission bits, with setuid, setgid and sticky
	Owner      Kind = "owner"      // uid or gid
	ModTime    Kind = "mtime"      // time of last modification
	Links      Kind = "links"      // how many names a file has; only where these are copied
	Extended   Kind = "xattrs"     // how many extended attributes; only where these are copied
	Unreadable Kind = "unreadable" // a side can't be read
)

// Result is what Compare found.
type Result struct {
	Pairs []PairResult `json:"pairs"`
}

// PairResult is what was found in one pair of volumes.
type PairResult struct {
	Source   Volume `json:"source"`
	Restored Volume `json:"restored"`
	// NotComparable says why the pair was not compared, empty when it was.
	NotComparable string `json:"notComparable,omitempty"`
	// Error says why the comparison is not whole; all counts go only so far.
	Error string `json:"error,omitempty"`
	// Empty says that there was nothing in it when it was backed up.
	Empty bool `json:"empty,omitempty"`
	Tally
	// Differences are the first of each label, in the order of their paths.
	Differences map[Label][]*Difference `json:"differences,omitempty"`
	// Notes are for people: what makes the labels weaker, and what was not backed up.
	Notes   []string `json:"notes,omitempty"`
	Seconds float64  `json:"seconds"`
}

// Tally counts what was compared.
type Tally struct {
	// InSource and InRestored are what each side holds.
	InSource   Counts `json:"inSource"`
	InRestored Counts `json:"inRestored"`
	// Equal are entries of all types in which nothing differs; EqualBytes are
	// those of regular files, proven by sha256.
	Equal      int64 `json:"equal"`
	EqualBytes int64 `json:"equalBytes"`
	// SameContent are regular files with the same sha256, whatever else differs.
	SameContent int64 `json:"sameContent"`
	// Different counts what differs, by label and kind. What differs in several
	// kinds counts in each.
	Different map[Label]map[Kind]int64 `json:"different,omitempty"`
	// Ignored counts what a rule let pass.
	Ignored map[Rule]int64 `json:"ignored,omitempty"`
}

// Counts are what one side of a pair holds.
type Counts struct {
	Entries int64 `json:"entries"` // of all types, with the root
	Files   int64 `json:"files"`   // regular ones
	Bytes   int64 `json:"bytes"`   // of regular files
	Errors  int64 `json:"errors,omitempty"`
}

func (c *Counts) add(d Counts) {
	c.Entries += d.Entries
	c.Files += d.Files
	c.Bytes += d.Bytes
	c.Errors += d.Errors
}

// Of counts what differs with that label: kinds, so a file may count twice.
func (t Tally) Of(label Label) int64 {
	var sum int64
	for _, n := range t.Different[label] {
		sum += n
	}
	return sum
}

func (t *Tally) different(label Label, kind Kind, n int64) {
	if t.Different == nil {
		t.Different = map[Label]map[Kind]int64{}
	}
	if t.Different[label] == nil {
		t.Different[label] = map[Kind]int64{}
	}
	t.Different[label][kind] += n
}

func (t *Tally) ignore(rule Rule, n int64) {
	if t.Ignored == nil {
		t.Ignored = map[Rule]int64{}
	}
	t.Ignored[rule] += n
}

// Untold says that there are files and the content of none was seen to have come
// back: all of them may have changed since, and all may be lost.
func (p PairResult) Untold() bool {
	if p.Empty && p.InRestored.Files == 0 {
		return false
	}
	return p.SameContent == 0 && p.InSource.Files+p.InRestored.Files > 0
}

// Total adds up all pairs.
func (r Result) Total() Tally {
	var total Tally
	for _, pair := range r.Pairs {
		total.InSource.add(pair.InSource)
		total.InRestored.add(pair.InRestored)
		total.Equal += pair.Equal
		total.EqualBytes += pair.EqualBytes
		total.SameContent += pair.SameContent
		for label, kinds := range pair.Different {
			for kind, n := range kinds {
				total.different(label, kind, n)
			}
		}
		for rule, n := range pair.Ignored {
			total.ignore(rule, n)
		}
	}
	return total
}

// Difference is one path at which the sides differ.
type Difference struct {
	// Path is relative to the volume's root. One that is not plain text is
	// quoted as Go does, and begins with a quotation mark.
	Path  string `json:"path"`
	Kinds []Kind `json:"kinds"`
	// Source and Restored are nil where there is nothing.
	Source   *State `json:"source,omitempty"`
	Restored *State `json:"restored,omitempty"`
	// Below counts what is missing or extra with the directory, which is not listed itself.
	Below int64 `json:"below,omitempty"`
	// Why says what the label rests on, where that is not plain.
	Why string `json:"why,omitempty"`
}

// State is what is known of an entry of a volume.
type State struct {
	Type    FileType `json:"type"`
	Size    int64    `json:"size,omitempty"`   // of regular files
	SHA256  string   `json:"sha256,omitempty"` // of regular files
	Mode    string   `json:"mode,omitempty"`   // octal: 0644
	UID     uint32   `json:"uid"`
	GID     uint32   `json:"gid"`
	ModTime string   `json:"mtime,omitempty"`
	Target  string   `json:"target,omitempty"` // of symbolic links
	Error   string   `json:"error,omitempty"`
}
