package apiserver

// shown bounds how many problems of a kind are named.
const shown = 20

// problems are the first few in words, and how many there are.
type problems struct {
	first []string
	count int64
}

func (p *problems) add(words string) { p.addMany(words, 1) }

// addMany adds words that speak of several objects.
func (p *problems) addMany(words string, objects int64) {
	p.count += objects
	if len(p.first) < shown {
		p.first = append(p.first, words)
	}
}

func (p *problems) join(other problems) {
	p.count += other.count
	p.first = append(p.first, other.first...)
	p.first = p.first[:min(len(p.first), shown)]
}

// tally is what was found of one resource.
type tally struct {
	// listed counts the restored side's objects; whole says that it was listed to its end.
	listed int64
	whole  bool
	// compared says that both sides were listed to their ends.
	compared                  bool
	equal, moved              int64
	different, missing, extra problems
	skipped, untold           string
}
