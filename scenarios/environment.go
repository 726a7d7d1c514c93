package scenarios

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/verify"
)

// Environment says where things are, so that one scenario serves every cluster.
type Environment struct {
	// APIVersion is gameday.dev/v1alpha1.
	APIVersion string `json:"apiVersion" jsonschema:"enum=gameday.dev/v1alpha1"`
	// Kind is Environment.
	Kind string `json:"kind" jsonschema:"enum=Environment"`
	// Metadata names the environment; the name stands in every report.
	Metadata Metadata `json:"metadata"`
	// Spec is the environment itself.
	Spec EnvironmentSpec `json:"spec"`
}

// EnvironmentSpec is the body of an Environment. Relative paths in it are
// relative to its file.
type EnvironmentSpec struct {
	// Context of the kubeconfig. Runs are refused against any other cluster.
	Context string `json:"context,omitempty"`
	// Kubeconfig is a path. Unset: as kubectl finds it, or the service account in a pod.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Prometheus answers the alerts check.
	Prometheus *Endpoint `json:"prometheus,omitempty"`
	// Alertmanager answers for alerts that must be routed or notified.
	Alertmanager *Endpoint `json:"alertmanager,omitempty"`
	// Receiver answers GET with a JSON array of the notifications it was sent;
	// needed for alerts that must be delivered.
	Receiver *Endpoint `json:"receiver,omitempty"`
	// Etcd is used by etcdSnapshot, etcdRestore and the backups check.
	Etcd *Etcd `json:"etcd,omitempty"`
	// Velero is used by veleroRestore and the backups check.
	Velero *Velero `json:"velero,omitempty"`
	// Image is a container image with gameday in it, which nodes can pull: for
	// pods that look at volumes from inside the cluster.
	Image string `json:"image,omitempty"`
}

// Endpoint is an HTTP service and all that is needed to be let in.
type Endpoint struct {
	// URL of the service, with http or https. No user or password in it.
	URL string `json:"url"`
	// CAFile holds the certificates that the service's own must be signed by.
	CAFile string `json:"caFile,omitempty"`
	// CertFile and keyFile are the client's certificate.
	CertFile string `json:"certFile,omitempty"`
	// KeyFile is the key of certFile.
	KeyFile string `json:"keyFile,omitempty"`
	// BearerTokenFile holds a token; it is read at each connection.
	BearerTokenFile string `json:"bearerTokenFile,omitempty"`
	// Headers are sent with every request. Keep secrets in headerFiles.
	Headers Headers `json:"headers,omitempty"`
	// HeaderFiles are headers whose values are read from files.
	HeaderFiles map[string]string `json:"headerFiles,omitempty"`
	// InsecureSkipVerify trusts any certificate: for throw-away clusters.
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
}

// resolve makes relative paths relative to the directory of the file.
func (e *Environment) resolve(dir string) {
	paths := []*string{&e.Spec.Kubeconfig}
	for _, endpoint := range []*Endpoint{e.Spec.Prometheus, e.Spec.Alertmanager, e.Spec.Receiver} {
		if endpoint == nil {
			continue
		}
		paths = append(paths, &endpoint.CAFile, &endpoint.CertFile, &endpoint.KeyFile, &endpoint.BearerTokenFile)
		for name, path := range endpoint.HeaderFiles {
			endpoint.HeaderFiles[name] = under(dir, path)
		}
	}
	if etcd := e.Spec.Etcd; etcd != nil {
		paths = append(paths, &etcd.CAFile, &etcd.CertFile, &etcd.KeyFile, &etcd.PasswordFile,
			&etcd.EncryptionConfig, &etcd.SnapshotDirectory, &etcd.APIServer)
	}
	if velero := e.Spec.Velero; velero != nil {
		paths = append(paths, &velero.CAFile)
	}
	for _, path := range paths {
		*path = under(dir, *path)
	}
}

func under(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// ForChecks gives the endpoint as the checks use it. readFile reads the header
// files; it is called once for each.
func (e *Endpoint) ForChecks(readFile func(string) ([]byte, error)) (*verify.Endpoint, error) {
	if e == nil {
		return nil, nil
	}
	headers := maps.Clone(map[string]string(e.Headers))
	for _, name := range slices.Sorted(maps.Keys(e.HeaderFiles)) {
		value, err := readFile(e.HeaderFiles[name])
		if err != nil {
			return nil, fmt.Errorf("reading header %s of %s: %w", name, e.URL, err)
		}
		if headers == nil {
			headers = map[string]string{}
		}
		headers[name] = strings.TrimSpace(string(value))
	}
	return &verify.Endpoint{
		URL:                e.URL,
		CAFile:             e.CAFile,
		CertFile:           e.CertFile,
		KeyFile:            e.KeyFile,
		BearerTokenFile:    e.BearerTokenFile,
		Headers:            headers,
		InsecureSkipVerify: e.InsecureSkipVerify,
	}, nil
}

// Headers are HTTP headers. Their values never leave by printing or encoding.
type Headers map[string]string

// String names the headers without their values.
func (h Headers) String() string {
	return fmt.Sprintf("%v", slices.Sorted(maps.Keys(h)))
}

// GoString is String: %#v must not show values either.
func (h Headers) GoString() string { return h.String() }

// MarshalJSON hides the values.
func (h Headers) MarshalJSON() ([]byte, error) {
	hidden := make(map[string]string, len(h))
	for name := range h {
		hidden[name] = "(hidden)"
	}
	return json.Marshal(hidden)
}

// Etcd says where etcd is, how to be let in, and what reading its data takes.
type Etcd struct {
	// Endpoints are URLs of the members' client ports. List all members.
	Endpoints []string `json:"endpoints"`
	// CAFile holds the certificates that the members' own are signed by.
	CAFile string `json:"caFile,omitempty"`
	// CertFile and keyFile are the client's certificate.
	CertFile string `json:"certFile,omitempty"`
	// KeyFile is the key of certFile.
	KeyFile string `json:"keyFile,omitempty"`
	// Username is for clusters with etcd's own authentication; a snapshot needs the root role.
	Username string `json:"username,omitempty"`
	// PasswordFile holds the password of username.
	PasswordFile string `json:"passwordFile,omitempty"`
	// Prefix is the API server's --etcd-prefix. Default /registry.
	Prefix string `json:"prefix,omitempty"`
	// EncryptionConfig is the EncryptionConfiguration of the API server, if it has one.
	EncryptionConfig string `json:"encryptionConfig,omitempty"`
	// SnapshotDirectory is where snapshots are kept.
	SnapshotDirectory string `json:"snapshotDirectory,omitempty"`
	// APIServer is a kube-apiserver program of the cluster's version, for level apiServer.
	APIServer string `json:"apiServer,omitempty"`
	// APIServerFlags are those of the cluster's API server that decide how its
	// data is read, such as --feature-gates; needed where it is not a static pod.
	APIServerFlags []string `json:"apiServerFlags,omitempty"`
}

// ForSteps gives etcd as the steps use it.
func (e *Etcd) ForSteps() *experiments.Etcd {
	if e == nil {
		return nil
	}
	prefix := e.Prefix
	if prefix == "" {
		prefix = defaultEtcdPrefix
	}
	return &experiments.Etcd{
		Endpoints: e.Endpoints, CAFile: e.CAFile, CertFile: e.CertFile, KeyFile: e.KeyFile,
		Username: e.Username, PasswordFile: e.PasswordFile,
		Prefix: prefix, EncryptionConfig: e.EncryptionConfig, SnapshotDirectory: e.SnapshotDirectory,
		APIServer: e.APIServer, APIServerFlags: e.APIServerFlags,
	}
}

// defaultEtcdPrefix is the API server's own default of --etcd-prefix.
const defaultEtcdPrefix = "/registry"

// Velero says where Velero is and what reading its backups takes.
type Velero struct {
	// Namespace of Velero's own objects. Default velero.
	Namespace string `json:"namespace,omitempty"`
	// CAFile holds the certificates that the object store's own is signed by,
	// where the BackupStorageLocation does not say.
	CAFile string `json:"caFile,omitempty"`
}

// ForSteps gives Velero as steps and checks use it; nil stands for the defaults.
func (v *Velero) ForSteps() experiments.Velero {
	velero := experiments.Velero{Namespace: defaultVeleroNamespace}
	if v == nil {
		return velero
	}
	if v.Namespace != "" {
		velero.Namespace = v.Namespace
	}
	velero.CAFile = v.CAFile
	return velero
}

// defaultVeleroNamespace is the one that `velero install` makes.
const defaultVeleroNamespace = "velero"
