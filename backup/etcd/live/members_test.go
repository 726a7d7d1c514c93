package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestMembers(t *testing.T) {
	r := start(t, 3, true)
	r.fill(1)
	r.eventually("followers have applied what the leader has", func() bool {
		return !slices.ContainsFunc(r.states(), func(m Member) bool { return m.Revision != 2 })
	})
	c := r.connect()
	members := c.Members(t.Context())
	ids, err := c.IDs(t.Context())
	if err != nil || len(ids) != 3 {
		t.Fatalf("%v, %v", ids, err)
	}
	for i, member := range members {
		if member.Err != nil || member.Name != fmt.Sprintf("m%d", i) || member.Endpoint != r.at.Endpoints[i] || !slices.Contains(ids, member.ID) ||
			member.DBSize == 0 || member.Revision != 2 || member.Applied == 0 || !strings.HasPrefix(member.Version, "3.") || member.Learner || member.Leaderless {
			t.Errorf("%+v", member)
		}
	}
	t.Run("agree", func(t *testing.T) {
		agreement, err := c.Agree(t.Context(), members)
		if err != nil || len(agreement.Compared) != 3 || len(agreement.Differ) > 0 || len(agreement.Left) > 0 || agreement.Revision != 2 {
			t.Errorf("%+v, %v", agreement, err)
		}
	})
	t.Run("agree while much is written and compacted", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		admin := r.admin()
		go func() {
			defer close(done)
			for i := 0; ctx.Err() == nil; i++ {
				answer, err := admin.Put(ctx, fmt.Sprintf("/registry/leases/%d", i%10), "x")
				if err == nil && i%200 == 199 {
					_, _ = admin.Compact(ctx, answer.Header.Revision-100)
				}
			}
		}()
		compared := 0
		for range 20 {
			agreement, err := c.Agree(t.Context(), c.Members(t.Context()))
			if err != nil || len(agreement.Differ) > 0 {
				t.Errorf("%+v, %v", agreement, err)
			}
			if len(agreement.Compared) == 3 {
				compared++
			}
		}
		stop()
		<-done
		if compared < 15 {
			t.Errorf("all were compared %d of 20 times", compared)
		}
	})
	t.Run("asked of old states, compacted since", func(t *testing.T) {
		admin := r.admin()
		answer, err := admin.Put(t.Context(), "/a", "b")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := admin.Compact(t.Context(), answer.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
			t.Fatal(err)
		}
		agreement, err := c.Agree(t.Context(), members) // their revision is 2
		if err != nil || len(agreement.Compared) != 3 || agreement.Revision < answer.Header.Revision {
			t.Errorf("%+v, %v", agreement, err)
		}
	})
	t.Run("a member that is behind is asked again", func(t *testing.T) {
		admin := r.admin()
		member := c.Members(t.Context())[1]
		written := make(chan error, 1)
		go func() {
			time.Sleep(5 * askAgainAfter)
			_, err := admin.Put(t.Context(), "/a", "late")
			written <- err
		}()
		answer := c.hash(t.Context(), member, member.Revision+1)
		if answer.err != nil || answer.through != member.Revision+1 {
			t.Errorf("%+v", answer)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if answer := c.hash(t.Context(), member, member.Revision+100); answer.err == nil || time.Since(began) < catchUpWithin-time.Second {
			t.Errorf("it never comes to that, and was asked for %s: %+v", time.Since(began), answer)
		}
	})
	t.Run("one frozen", func(t *testing.T) {
		follower := (r.leads() + 1) % 3
		r.freeze(follower)
		began := time.Now()
		members := c.Members(t.Context())
		if took := time.Since(began); took > answerWithin+2*time.Second {
			t.Errorf("it took %s: they are not asked side by side", took)
		}
		agreement, err := c.Agree(t.Context(), members)
		r.thaw(follower)
		if err != nil || len(agreement.Compared) != 2 || !strings.Contains(agreement.Left[r.at.Endpoints[follower]], "did not answer") || members[follower].Err == nil {
			t.Errorf("%+v, %v", agreement, err)
		}
	})
	t.Run("no quorum", func(t *testing.T) {
		r.kill(0)
		r.kill(1)
		r.eventually("the last knows no leader", func() bool { return c.Members(t.Context())[2].Leaderless })
		members := c.Members(t.Context())
		if members[2].Name != "m2" || members[2].Err != nil || members[0].Err == nil {
			t.Errorf("%+v", members)
		}
		if _, err := c.IDs(t.Context()); err == nil {
			t.Error("the ids are told without a quorum")
		}
		agreement, err := c.Agree(t.Context(), members)
		if err != nil || len(agreement.Compared) > 0 || len(agreement.Differ) > 0 {
			t.Errorf("one alone: %+v, %v", agreement, err)
		}
		taken, err := c.Save(t.Context(), members, target(t), nil)
		if err != nil || !taken.Leaderless {
			t.Errorf("%+v, %v", taken, err)
		}
	})
}

// A value altered in the file of one member is found, and the member named.
func TestDifferentData(t *testing.T) {
	r := start(t, 3, false)
	r.fill(1)
	admin := r.admin()
	if _, err := admin.Put(t.Context(), "/registry/configmaps/shop/a", "sound"); err != nil {
		t.Fatal(err)
	}
	c := r.connect()
	if agreement, err := c.Agree(t.Context(), c.Members(t.Context())); err != nil || len(agreement.Compared) != 3 || len(agreement.Differ) > 0 {
		t.Fatalf("before: %+v, %v", agreement, err)
	}
	follower := (r.leads() + 1) % 3
	// Everything must be in the file before the member dies.
	if _, err := admin.Defragment(t.Context(), r.at.Endpoints[follower]); err != nil {
		t.Fatal(err)
	}
	r.kill(follower)
	alter(t, filepath.Join(r.members[follower].config.Dir, "member", "snap", "db"))
	r.run(follower)
	r.eventually("it is back", func() bool { m := r.states()[follower]; return m.Err == nil && !m.Leaderless })
	agreement, err := c.Agree(t.Context(), c.Members(t.Context()))
	if err != nil || len(agreement.Compared) != 3 || !slices.Equal(agreement.Differ, []string{r.at.Endpoints[follower]}) {
		t.Errorf("%+v, %v", agreement, err)
	}
}

func alter(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte("key"))
		key, value := bucket.Cursor().Last()
		var stored mvccpb.KeyValue
		if err := stored.Unmarshal(value); err != nil {
			return err
		}
		if string(stored.Value) != "sound" {
			return fmt.Errorf("the last value is %q", stored.Value)
		}
		stored.Value = []byte("faulty")
		data, err := stored.Marshal()
		if err != nil {
			return err
		}
		return bucket.Put(slices.Clone(key), data)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAlarms(t *testing.T) {
	r := start(t, 3, true)
	c := r.connect()
	first := sources(c.Members(t.Context()))[0]
	raise := func(alarm pb.AlarmType) {
		request := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: first.ID, Alarm: alarm}
		if _, err := pb.NewMaintenanceClient(r.admin().ActiveConnection()).Alarm(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	raise(pb.AlarmType_NOSPACE)
	raise(pb.AlarmType_CORRUPT)
	i := r.index(first.Endpoint)
	r.eventually("all know", func() bool { return len(c.Members(t.Context())[i].Alarms) == 2 })
	members := c.Members(t.Context())
	for j, member := range members {
		if want := j == i; want != (len(member.Alarms) > 0) || want && !slices.Equal(sorted(member.Alarms), []string{"CORRUPT", "NOSPACE"}) {
			t.Errorf("%+v", member)
		}
	}
	taken, err := c.Save(t.Context(), members, target(t), nil)
	if err != nil || taken.Member == first.Endpoint {
		t.Errorf("%+v, %v", taken, err)
	}
	agreement, err := c.Agree(t.Context(), members)
	if err != nil || !slices.Equal(agreement.Differ, []string{first.Endpoint}) {
		t.Errorf("%+v, %v", agreement, err)
	}
	if _, err := c.Save(t.Context(), []Member{members[i]}, target(t), nil); err == nil || !strings.Contains(err.Error(), "alarm CORRUPT") {
		t.Error(err)
	}
}

func sorted(of []string) []string { slices.Sort(of); return of }

func TestLearner(t *testing.T) {
	r := start(t, 1, false)
	admin := r.admin()
	peer := "http://" + free(t)
	if _, err := admin.MemberAddAsLearner(t.Context(), []string{peer}); err != nil {
		t.Fatal(err)
	}
	old := r.members[0].config
	config := memberConfig{Name: "learner", Dir: filepath.Join(t.TempDir(), "data"), State: "existing", Client: "http://" + free(t), Peer: peer}
	config.Initial = old.Initial + ",learner=" + peer
	r.members = append(r.members, &process{config: config})
	r.at.Endpoints = append(r.at.Endpoints, config.Client)
	r.run(1)
	r.eventually("the learner answers", func() bool { return r.states()[1].Err == nil })
	c := r.connect()
	members := c.Members(t.Context())
	if !members[1].Learner || members[1].Name != "learner" {
		t.Fatalf("%+v", members[1])
	}
	taken, err := c.Save(t.Context(), members, target(t), nil)
	if err != nil || !taken.Leader {
		t.Errorf("%+v, %v", taken, err)
	}
	agreement, err := c.Agree(t.Context(), members)
	if err != nil || len(agreement.Compared) > 0 || !strings.Contains(agreement.Left[config.Client], "learner") {
		t.Errorf("%+v, %v", agreement, err)
	}
}

func TestAuthentication(t *testing.T) {
	r := start(t, 3, false)
	admin := r.admin()
	ctx := t.Context()
	for _, step := range []func() error{
		func() error { _, err := admin.UserAdd(ctx, "root", "secret"); return err },
		func() error { _, err := admin.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := admin.UserAdd(ctx, "reader", "secret"); return err },
		func() error { _, err := admin.Put(ctx, "/registry/a", "b"); return err },
		func() error { _, err := admin.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	directory := t.TempDir()
	right, wrong := filepath.Join(directory, "right"), filepath.Join(directory, "wrong")
	write(t, right, []byte("secret\n"))
	write(t, wrong, []byte("wrong"))
	tests := map[string]struct{ user, file, want string }{
		"root":           {"root", right, ""},
		"wrong password": {"root", wrong, "etcd.passwordFile is wrong"},
		"nobody":         {"", "", "authentication on"},
		"too few rights": {"reader", right, "needs the role root"},
	}
	for name, test := range tests {
		at := r.at
		at.Username, at.PasswordFile = test.user, test.file
		c, err := Connect(at)
		if err != nil {
			t.Fatal(err)
		}
		members := c.Members(ctx)
		if test.want != "" {
			_, saved := c.Save(ctx, members, target(t), nil)
			if err := errors.Join(members[0].Err, saved); saved == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v, want %q", name, err, test.want)
			}
			c.Close()
			continue
		}
		taken, err := c.Save(ctx, members, target(t), nil)
		if err != nil || taken.Leader {
			t.Errorf("%s: %+v, %v", name, taken, err)
		}
		if agreement, err := c.Agree(ctx, members); err != nil || len(agreement.Compared) != 3 {
			t.Errorf("%s: %+v, %v", name, agreement, err)
		}
		if answer, err := c.Client.Get(ctx, "/registry/a"); err != nil || answer.Count != 1 {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
		// Tokens are forgotten by a member that starts again.
		for i := range r.members {
			r.kill(i)
		}
		for i := range r.members {
			r.run(i)
		}
		r.eventually("they are back", func() bool {
			for _, member := range c.Members(ctx) {
				if member.Err != nil || member.Leaderless {
					return false
				}
			}
			return true
		})
		if _, err := c.Save(ctx, c.Members(ctx), target(t), nil); err != nil {
			t.Errorf("%s, after a restart: %v", name, err)
		}
		if answer, err := c.Client.Get(ctx, "/registry/a"); err != nil || answer.Count != 1 {
			t.Errorf("%s, after a restart: %v, %v", name, answer, err)
		}
		c.Close()
	}
}

func FuzzParseAlarm(f *testing.F) {
	f.Add("memberID:10501334649042878790 alarm:CORRUPT ")
	f.Add("etcdserver: no leader")
	f.Fuzz(func(t *testing.T, text string) {
		if id, alarm, ok := parseAlarm(text); ok && (id == 0 || alarm == "") {
			t.Errorf("%q", text)
		}
	})
}
