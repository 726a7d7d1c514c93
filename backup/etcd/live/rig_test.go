package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"gameday.dev/gameday/experiments"
)

// The members are processes of their own, so that they can be killed and
// frozen for real: this test binary, called again with what to be.
const memberVariable = "GAMEDAY_TEST_ETCD_MEMBER"

func TestMain(m *testing.M) {
	if config := os.Getenv(memberVariable); config != "" {
		if err := beMember(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type memberConfig struct {
	Name, Dir, Client, Peer, Initial, State string
	Certs                                   certs
}

// beMember serves until its standard input ends, which it does with the test.
func beMember(text string) error {
	var c memberConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Name, config.Dir, config.InitialCluster, config.ClusterState = c.Name, c.Dir, c.Initial, c.State
	config.Logger, config.LogLevel, config.UnsafeNoFsync = "zap", "error", true
	config.QuotaBackendBytes = 8 << 30
	config.MaxRequestBytes = 8 << 20
	at := func(text string) []url.URL {
		u, _ := url.Parse(text)
		return []url.URL{*u}
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = at(c.Client), at(c.Client)
	config.ListenPeerUrls, config.AdvertisePeerUrls = at(c.Peer), at(c.Peer)
	if c.Certs.CA != "" {
		config.ClientTLSInfo.CertFile, config.ClientTLSInfo.KeyFile = c.Certs.Server, c.Certs.ServerKey
		config.ClientTLSInfo.TrustedCAFile, config.ClientTLSInfo.ClientCertAuth = c.Certs.CA, true
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
	return nil
}

// rig is an etcd cluster.
type rig struct {
	t       testing.TB
	members []*process
	at      experiments.Etcd
	certs   certs
}

type process struct {
	config memberConfig
	cmd    *exec.Cmd
	input  io.Closer
}

// start brings up a cluster of n members, with TLS and client certificates when
// secure.
func start(t testing.TB, n int, secure bool) *rig {
	t.Helper()
	r := &rig{t: t}
	scheme := "http"
	if secure {
		r.certs, scheme = makeCerts(t, time.Hour), "https"
		r.at.CAFile, r.at.CertFile, r.at.KeyFile = r.certs.CA, r.certs.Client, r.certs.ClientKey
	}
	var initial []string
	for i := range n {
		c := memberConfig{
			Name: fmt.Sprintf("m%d", i), Dir: filepath.Join(t.TempDir(), "data"), State: "new",
			Client: scheme + "://" + free(t), Peer: "http://" + free(t), Certs: r.certs,
		}
		initial = append(initial, c.Name+"="+c.Peer)
		r.members = append(r.members, &process{config: c})
		r.at.Endpoints = append(r.at.Endpoints, c.Client)
	}
	for i, member := range r.members {
		member.config.Initial = strings.Join(initial, ",")
		r.run(i)
	}
	r.eventually("all members answer and one leads", func() bool {
		leaders := 0
		for _, member := range r.states() {
			if member.Err != nil || member.Leaderless {
				return false
			}
			if member.Leader {
				leaders++
			}
		}
		return leaders == 1
	})
	return r
}

func (r *rig) run(i int) {
	r.t.Helper()
	member := r.members[i]
	config, err := json.Marshal(member.config)
	if err != nil {
		r.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	member.cmd = exec.Command(self)
	member.cmd.Env = append(os.Environ(), memberVariable+"="+string(config))
	member.cmd.Stderr = os.Stderr
	if testing.Short() || !testing.Verbose() {
		member.cmd.Stderr = nil
	}
	member.input, err = member.cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := member.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	cmd := member.cmd
	r.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func (r *rig) kill(i int)   { r.signal(i, syscall.SIGKILL); _ = r.members[i].cmd.Wait() }
func (r *rig) freeze(i int) { r.signal(i, syscall.SIGSTOP) }
func (r *rig) thaw(i int)   { r.signal(i, syscall.SIGCONT) }

func (r *rig) signal(i int, signal os.Signal) {
	r.t.Helper()
	if err := r.members[i].cmd.Process.Signal(signal); err != nil {
		r.t.Fatal(err)
	}
}

// connect is the client under test.
func (r *rig) connect() *Cluster {
	r.t.Helper()
	c, err := Connect(r.at)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

func (r *rig) states() []Member {
	c, err := Connect(r.at)
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	return c.Members(r.t.Context())
}

// admin is a client that may write.
func (r *rig) admin(endpoints ...string) *clientv3.Client {
	r.t.Helper()
	secure, err := loadTLS(r.at, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	if len(endpoints) == 0 {
		endpoints = r.at.Endpoints
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, TLS: secure, Logger: zap.NewNop(), MaxCallSendMsgSize: 16 << 20, MaxCallRecvMsgSize: 64 << 20})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = client.Close() })
	return client
}

// fill stores so many MiB that don't compress.
func (r *rig) fill(mib int) {
	r.t.Helper()
	client := r.admin()
	random := mathrand.NewChaCha8([32]byte{1})
	value := make([]byte, 1<<20)
	for i := range mib {
		_, _ = random.Read(value)
		if _, err := client.Put(r.t.Context(), fmt.Sprintf("/registry/configmaps/shop/large-%d", i), string(value)); err != nil {
			r.t.Fatal(err)
		}
	}
}

// index finds the member of an endpoint.
func (r *rig) index(endpoint string) int {
	for i, member := range r.members {
		if member.config.Client == endpoint {
			return i
		}
	}
	r.t.Fatalf("no member is at %s", endpoint)
	return -1
}

// leads is the index of the leader.
func (r *rig) leads() int {
	for _, member := range r.states() {
		if member.Leader {
			return r.index(member.Endpoint)
		}
	}
	r.t.Fatal("nobody leads")
	return -1
}

func (r *rig) eventually(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func free(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// certs are files of an authority, a server and a client.
type certs struct{ CA, Server, ServerKey, Client, ClientKey string }

func makeCerts(t testing.TB, valid time.Duration) certs {
	t.Helper()
	directory := t.TempDir()
	now := time.Now().Add(-2 * time.Hour)
	template := func(name string) *x509.Certificate {
		serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
		if err != nil {
			t.Fatal(err)
		}
		return &x509.Certificate{
			SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now, NotAfter: time.Now().Add(valid),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
	}
	authority := template("test authority")
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	authority.NotAfter = time.Now().Add(24 * time.Hour)
	authorityKey := newKey(t)
	sign := func(name string, of *x509.Certificate, key *ecdsa.PrivateKey) (certFile, keyFile string) {
		der, err := x509.CreateCertificate(rand.Reader, of, authority, &key.PublicKey, authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		certFile, keyFile = filepath.Join(directory, name+".crt"), filepath.Join(directory, name+".key")
		write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
		return certFile, keyFile
	}
	var c certs
	c.CA, _ = sign("ca", authority, authorityKey)
	c.Server, c.ServerKey = sign("server", template("etcd"), newKey(t))
	c.Client, c.ClientKey = sign("client", template("gameday"), newKey(t))
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
