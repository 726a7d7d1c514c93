package scratch

import (
	"fmt"
	"runtime/debug"
)

// errFault is a page that is mapped but can't be read.
type errFault struct{ cause any }

func (e errFault) Error() string {
	return fmt.Sprintf("reading its pages: the disk failed, or the file has become shorter meanwhile (%v)", e.cause)
}

// safely turns the signal for a page that can't be read into an error. All other
// panics are mistakes of this program and stay what they are.
func safely(read func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		cause := recover()
		if fault, ok := cause.(interface{ Addr() uintptr }); ok {
			err = errFault{fault}
		} else if cause != nil {
			panic(cause)
		}
	}()
	read()
	return nil
}
