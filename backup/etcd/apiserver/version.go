package apiserver

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// versionPatience bounds what a program may take that only says its version.
const versionPatience = 20 * time.Second

// Version asks the binary for its version: "v1.36.3".
func Version(ctx context.Context, binary string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "--version")
	command.Env = []string{}
	command.WaitDelay = time.Second
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", binary, err)
	}
	version := regexp.MustCompile(`^Kubernetes (v\d+\.\d+\.\d+\S*)\s*$`).FindStringSubmatch(string(output))
	if version == nil {
		first, _, _ := strings.Cut(string(output), "\n")
		return "", fmt.Errorf("asking %s for its version: it answers %.80q, a kube-apiserver says \"Kubernetes v…\"", binary, first)
	}
	return version[1], nil
}
