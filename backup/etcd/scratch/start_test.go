package scratch

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

func started(t *testing.T, data []byte) *Member {
	t.Helper()
	member, err := Start(t.Context(), helperProgram(), write(t, data), filepath.Join(t.TempDir(), "member"), nil)
	if err != nil {
		t.Fatalf("starting a member: %v", err)
	}
	t.Cleanup(member.Stop)
	return member
}

func connected(t *testing.T, m *Member) *clientv3.Client {
	t.Helper()
	client, err := m.Client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestMemberServesWhatTheSnapshotHolds(t *testing.T) {
	s := snapshotOf(t)
	path, dir := write(t, s.data), filepath.Join(t.TempDir(), "member")
	restored := 0
	member, err := Start(t.Context(), helperProgram(), path, dir, func() { restored++ })
	if err != nil {
		t.Fatal(err)
	}
	defer member.Stop()
	if restored != 1 || member.RestoreTook <= 0 || member.ServeTook <= 0 {
		t.Errorf("restored was called %d times, restore took %v, serving %v", restored, member.RestoreTook, member.ServeTook)
	}
	if member.Err() != nil || member.Auth || len(member.Alarms) > 0 {
		t.Errorf("err %v, auth %t, alarms %q", member.Err(), member.Auth, member.Alarms)
	}
	client := connected(t, member)
	stored := 0
	eachEntry(t, s.data, func(_, _ []byte) { stored++ })
	answer, err := client.Get(t.Context(), "/registry/", clientv3.WithPrefix(), clientv3.WithRev(s.revision), clientv3.WithKeysOnly())
	if err != nil || answer.Count == 0 || answer.Count > int64(stored) {
		t.Fatalf("%d keys, %v", answer.Count, err)
	}
	if answer.Header.Revision != s.revision {
		t.Errorf("it is at revision %d, the snapshot at %d", answer.Header.Revision, s.revision)
	}
	if _, err := client.Get(t.Context(), "/registry/", clientv3.WithRev(s.compacted-1)); err == nil {
		t.Error("what was compacted can be read")
	}
	if _, err := client.Put(t.Context(), "/registry/scratch", "x"); err != nil {
		t.Errorf("an API server could not write to it: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != string(s.data) {
		t.Errorf("the snapshot itself was changed, %v", err)
	}
	member.Stop()
	select {
	case <-member.Ended():
	default:
		t.Error("Stop came back before its end")
	}
	if alive(member.helper.Pid()) {
		t.Error("its process is left")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
	member.Stop() // again
	if err := member.Err(); err != nil {
		t.Errorf("it was asked to end, and says %v", err)
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestNobodyElseReadsAMember(t *testing.T) {
	member := started(t, snapshotOf(t).data)
	dir := filepath.Dir(member.CAFile)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		// etcd leaves one file of its own readable, within a directory that is not.
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 && filepath.Ext(path) != ".snap" {
			t.Errorf("%s is open to others: %v, %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	without := member.TLS.Clone()
	without.Certificates = nil
	ports := listening(t, member.helper.Pid())
	if len(ports) != 2 {
		t.Errorf("it listens at %q, want a port for clients and one for peers", ports)
	}
	for _, address := range ports {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("it listens at %s", address)
		}
		dialer := tls.Dialer{Config: without}
		connection, err := dialer.DialContext(t.Context(), "tcp", address)
		if err == nil { // with TLS 1.3 the refusal comes with the first answer
			_ = connection.SetDeadline(time.Now().Add(time.Minute))
			_, err = fmt.Fprint(connection, "GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
			if err == nil {
				_, err = connection.Read(make([]byte, 1))
			}
			connection.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "certificate required") {
			t.Errorf("%s lets us in without a certificate: %v", address, err)
		}
	}
}

// listening gives the TCP addresses that a process listens at.
func listening(t *testing.T, pid int) []string {
	t.Helper()
	inodes := map[string]bool{}
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		target, _ := os.Readlink(link)
		inodes[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
	}
	var found []string
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Skipf("this system does not say who listens where: %v", err)
		}
		for line := range strings.Lines(string(data)) {
			columns := strings.Fields(line)
			if len(columns) < 10 || columns[3] != "0A" || !inodes[columns[9]] {
				continue
			}
			address, port, _ := strings.Cut(columns[1], ":")
			var number int
			_, _ = fmt.Sscanf(port, "%X", &number)
			if address == "0100007F" {
				address = "127.0.0.1"
			}
			found = append(found, fmt.Sprintf("%s:%d", address, number))
		}
	}
	return found
}

// special makes a small snapshot of a cluster that was prepared.
func special(t *testing.T, prepare func(context.Context, *clientv3.Client, *embed.Etcd) error) []byte {
	t.Helper()
	var data []byte
	err := runEtcd(t.TempDir(), func(client *clientv3.Client, etcd *embed.Etcd) error {
		if err := fill(t.Context(), client, 50); err != nil {
			return err
		}
		if err := prepare(t.Context(), client, etcd); err != nil {
			return err
		}
		// As admin: with users, a snapshot is theirs to take.
		read, write := etcd.Server.Backend().Snapshot(), t.TempDir()
		defer read.Close()
		file, err := os.Create(filepath.Join(write, "db"))
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := read.WriteTo(file); err != nil {
			return err
		}
		data, err = os.ReadFile(file.Name())
		return err
	})
	if err != nil {
		t.Fatalf("making a snapshot: %v", err)
	}
	return seal(append(data, make([]byte, 32)...))
}

func TestMemberOfAClusterWithUsersCanBeRead(t *testing.T) {
	data := special(t, func(ctx context.Context, client *clientv3.Client, _ *embed.Etcd) error {
		_, err := client.UserAdd(ctx, "root", "secret")
		if err == nil {
			_, err = client.UserGrantRole(ctx, "root", "root")
		}
		if err == nil {
			_, err = client.AuthEnable(ctx)
		}
		return err
	})
	member := started(t, data)
	if !member.Auth {
		t.Error("its users are not mentioned")
	}
	client := connected(t, member)
	answer, err := client.Get(t.Context(), "/registry/", clientv3.WithPrefix())
	if err != nil || answer.Count < 40 {
		t.Errorf("reading: %v", err)
	}
	if _, err := client.Put(t.Context(), "/registry/scratch", "x"); err != nil {
		t.Errorf("writing: %v", err)
	}
}

func TestAlarmsDoNotMakeAMemberUseless(t *testing.T) {
	data := special(t, func(ctx context.Context, _ *clientv3.Client, etcd *embed.Etcd) error {
		for _, alarm := range []pb.AlarmType{pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT} {
			raise := &pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: uint64(etcd.Server.MemberID()), Alarm: alarm}
			if _, err := etcd.Server.Alarm(ctx, raise); err != nil {
				return err
			}
		}
		return nil
	})
	if got := inspected(t, data); got.DamageCount > 0 || strings.Join(got.Alarms, " ") != "NOSPACE CORRUPT" {
		t.Errorf("inspecting: damage %q, alarms %q", got.Damage, got.Alarms)
	}
	member := started(t, data)
	if strings.Join(member.Alarms, " ") != "CORRUPT NOSPACE" {
		t.Errorf("alarms %q", member.Alarms)
	}
	if _, err := connected(t, member).Put(t.Context(), "/registry/scratch", "x"); err != nil {
		t.Errorf("writing: %v", err)
	}
}

func TestAMemberDiesWithItsParent(t *testing.T) {
	s := snapshotOf(t)
	command := exec.Command(os.Args[0], asParent, write(t, s.data), filepath.Join(t.TempDir(), "member"))
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var endpoint string
	if _, err := fmt.Fscanln(bufio.NewReader(output), &pid, &endpoint); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatal("the member is gone before its parent")
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // killed
	deadline := time.Now().Add(time.Minute)
	for alive(pid) && !zombie(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("member %d outlives its parent", pid)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// zombie says that a process has ended and is only waiting to be counted.
func zombie(pid int) bool {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(after, "Z")
}

func TestAMemberThatIsKilledSaysSo(t *testing.T) {
	member := started(t, snapshotOf(t).data)
	if err := syscall.Kill(member.helper.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-member.Ended():
	case <-time.After(time.Minute):
		t.Fatal("its end goes unnoticed")
	}
	if err := member.Err(); err == nil || !strings.Contains(err.Error(), "signal 9") {
		t.Errorf("got %v", err)
	}
}
