package experiments

// Velero says where Velero is and what reading its backups takes.
type Velero struct {
	// Namespace of Velero's own objects, never empty.
	Namespace string
	// CAFile holds the certificates that the object store's own is signed by, in
	// addition to those of its BackupStorageLocation and the system's; may be empty.
	CAFile string
}
