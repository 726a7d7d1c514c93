package live

import "gameday.dev/gameday/internal/snapshots"

// summer hashes beside the stream, on another core.
type summer struct {
	pieces  chan piece
	done    chan struct{}
	trailer *snapshots.Trailer
}

// piecesAhead bounds how far the stream may be ahead of the hash, 32 KiB each.
const piecesAhead = 64

func newSummer() *summer {
	s := &summer{pieces: make(chan piece, piecesAhead), done: make(chan struct{}), trailer: snapshots.NewTrailer()}
	go func() {
		defer close(s.done)
		for p := range s.pieces {
			_, _ = s.trailer.Write(p.blob)
			p.release()
		}
	}()
	return s
}

// add takes over a piece.
func (s *summer) add(p piece) { s.pieces <- p }

// end gives the hex sha256 of all, and whether the last bytes are etcd's trailer.
func (s *summer) end() (whole string, fits bool) {
	close(s.pieces)
	<-s.done
	return s.trailer.Sum()
}
