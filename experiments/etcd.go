package experiments

// Etcd says where the cluster's etcd is, how to be let in, and what reading its
// data takes. Paths are absolute.
type Etcd struct {
	// Endpoints are URLs of the members' client ports, at least one.
	Endpoints []string
	CAFile    string
	CertFile  string
	KeyFile   string
	// Username and PasswordFile are for clusters with etcd's own authentication.
	Username     string
	PasswordFile string
	// Prefix is the API server's --etcd-prefix: "/registry" unless told otherwise.
	Prefix string
	// EncryptionConfig is the API server's EncryptionConfiguration, empty when
	// nothing is encrypted at rest.
	EncryptionConfig string
	// SnapshotDirectory is where snapshots are kept, for steps and checks that
	// do not name a directory; may be empty.
	SnapshotDirectory string
	// APIServer is a kube-apiserver binary of the cluster's version; may be empty.
	APIServer string
	// APIServerFlags are added to those of the scratch API server, such as --feature-gates=….
	APIServerFlags []string
}
