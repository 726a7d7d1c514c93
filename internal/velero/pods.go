package velero

// Annotations of pods by which Velero runs commands when it restores them
// (internal/hook/item_hook_handler.go): in containers that run, and in an init
// container of its own.
const (
	PostHooks     = "post.hook.restore.velero.io/"
	InitHookImage = "init.hook.restore.velero.io/container-image"
	InitHookName  = "init.hook.restore.velero.io/container-name"
)

// RestoreWait is the init container that holds a pod back until its files are
// restored. Velero puts it in front of all others.
const RestoreWait = "restore-wait"

// IsRestoreWait knows it by both names it has had (pkg/restorehelper/util.go).
func IsRestoreWait(container string) bool {
	return container == RestoreWait || container == "restic-wait"
}
