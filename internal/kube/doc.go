// Package kube holds what several rooms need of Kubernetes: clients, eviction,
// waiting on watches. It knows nothing of steps, checks or journals.
package kube
