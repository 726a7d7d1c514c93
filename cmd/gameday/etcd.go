package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gameday.dev/gameday/backup/etcd/scratch"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/scenarios"
)

// etcdFlags override the etcd of the Environment, value by value.
type etcdFlags struct {
	endpoints                    []string
	caFile, certFile, keyFile    string
	username, passwordFile       string
	prefix, encryptionConfig     string
	snapshotDirectory, apiServer string
}

func (e *etcdFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&e.endpoints, "etcd-endpoints", nil, "client URLs of all etcd members")
	flags.StringVar(&e.caFile, "etcd-ca-file", "", "CA certificates of etcd")
	flags.StringVar(&e.certFile, "etcd-cert-file", "", "client certificate for etcd")
	flags.StringVar(&e.keyFile, "etcd-key-file", "", "client key for etcd")
	flags.StringVar(&e.username, "etcd-username", "", "user, where etcd has authentication of its own")
	flags.StringVar(&e.passwordFile, "etcd-password-file", "", "password of that user")
	flags.StringVar(&e.prefix, "etcd-prefix", "", "the API server's --etcd-prefix (default /registry)")
	flags.StringVar(&e.encryptionConfig, "etcd-encryption-config", "", "EncryptionConfiguration of the API server")
	flags.StringVar(&e.snapshotDirectory, "etcd-snapshot-directory", "", "where etcd snapshots are kept")
	flags.StringVar(&e.apiServer, "kube-apiserver", "", "kube-apiserver program of the cluster's version")
}

// resolve lays the flags over the etcd of the Environment; nil when neither
// says where it is. A directory of snapshots alone is enough for some checks.
func (e etcdFlags) resolve(from *scenarios.Etcd) (*experiments.Etcd, error) {
	base := scenarios.Etcd{}
	if from != nil {
		base = *from
	}
	if len(e.endpoints) > 0 {
		base.Endpoints = e.endpoints
	}
	for _, override := range []struct {
		value string
		field *string
	}{
		{e.caFile, &base.CAFile}, {e.certFile, &base.CertFile}, {e.keyFile, &base.KeyFile},
		{e.username, &base.Username}, {e.passwordFile, &base.PasswordFile},
		{e.prefix, &base.Prefix}, {e.encryptionConfig, &base.EncryptionConfig},
		{e.snapshotDirectory, &base.SnapshotDirectory}, {e.apiServer, &base.APIServer},
	} {
		if override.value != "" {
			*override.field = override.value
		}
	}
	// Processes of other directories are told of these.
	for _, path := range []*string{&base.EncryptionConfig, &base.SnapshotDirectory, &base.APIServer} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, err
		}
		*path = absolute
	}
	if len(base.Endpoints) == 0 && base.SnapshotDirectory == "" {
		return nil, nil
	}
	return base.ForSteps(), nil
}

// helperCommand is how gameday calls itself for work in a process of its own.
const helperCommand = "etcd-helper"

// newHelperCmd is for gameday alone: etcd's libraries at work on a snapshot
// that may be damaged.
func newHelperCmd(p process) *cobra.Command {
	return &cobra.Command{
		Use:                helperCommand,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			if code := scratch.Main(ctx, args, p.stdin, p.stdout, p.stderr); code != 0 {
				return &exit{code: code}
			}
			return nil
		},
	}
}
