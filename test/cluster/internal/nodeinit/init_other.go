//go:build !linux

package nodeinit

import "errors"

// Run is process 1 of a node.
func Run(string) error { return errors.New("nodes with namespaces of their own exist on linux only") }
