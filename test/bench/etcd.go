package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"gameday.dev/gameday/backup/etcd/live"
	"gameday.dev/gameday/backup/etcd/scratch"
)

// side is one way to do something, and how long it took.
type side func(context.Context) (time.Duration, error)

// compare lets two sides do the same in turns, each going first every other
// time, and returns the ratio of the first to the second of each turn.
func compare(ctx context.Context, what string, times int, ours, theirs side) (ratios []float64, notes []string, err error) {
	sides := []side{ours, theirs}
	for i := range times {
		var took [2]time.Duration
		for turn := range sides {
			who := (turn + i) % 2
			if took[who], err = sides[who](ctx); err != nil {
				return nil, nil, err
			}
		}
		note := fmt.Sprintf("gameday %.2fs, etcd's own tools %.2fs", took[0].Seconds(), took[1].Seconds())
		progress("%s %d of %d: %s", what, i+1, times, note)
		ratios, notes = append(ratios, took[0].Seconds()/took[1].Seconds()), append(notes, note)
	}
	return ratios, notes, nil
}

// measureEtcdSnapshot compares taking a snapshot and looking at every byte and
// page of it with taking one.
func measureEtcdSnapshot(ctx context.Context, b *bench, times int) ([]figure, error) {
	store, err := b.etcdStore(ctx)
	if err != nil {
		return nil, err
	}
	ratios, notes, err := compare(ctx, "snapshot", times,
		func(ctx context.Context) (time.Duration, error) { return b.saveAndInspect(ctx, store) },
		func(ctx context.Context) (time.Duration, error) {
			path := filepath.Join(b.dir, "theirs.db")
			defer os.Remove(path)
			began := time.Now()
			err := store.etcdctlSave(ctx, path)
			return time.Since(began), err
		})
	if err != nil {
		return nil, err
	}
	return []figure{median("snapshot and integrity, gameday / etcdctl snapshot save", "", 1.1, ratios, append([]string{store.describe()}, notes...)...)}, nil
}

func (b *bench) saveAndInspect(ctx context.Context, store *etcdStore) (time.Duration, error) {
	path := filepath.Join(b.dir, "ours.db")
	defer os.Remove(path)
	began := time.Now()
	connection, err := live.Connect(store.at)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	taken, err := connection.Save(ctx, connection.Members(ctx), path, nil)
	if err != nil {
		return 0, err
	}
	// As etcdSnapshot does it: what was hashed while it streamed is not hashed again.
	inspection, err := scratch.InspectKnown(ctx, b.helper(), path, store.at.Prefix,
		scratch.KnownHash{SHA256: taken.SHA256, Size: taken.Size, TrailerOK: true})
	took := time.Since(began)
	if err == nil && (inspection.DamageCount > 0 || inspection.Trailer != scratch.TrailerOK || inspection.Revisions < storedObjects) {
		err = fmt.Errorf("the snapshot is not whole: %+v", inspection)
	}
	return took, err
}

// measureEtcdRestore compares the time from a snapshot to a member that
// answers, its revision included.
func measureEtcdRestore(ctx context.Context, b *bench, times int) ([]figure, error) {
	store, err := b.etcdStore(ctx)
	if err != nil {
		return nil, err
	}
	ratios, notes, err := compare(ctx, "restore", times,
		func(ctx context.Context) (time.Duration, error) { return b.startScratch(ctx, store) },
		func(ctx context.Context) (time.Duration, error) { return b.restoreByEtcdutl(ctx, store) })
	if err != nil {
		return nil, err
	}
	return []figure{median("restore to serving member, gameday / etcdutl snapshot restore + etcd", "", 1.1, ratios, append([]string{store.describe()}, notes...)...)}, nil
}

func (b *bench) startScratch(ctx context.Context, store *etcdStore) (time.Duration, error) {
	dir := filepath.Join(b.dir, "scratch")
	defer os.RemoveAll(dir)
	began := time.Now()
	member, err := scratch.Start(ctx, b.helper(), store.snapshot, dir, func() {})
	if err != nil {
		return 0, err
	}
	defer member.Stop()
	client, err := member.Client()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if err := answers(ctx, client); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

func (b *bench) restoreByEtcdutl(ctx context.Context, store *etcdStore) (time.Duration, error) {
	dir := filepath.Join(b.dir, "restored")
	defer os.RemoveAll(dir)
	began := time.Now()
	if output, err := exec.CommandContext(ctx, store.programs["etcdutl"], "snapshot", "restore", store.snapshot, "--data-dir", dir).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("etcdutl snapshot restore: %w\n%s", err, output)
	}
	server, endpoint, err := startEtcd(ctx, store.programs["etcd"], "http", "--data-dir", dir)
	if err != nil {
		return 0, err
	}
	defer endProcess(server)
	client, err := newEtcdClient(endpoint, "")
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if err := answers(ctx, client); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// answers asks as etcdctl endpoint health does, until there is an answer.
func answers(ctx context.Context, client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		answer, err := client.Get(ctx, "health")
		if err == nil && answer.Header.Revision < storedObjects/putsAtOnce {
			return fmt.Errorf("the restored member is at revision %d", answer.Header.Revision)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func newEtcdClient(endpoint, caFile string) (*clientv3.Client, error) {
	config := clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 10 * time.Second, Logger: zap.NewNop()}
	if caFile != "" {
		authority, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		config.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		config.TLS.RootCAs.AppendCertsFromPEM(authority)
	}
	return clientv3.New(config)
}

func (s *etcdStore) etcdctlSave(ctx context.Context, path string) error {
	command := exec.CommandContext(ctx, s.programs["etcdctl"], "--endpoints", s.at.Endpoints[0], "--cacert", s.at.CAFile, "snapshot", "save", path)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("etcdctl snapshot save: %w\n%s", err, output)
	}
	return nil
}

func (s *etcdStore) describe() string {
	return fmt.Sprintf("%d objects in %.2f GiB, one member with TLS on the same machine", storedObjects, float64(s.size)/(1<<30))
}

// helper is how gameday calls itself for work in a process of its own.
func (b *bench) helper() []string { return []string{b.program, "etcd-helper"} }
