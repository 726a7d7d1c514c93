// Package cluster runs a real Kubernetes cluster of several nodes on one Linux
// machine, without a container engine and without an image registry.
//
// Its parts are the ones that every cluster has: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler on the machine itself, and nodes
// with kubelet, containerd and kube-proxy, each in namespaces of its own.
// They are built from Go modules at the versions in versions.go.
//
// The nodes are named n1, n2 and so on and are all workers: the control plane
// is no node here. Nodes have no way out of the machine.
//
// A cluster is found through its state directory, so that one process may
// bring it up, another break it and a third take it down:
//
//	c, err := cluster.Up(ctx, cluster.Options{Name: "demo"})
//	...
//	c, err := cluster.Open("demo")
//	n, err := c.Node("n2")
//	err = n.PowerOff(ctx)
//	...
//	err := cluster.Down(ctx, "demo", os.Stderr)
//
// The kwok flavour has a real control plane and nodes that only pretend to run
// their pods. It needs neither root nor Linux.
package cluster
