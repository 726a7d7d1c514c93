// Package shop carries the sample application that gameday is shown and tested on: where its image is, the
// manifests that deploy it, and the alert rules that watch it. It deploys nothing and talks to no cluster.
//
// The image needs one static binary, built from cmd/shop, at Binary, and nothing else: no shell, no entry point,
// no certificates. Every container in the manifests names its command in full.
package shop

import (
	_ "embed"
	"strings"
)

// What the manifests refer to. They are pulled only when absent (imagePullPolicy IfNotPresent), so that a cluster
// without a registry can have the image imported into its nodes.
const (
	Image     = "docker.io/gameday/shop:v1"
	Binary    = "/shop"
	Namespace = "shop"
)

// Strings, not byte slices: a caller that edits what it was given must not edit what the next one gets.
var (
	//go:embed manifests/shop.yaml
	common string
	//go:embed manifests/store.yaml
	store string
	//go:embed manifests/store-volumes.yaml
	storeVolumes string
	//go:embed manifests/alerts.yaml
	alertRules string
)

const (
	separator        = "---\n"
	storageClassLine = "        storageClassName: ${storageClass}\n"
)

// Manifests is the whole shop as a multi-document YAML stream, Namespace first. Its store keeps its data in the
// container, so that nodes can be drained without a word about local data.
func Manifests() []byte {
	return []byte(common + separator + store)
}

// ManifestsWithVolumes is Manifests with a store that keeps its data in one volume a replica, for backups and
// restores of data. The empty storage class means the cluster's default one.
func ManifestsWithVolumes(storageClass string) []byte {
	line := ""
	if storageClass != "" {
		line = strings.Replace(storageClassLine, "${storageClass}", storageClass, 1)
	}
	return []byte(common + separator + strings.Replace(storeVolumes, storageClassLine, line, 1))
}

// AlertRules is a Prometheus rule file. Its head comment says what it expects of the scrape configuration.
func AlertRules() []byte {
	return []byte(alertRules)
}
