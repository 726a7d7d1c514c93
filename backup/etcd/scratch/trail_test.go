package scratch

import (
	"encoding/binary"
	"testing"
)

func key(revision, place int64) []byte {
	k := make([]byte, revisionSize)
	binary.BigEndian.PutUint64(k, uint64(revision))
	k[8] = '_'
	binary.BigEndian.PutUint64(k[9:], uint64(place))
	return k
}

func TestTrail(t *testing.T) {
	type page []change
	for name, test := range map[string]struct {
		pages     []page
		compacted int64
		torn      bool
	}{
		"nothing":                       {nil, 0, false},
		"whole":                         {[]page{{{2, 0}, {3, 0}, {3, 1}}, {{4, 0}}}, 0, false},
		"pages in any order":            {[]page{{{4, 0}}, {{2, 0}, {3, 0}}}, 0, false},
		"one taken out":                 {[]page{{{2, 0}, {4, 0}}}, 0, true},
		"between pages":                 {[]page{{{2, 0}}, {{4, 0}}}, 0, true},
		"one of a transaction":          {[]page{{{2, 0}, {3, 0}, {3, 2}}}, 0, true},
		"the first of a transaction":    {[]page{{{2, 0}, {3, 1}}}, 0, true},
		"the first of all":              {[]page{{{3, 0}}}, 0, true},
		"compacted":                     {[]page{{{2, 0}, {7, 0}, {11, 0}}}, 10, false},
		"compacted, one taken out":      {[]page{{{2, 0}, {7, 0}, {11, 0}, {13, 0}}}, 10, true},
		"compacted, the next one":       {[]page{{{2, 0}, {7, 0}, {12, 0}}}, 10, true},
		"all compacted":                 {[]page{{{2, 0}, {7, 0}}}, 10, false},
		"compacted, nothing left":       {[]page{{{11, 0}}}, 10, false},
		"an earlier gap, and compacted": {[]page{{{2, 0}, {5, 0}}, {{10, 0}, {11, 0}}}, 10, false},
		"raised by a restore":           {[]page{{{2, 0}, {3, 0}, {1000, 0}}}, 1000, false},
	} {
		t.Run(name, func(t *testing.T) {
			var trail trail
			for _, page := range test.pages {
				var s stretch
				for _, c := range page {
					s.walk(key(c.revision, c.place))
				}
				trail.stretches = append(trail.stretches, s)
			}
			if gap, torn := trail.torn(test.compacted); torn != test.torn {
				t.Errorf("torn: %v, at %+v", torn, gap)
			}
		})
	}
}
