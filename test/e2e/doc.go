// Package e2e proves gameday's promises on a real cluster. Each test runs the
// built program as a user does, with files, flags and exit codes, and then
// looks at the cluster with its own eyes. One file is one room of the house.
//
// The cluster is chosen by the variable CLUSTER, as test/cluster says. Two of
// its nodes are set apart for the tests: what runs there is theirs to break.
package e2e
