package apiserver

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// readingFlags decide how stored data is read: which APIs are served, at which
// versions, with which fields and defaults. They are taken over from the living
// cluster's API server; every other flag of its would let the scratch server
// reach something of the living cluster, or needs a file of its.
func readingFlags() []string {
	return []string{
		"feature-gates",
		"runtime-config",
		"emulated-version",
		"min-compatibility-version",
		"emulation-forward-compatible",
		"runtime-config-emulation-forward-compatible",
		"service-cluster-ip-range",
		"storage-media-type",
	}
}

// sizeFlags fit the scratch server to the machine. Only people set them.
func sizeFlags() []string {
	return []string{
		"watch-cache",
		"watch-cache-sizes",
		"default-watch-cache-size",
		"request-timeout",
		"max-requests-inflight",
		"max-mutating-requests-inflight",
		"storage-initialization-timeout",
		"etcd-healthcheck-timeout",
		"etcd-readycheck-timeout",
	}
}

// CheckFlags says which of the flags that people add to the scratch API server
// it can't have: those that gameday sets itself, and those by which it could
// reach, or write to, anything but its own etcd.
func CheckFlags(flags []string) error {
	allowed := append(readingFlags(), sizeFlags()...)
	for _, flag := range flags {
		name, _, hasValue := splitFlag(flag)
		switch {
		case name == "":
			return fmt.Errorf("%q is no flag: write --name=value", flag)
		case !slices.Contains(allowed, name):
			return fmt.Errorf("--%s can't be set: the scratch API server takes only --%s", name, strings.Join(allowed, ", --"))
		case !hasValue:
			return fmt.Errorf("--%s has no value: write --%s=value", name, name)
		}
	}
	return nil
}

// splitFlag takes "--name=value" apart; the name is empty when that is no flag.
func splitFlag(flag string) (name, value string, hasValue bool) {
	trimmed, found := strings.CutPrefix(flag, "-")
	if !found {
		return "", "", false
	}
	return cutValue(strings.TrimPrefix(trimmed, "-"))
}

func cutValue(flag string) (name, value string, hasValue bool) {
	name, value, hasValue = strings.Cut(flag, "=")
	return strings.ReplaceAll(name, "_", "-"), value, hasValue
}

// arguments are the command line. The last of two equal flags wins, and lists
// that add up are not open to others, so gameday's own come last.
func (c Config) arguments(own credentials, egressFile string, port int) []string {
	arguments := slices.Concat([]string{c.At.APIServer}, c.Flags, c.At.APIServerFlags, []string{
		"--etcd-servers=" + c.EtcdEndpoint,
		"--etcd-cafile=" + c.CAFile,
		"--etcd-certfile=" + c.CertFile,
		"--etcd-keyfile=" + c.KeyFile,
		"--etcd-prefix=" + c.At.Prefix,
		// What the snapshot holds is read at its revision: it must stay readable.
		"--etcd-compaction-interval=0",
		"--etcd-count-metric-poll-period=0",
		"--etcd-db-metric-poll-interval=0",

		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		// One has to be given, and not of loopback; nobody is told of it.
		"--advertise-address=" + c.advertiseAddress(),
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + own.certFile,
		"--tls-private-key-file=" + own.keyFile,
		"--client-ca-file=" + own.caFile,
		"--service-account-key-file=" + own.accountKeyFile,
		"--service-account-signing-key-file=" + own.accountKeyFile,
		"--service-account-issuer=https://gameday.invalid",
		"--anonymous-auth=false",
		"--authorization-mode=RBAC",
		"--profiling=false",

		"--egress-selector-config-file=" + egressFile,
		// They could not be reached; this way they are not even asked, and what
		// the server writes for itself at boot is not held up.
		"--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook",
		// system:masters is never queued, and there is nobody else.
		"--enable-priority-and-fairness=false",
	})
	if c.At.EncryptionConfig != "" {
		arguments = append(arguments, "--encryption-provider-config="+c.At.EncryptionConfig)
	}
	return arguments
}

// advertiseAddress is one of those reserved for documentation (RFC 5737, RFC
// 3849), of the family of the service range, as kube-apiserver demands.
func (c Config) advertiseAddress() string {
	for _, flag := range slices.Backward(slices.Concat(c.Flags, c.At.APIServerFlags)) {
		name, value, _ := splitFlag(flag)
		if name != "service-cluster-ip-range" {
			continue
		}
		first, _, _ := strings.Cut(value, ",")
		if ip, _, err := net.ParseCIDR(first); err == nil && ip.To4() == nil {
			return "2001:db8::1"
		}
		break
	}
	return "192.0.2.1"
}
