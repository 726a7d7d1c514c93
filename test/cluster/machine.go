package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
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
