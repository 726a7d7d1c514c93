//go:build !linux

package cluster

import "errors"

func (n *Node) startInit() (int, error) {
	return 0, errors.New("nodes with namespaces of their own exist on linux only: use the kwok flavour")
}
