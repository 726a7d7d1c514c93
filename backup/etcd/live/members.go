package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// Member is what one endpoint says of itself.
type Member struct {
	Endpoint string
	ID       uint64
	// ClusterID is the same for all members of one cluster.
	ClusterID uint64
	Name      string
	Leader    bool
	Learner   bool
	// Leaderless says that it knows of no leader: what it holds may be old.
	Leaderless bool
	Version    string
	DBSize     int64 // bytes, as the file is
	Revision   int64
	Applied    uint64   // raft index
	Alarms     []string // NOSPACE, CORRUPT
	Err        error    // it did not answer; the rest is zero
}

// alarmCorrupt is the alarm of a member whose data differs from the others'.
const alarmCorrupt = "CORRUPT"

func (m Member) corrupt() bool { return slices.Contains(m.Alarms, alarmCorrupt) }

// Members asks every endpoint for its state, side by side, each with a deadline of its own.
func (c *Cluster) Members(ctx context.Context) []Member {
	members := make([]Member, len(c.endpoints))
	names := make([]map[uint64]string, len(c.endpoints))
	var asking sync.WaitGroup
	for i, endpoint := range c.endpoints {
		asking.Go(func() { members[i], names[i] = c.ask(ctx, endpoint) })
	}
	asking.Wait()
	for i := range members {
		for _, known := range names { // a learner does not tell its own
			members[i].Name = cmp.Or(members[i].Name, known[members[i].ID])
		}
	}
	spreadAlarms(members)
	return members
}

// ask asks one endpoint for its state, and for the names of all.
func (c *Cluster) ask(ctx context.Context, endpoint string) (Member, map[uint64]string) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := c.Client.Dial(endpoint)
	if err != nil {
		return Member{Endpoint: endpoint, Err: fmt.Errorf("asking %s: %w", endpoint, err)}, nil
	}
	defer func() { _ = conn.Close() }()
	// A question that fails at once tells why; one that waits until the
	// connection is ready would only tell that its time was up.
	status, err := pb.NewMaintenanceClient(conn).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		return Member{Endpoint: endpoint, Err: fmt.Errorf("asking %s: %w", endpoint, explainFirst(err))}, nil
	}
	id := status.Header.GetMemberId()
	member := Member{
		Endpoint: endpoint, ID: id, ClusterID: status.Header.GetClusterId(), Version: status.Version, DBSize: status.DbSize,
		Leader: status.Leader == id && id != 0, Leaderless: status.Leader == 0, Learner: status.IsLearner,
		Revision: status.Header.GetRevision(), Applied: status.RaftAppliedIndex, Alarms: status.Errors,
	}
	return member, namesAt(ctx, conn)
}

// namesAt asks a member for the names of all it knows, which its status does
// not tell. They are for people only, so that nothing depends on the answer;
// it needs no quorum.
func namesAt(ctx context.Context, conn *grpc.ClientConn) map[uint64]string {
	list, err := pb.NewClusterClient(conn).MemberList(ctx, &pb.MemberListRequest{})
	if err != nil {
		return nil
	}
	names := map[uint64]string{}
	for _, member := range list.Members {
		names[member.ID] = member.Name
	}
	return names
}

// spreadAlarms turns what the members say of alarms into alarms of each. Every
// member knows those of all, and tells them as the text of a message; see
// maintenanceServer.Status in server/etcdserver/api/v3rpc/maintenance.go.
func spreadAlarms(members []Member) {
	of := map[uint64][]string{}
	for _, member := range members {
		for _, text := range member.Alarms {
			if id, alarm, ok := parseAlarm(text); ok && !slices.Contains(of[id], alarm) {
				of[id] = append(of[id], alarm)
			}
		}
	}
	for i := range members {
		members[i].Alarms = nil
		if members[i].Err == nil {
			members[i].Alarms = of[members[i].ID]
		}
	}
}

// parseAlarm reads "memberID:10501334649042878790 alarm:CORRUPT ".
func parseAlarm(text string) (member uint64, alarm string, ok bool) {
	for part := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(part, ":")
		switch name {
		case "memberID":
			id, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return 0, "", false
			}
			member = id
		case "alarm":
			alarm = value
		}
	}
	return member, alarm, member != 0 && alarm != ""
}

// IDs are the ids of all members of the cluster, those without an endpoint included.
func (c *Cluster) IDs(ctx context.Context) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	list, err := c.Client.MemberList(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the members of etcd: %w", explain(err))
	}
	var ids []uint64
	for _, member := range list.Members {
		ids = append(ids, member.ID)
	}
	slices.Sort(ids)
	return ids, nil
}
