package scratch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc/codes"

	"gameday.dev/gameday/internal/snapshots"
)

// memberRequest is what the child is asked.
type memberRequest struct {
	Path string `json:"path"`
	// Dir is there, empty and the child's own.
	Dir string `json:"dir"`
}

const (
	memberName = "scratch"
	// anyPort is taken from the machine when the listeners open; a port that was
	// chosen before could be another's by then.
	anyPort = "https://127.0.0.1:0"
	// recheck is how long a member that gave an error is left alone.
	recheck = 50 * time.Millisecond
)

// runMember restores a snapshot and serves it until ctx ends.
func runMember(ctx context.Context, r memberRequest, stdout, stderr io.Writer) error {
	// etcd panics and exits by way of its logger, so that the last words are here.
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(stderr), zap.ErrorLevel))
	began := time.Now()
	size, err := restore(r, log)
	if err != nil {
		return &Failure{Stage: StageRestore, Machine: machineError(err), Err: err}
	}
	restored := time.Now()
	if err := answer(stdout, reply{Restored: &restoredReply{Took: restored.Sub(began)}}); err != nil {
		return err
	}
	err = serveMember(ctx, r, size, log, func(s servingReply) error {
		s.Took = time.Since(restored)
		return answer(stdout, reply{Serving: &s})
	})
	if err != nil {
		return &Failure{Stage: StageServe, Machine: ctx.Err() != nil || machineError(err), Err: err}
	}
	return nil
}

// restore makes a data directory of the snapshot, as etcdutl does. Revisions
// stay what they are: what was read at one must be found at it again.
func restore(r memberRequest, log *zap.Logger) (size int64, err error) {
	info, err := os.Stat(r.Path)
	if err != nil {
		return 0, err
	}
	if info.Size() < snapshots.TrailerSize { // the library would ask for bytes before the beginning
		return 0, fmt.Errorf("the snapshot has only %d bytes", info.Size())
	}
	return info.Size(), snapshot.NewV3(log).Restore(snapshot.RestoreConfig{
		SnapshotPath:        r.Path,
		Name:                memberName,
		OutputDataDir:       dataDir(r),
		PeerURLs:            []string{anyPort},
		InitialCluster:      memberName + "=" + anyPort,
		InitialClusterToken: memberName,
	})
}

func dataDir(r memberRequest) string { return filepath.Join(r.Dir, "data") }

// serveMember runs an etcd on the restored data, calls serving when it has
// answered and returns when it has ended.
func serveMember(ctx context.Context, r memberRequest, size int64, log *zap.Logger, serving func(servingReply) error) error {
	files, err := writeCredentials(r.Dir)
	if err != nil {
		return fmt.Errorf("making certificates: %w", err)
	}
	config, err := memberConfig(r, size, files, log)
	if err != nil {
		return err
	}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("starting etcd: %w", err)
	}
	defer etcd.Close()
	reply := servingReply{Endpoint: "https://" + etcd.Clients[0].Addr().String(), Auth: etcd.Server.AuthStore().IsAuthEnabled()}
	asking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		cancel(whyEnded(asking, etcd))
	}()
	defer func() { cancel(nil); <-stopped }()
	if err := firstAnswer(asking, files, &reply); err != nil {
		return err
	}
	if err := serving(reply); err != nil {
		return err
	}
	<-asking.Done()
	if ctx.Err() != nil {
		return nil // as asked
	}
	return context.Cause(asking)
}

// whyEnded waits for the end of an etcd, or of ctx.
func whyEnded(ctx context.Context, etcd *embed.Etcd) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-etcd.Err():
		return fmt.Errorf("etcd has ended: %w", err)
	case <-etcd.Server.StopNotify():
		return errors.New("etcd has ended")
	}
}

// memberConfig is that of a real member as far as it decides how long a recovery
// takes: writes are synced, elections take their time. It listens on this machine
// alone and lets nobody in without a certificate of this run.
func memberConfig(r memberRequest, size int64, files credentials, log *zap.Logger) (*embed.Config, error) {
	address, err := url.Parse(anyPort)
	if err != nil {
		return nil, err
	}
	config := embed.NewConfig()
	config.Name, config.Dir = memberName, dataDir(r)
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*address}, []url.URL{*address}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*address}, []url.URL{*address}
	config.InitialCluster = config.InitialClusterFromName(memberName)
	config.InitialClusterToken = memberName
	config.ClientTLSInfo, config.PeerTLSInfo = files.server(), files.server()
	config.EnableGRPCGateway = false
	// A database that had grown to its quota must come up with room to work in.
	config.QuotaBackendBytes = 2*size + 1<<30
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(log)
	return config, nil
}

// firstAnswer asks as clients do until the member answers: linearizable, which
// needs a leader, and over TLS. Alarms of the old cluster are then turned off,
// since they would keep the API server from writing to a copy that has room.
func firstAnswer(ctx context.Context, files credentials, reply *servingReply) error {
	client, err := files.client(reply.Endpoint)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	for {
		if _, err = client.Get(ctx, "/", clientv3.WithCountOnly()); err == nil {
			break
		}
		var told rpctypes.EtcdError
		if errors.As(err, &told) && told.Code() != codes.Unavailable { // waiting changes nothing
			return fmt.Errorf("asking for the first answer: %w", err)
		}
		timer := time.NewTimer(recheck)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("waiting for the first answer: %w", context.Cause(ctx))
		case <-timer.C:
		}
	}
	raised, err := client.AlarmList(ctx)
	if err != nil {
		return fmt.Errorf("listing alarms: %w", err)
	}
	for _, alarm := range raised.Alarms {
		if name := alarm.Alarm.String(); !slices.Contains(reply.Alarms, name) {
			reply.Alarms = append(reply.Alarms, name)
		}
		if _, err := client.AlarmDisarm(ctx, &clientv3.AlarmMember{MemberID: alarm.MemberID, Alarm: alarm.Alarm}); err != nil {
			return fmt.Errorf("turning off alarm %s of the copy: %w", alarm.Alarm, err)
		}
	}
	slices.Sort(reply.Alarms) // etcd lists them in any order
	return nil
}
