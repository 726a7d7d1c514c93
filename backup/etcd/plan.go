package etcd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"gameday.dev/gameday/backup"
	"gameday.dev/gameday/backup/etcd/apiserver"
	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/objects"
	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/journal"
	"gameday.dev/gameday/internal/kube"
	"gameday.dev/gameday/internal/refusal"
	"gameday.dev/gameday/internal/snapshots"
)

// restorePlan is what Inject and Undo need to know.
type restorePlan struct {
	// Home is the directory on Host that holds everything the step makes.
	Home home `json:"home"`
	// File is the snapshot; empty when one is to be taken.
	File string `json:"file,omitempty"`
	// APIServerFlags are those of the living API server that decide how data is read.
	APIServerFlags []string `json:"apiServerFlags,omitempty"`
	// Elsewhere are the resources that the living API server keeps in another etcd.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// Plan refuses what could not be climbed: an etcd that lets nobody in, a
// snapshot that is not there, a disk that is too small, a program of another version.
func (s *Restore) Plan(ctx context.Context, env experiments.Env) (experiments.Plan, error) {
	size, plan, err := planLive(ctx, env)
	if err != nil {
		return experiments.Plan{}, err
	}
	own := restorePlan{Home: newHome(env)}
	if s.From != nil {
		file, err := s.From.find(env)
		if err != nil {
			return experiments.Plan{}, err
		}
		own.File, size = file.Path, file.Size
		plan.Targets = []journal.Target{{Kind: targetKind, Name: file.Path}}
		plan.Notes = append(plan.Notes, fmt.Sprintf("climbs to %s with %s, %s", s.level(), file.Path, backup.Bytes(file.Size)))
	} else {
		plan.Targets = []journal.Target{{Kind: targetKind, Name: "a snapshot taken now"}}
		plan.Notes = append(plan.Notes, fmt.Sprintf("climbs to %s with a snapshot to be taken, about %s", s.level(), backup.Bytes(size)))
		size *= 2 // the snapshot and the copy it is restored into
	}
	if err := enoughSpace(env.Machine.Scratch, size, &plan); err != nil {
		return experiments.Plan{}, err
	}
	if _, err := objects.NewDecoder(env.Etcd.Prefix, env.Etcd.EncryptionConfig); err != nil {
		return experiments.Plan{}, refusal.New("give the EncryptionConfiguration that the API server uses: the Environment's etcd.encryptionConfig", "%v", err)
	}
	if s.level() == rungAPIServer {
		if err := own.planAPIServer(ctx, env, &plan); err != nil {
			return experiments.Plan{}, err
		}
	}
	return plan, plan.SetData(own)
}

// targetKind is what a step of this room works on.
const targetKind = "EtcdSnapshot"

// planLive looks at the living etcd and returns the size of its database.
func planLive(ctx context.Context, env experiments.Env) (size int64, plan experiments.Plan, err error) {
	if env.Etcd == nil || len(env.Etcd.Endpoints) == 0 {
		return 0, plan, refusal.New("add etcd with endpoints and certificates to the Environment, or give --etcd-endpoints and --etcd-ca-file, --etcd-cert-file, --etcd-key-file",
			"the environment does not say where etcd is")
	}
	cluster, err := live.Connect(*env.Etcd)
	if err != nil {
		return 0, plan, refusal.New("", "%v", err)
	}
	defer cluster.Close()
	var errs []error
	answered := 0
	for _, member := range cluster.Members(ctx) {
		if member.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", member.Endpoint, member.Err))
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("etcd member at %s does not answer: %v", member.Endpoint, member.Err))
			continue
		}
		answered++
		size = max(size, member.DBSize)
		for _, alarm := range member.Alarms {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("etcd member %s has raised alarm %s", member.Name, alarm))
		}
	}
	if answered == 0 {
		hint := "check the Environment's etcd: endpoints, caFile, certFile, keyFile"
		if env.Etcd.CertFile == "" && strings.HasPrefix(env.Etcd.Endpoints[0], "https") {
			hint = "most members ask for a client certificate, and hang up without: set etcd.certFile and etcd.keyFile in the Environment"
		}
		return 0, plan, refusal.New(hint, "no member of etcd answers: %v", errors.Join(errs...))
	}
	return size, plan, nil
}

// find gives the snapshot that is meant.
func (s *Source) find(env experiments.Env) (snapshots.File, error) {
	if s.File != "" {
		path, err := filepath.Abs(s.File)
		if err != nil {
			return snapshots.File{}, fmt.Errorf("finding snapshot %s: %w", s.File, err)
		}
		return statFile(path)
	}
	directory, err := directoryOf(s.Directory, env)
	if err != nil {
		return snapshots.File{}, err
	}
	list, err := snapshots.List(directory)
	if err != nil {
		return snapshots.File{}, err
	}
	if len(list) == 0 {
		return snapshots.File{}, refusal.New("is it the right directory, and does the job that takes snapshots run?", "there is no snapshot in %s", directory)
	}
	return list[0], nil
}

func statFile(path string) (snapshots.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return snapshots.File{}, refusal.New("name a snapshot, or leave from out to take one now", "no snapshot %s: %v", path, err)
	}
	if !info.Mode().IsRegular() {
		return snapshots.File{}, refusal.New("name a snapshot, or use from.directory for the newest one in it", "%s is no file", path)
	}
	return snapshots.File{Path: path, Size: info.Size(), Modified: info.ModTime()}, nil
}

// directoryOf is the directory asked for, else the environment's.
func directoryOf(asked string, env experiments.Env) (string, error) {
	if asked == "" {
		asked = env.Etcd.SnapshotDirectory
	}
	if asked == "" {
		return "", refusal.New("set directory in the step, or etcd.snapshotDirectory in the Environment", "no directory of snapshots is known")
	}
	path, err := filepath.Abs(asked)
	if err != nil {
		return "", fmt.Errorf("finding directory %s: %w", asked, err)
	}
	return path, nil
}

// spareSpace is what a member needs besides its database: the files of its log
// are 64 MB each, made beforehand.
const spareSpace = 256 << 20

// enoughSpace refuses to fill the disk of the machine.
func enoughSpace(directory string, size int64, plan *experiments.Plan) error {
	if err := backup.WritableDirectory(directory); err != nil {
		return err
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(directory, &disk); err != nil {
		return fmt.Errorf("asking for free space in %s: %w", directory, err)
	}
	free, need := int64(disk.Bavail)*int64(disk.Bsize), size+size/4+spareSpace //nolint:unconvert // other systems have other types
	if free < need {
		return refusal.New("name a larger disk with --scratch-dir", "%s has %s free, the step needs about %s", directory, backup.Bytes(free), backup.Bytes(need))
	}
	plan.Notes = append(plan.Notes, fmt.Sprintf("needs about %s in %s, %s are free", backup.Bytes(need), directory, backup.Bytes(free)))
	return nil
}

// planAPIServer holds the program against the cluster's version and finds the
// flags that its data is to be read with.
func (p *restorePlan) planAPIServer(ctx context.Context, env experiments.Env, plan *experiments.Plan) error {
	if env.Etcd.APIServer == "" {
		return refusal.New("set etcd.apiServer in the Environment, or --kube-apiserver, to a kube-apiserver program of the cluster's version; or lower level to match",
			"level apiServer needs a kube-apiserver program")
	}
	if err := apiserver.CheckFlags(env.Etcd.APIServerFlags); err != nil {
		return refusal.New("take it out of etcd.apiServerFlags", "%v", err)
	}
	have, err := apiserver.Version(ctx, env.Etcd.APIServer)
	if err != nil {
		return refusal.New("is it a kube-apiserver for this machine?", "%v", err)
	}
	want, err := env.Client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("asking the cluster for its version: %w", err)
	}
	if minor(have) != minor(want.GitVersion) {
		return refusal.New("use a kube-apiserver of the cluster's own version: another one may read the data otherwise",
			"%s is %s, the cluster runs %s", env.Etcd.APIServer, have, want.GitVersion)
	}
	if have != want.GitVersion {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s is %s, the cluster runs %s", env.Etcd.APIServer, have, want.GitVersion))
	}
	flags, why, err := apiserver.LiveFlags(ctx, env.Client)
	if err != nil {
		return err
	}
	if why != "" {
		plan.Notes = append(plan.Notes, why)
	}
	p.APIServerFlags = flags
	p.Elsewhere, err = apiserver.Elsewhere(ctx, env.Client)
	return err
}

// minor is the first two numbers of a version: v1.36.3 gives v1.36.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// Permissions are none but for level apiServer, which lists everything.
func (s *Restore) Permissions() []kube.Permission {
	if s.level() != rungAPIServer {
		return nil
	}
	return []kube.Permission{
		{Rule: kube.Rule("*", []string{"*"}, "list")},
	}
}

// Permissions are none: a snapshot is asked for with etcd's own credentials.
func (s *Snapshot) Permissions() []kube.Permission { return nil }
