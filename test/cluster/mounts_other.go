//go:build !linux

package cluster

func unmountBelow(string) error { return nil }
