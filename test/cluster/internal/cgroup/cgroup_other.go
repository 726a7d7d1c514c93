//go:build !linux

// Package cgroup keeps the processes of a cluster together. Only Linux has cgroups.
package cgroup

import (
	"errors"
	"time"
)

var errLinux = errors.New("cgroups exist on linux only")

// IsV2 says whether this machine has cgroup v2 alone.
func IsV2() bool { return false }

// Create makes the group.
func Create(string) error { return errLinux }

// Join moves the calling process into the group.
func Join(string) error { return errLinux }

// Processes are the ids of all processes in the group.
func Processes(string) ([]int, error) { return nil, nil }

// Directories are the directories of the group.
func Directories(string) ([]string, error) { return nil, nil }

// Destroy kills every process of the group and removes it.
func Destroy(string, time.Duration) error { return nil }

// RemoveEmpty removes the group if nothing is in it.
func RemoveEmpty(string) {}
