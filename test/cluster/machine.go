package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// packages are the Debian packages with what is not built from Go modules,
// each with a program that shows whether it is there.
var packages = []struct{ name, program string }{
	{"runc", "runc"},
	{"nftables", "nft"},
	{"conntrack", "conntrack"},
	{"iproute2", "ip"},
	{"util-linux", "nsenter"},
	{"mount", "mount"},
}

// checkMachine sees to it that the machine can have such a cluster.
func checkMachine(ctx context.Context, o Options) error {
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("the cluster's programs are built with the go command: %w: install Go", err)
	}
	if o.Flavour == Kwok {
		return nil
	}
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return fmt.Errorf("real nodes need linux and root (this is %s, user id %d): run it as root or choose the kwok flavour",
			runtime.GOOS, os.Geteuid())
	}
	if err := raiseInotifyLimit(o.Progress); err != nil {
		return err
	}
	return installPackages(ctx, o)
}

// inotifyInstances is how many a few clusters side by side need; a kubelet
// alone takes ten. Where they run out, kubelets fail with "too many open files".
const inotifyInstances = 8192

// raiseInotifyLimit raises a limit of the kernel that is 128 on most machines.
// It stays raised: another program may have come to rely on it by then.
func raiseInotifyLimit(progress io.Writer) error {
	const file = "/proc/sys/fs/inotify/max_user_instances"
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if limit, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && limit >= inotifyInstances {
		return nil
	}
	fmt.Fprintf(progress, "raising fs.inotify.max_user_instances from %s to %d\n", strings.TrimSpace(string(text)), inotifyInstances)
	if err := os.WriteFile(file, []byte(strconv.Itoa(inotifyInstances)), 0o644); err != nil {
		return fmt.Errorf("%w: set fs.inotify.max_user_instances=%d with sysctl on this machine", err, inotifyInstances)
	}
	return nil
}

// installPackages installs what is missing of packages, where it can.
func installPackages(ctx context.Context, o Options) error {
	missing := missingPackages()
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("these packages (by their Debian names) are missing: %s: install them", strings.Join(missing, " "))
	}
	install := append([]string{"install", "-y", "--no-install-recommends"}, missing...)
	for _, arguments := range [][]string{{"update"}, install} {
		fmt.Fprintf(o.Progress, "apt-get %s\n", strings.Join(arguments, " "))
		cmd := exec.CommandContext(ctx, "apt-get", arguments...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(arguments, " "), err, lastLines(string(out), 10))
		}
	}
	if missing := missingPackages(); len(missing) > 0 {
		return fmt.Errorf("still missing after apt-get install: %s", strings.Join(missing, " "))
	}
	return nil
}

func missingPackages() []string {
	var missing []string
	for _, p := range packages {
		if _, err := exec.LookPath(p.program); err != nil {
			missing = append(missing, p.name)
		}
	}
	if _, ok := cniDir(); !ok {
		missing = append(missing, "containernetworking-plugins")
	}
	return missing
}
