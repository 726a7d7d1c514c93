// Package e2e proves gameday's promises on a real cluster. Each test runs the
// built program as a user does, with files, flags and exit codes, and then
// looks at the cluster with its own eyes. One file is one room of the house.
//
// The cluster is chosen by the variable CLUSTER, as test/cluster says, and is
// brought up before the first test and taken down after the last. KEEP=1
// leaves it up, and CLUSTER_NAME gives it another name than e2e: with both, one
// promise is shown again within seconds:
//
//	KEEP=1 go test -v -run 'TestNodeDrain/.*cordoned' ./test/e2e
//
// Two of its nodes are set apart for the tests: what runs there is theirs to
// break. Promises that need more than a cluster has are skipped with a reason,
// or fail where nothing may be skipped: in CI, as root.
package e2e
