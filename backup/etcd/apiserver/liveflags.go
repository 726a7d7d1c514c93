package apiserver

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// controlPlaneNamespace and apiServerLabels find the mirror of the static pod as
// kubeadm, and with it kind, labels it.
const (
	controlPlaneNamespace = "kube-system"
	apiServerLabels       = "component=kube-apiserver,tier=control-plane"
)

// LiveFlags finds the flags of the living cluster's API server that decide how
// stored data is read (feature gates, runtime config, service range) in its static
// pod; none when there is no such pod or it may not be read, and why. Where
// several API servers disagree, why says whose flags these are.
func LiveFlags(ctx context.Context, live kubernetes.Interface) (flags []string, why string, err error) {
	pods, why, err := apiServerPods(ctx, live)
	if err != nil || why != "" {
		return nil, why, err
	}
	for i, pod := range pods {
		of := keep(commandLine(pod), readingFlags())
		if i == 0 {
			flags = of
		} else if !slices.Equal(flags, of) {
			why = fmt.Sprintf("the flags of %s and %s differ: those of %s are taken", pods[0].Name, pod.Name, pods[0].Name)
		}
	}
	return flags, why, nil
}

// Elsewhere names the resources that the living cluster's API server keeps in
// another etcd (--etcd-servers-overrides), most often events: no snapshot of
// this one holds them. None when its static pod can't be seen.
func Elsewhere(ctx context.Context, live kubernetes.Interface) ([]string, error) {
	pods, why, err := apiServerPods(ctx, live)
	if err != nil || why != "" {
		return nil, err
	}
	var resources []string
	for _, pod := range pods {
		for _, flag := range keep(commandLine(pod), []string{"etcd-servers-overrides"}) {
			_, value, _ := splitFlag(flag)
			for override := range strings.SplitSeq(value, ",") { // group/resource#server;server
				what, _, _ := strings.Cut(override, "#")
				group, resource, _ := strings.Cut(what, "/")
				if resource != "" {
					resources = append(resources, qualified(resource, group))
				}
			}
		}
	}
	slices.Sort(resources)
	return slices.Compact(resources), nil
}

func apiServerPods(ctx context.Context, live kubernetes.Interface) (pods []corev1.Pod, why string, err error) {
	list, err := live.CoreV1().Pods(controlPlaneNamespace).List(ctx, metav1.ListOptions{LabelSelector: apiServerLabels})
	switch {
	case apierrors.IsForbidden(err):
		return nil, "pods in " + controlPlaneNamespace + " may not be listed", nil
	case err != nil:
		return nil, "", fmt.Errorf("looking for the API server's pod in %s: %w", controlPlaneNamespace, err)
	}
	for _, pod := range list.Items {
		if len(commandLine(pod)) > 0 {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	switch {
	case len(list.Items) == 0:
		return nil, fmt.Sprintf("no pod in %s is labelled %s: the control plane does not run as static pods of kubeadm's kind", controlPlaneNamespace, apiServerLabels), nil
	case len(pods) == 0:
		return nil, fmt.Sprintf("pod %s/%s does not start kube-apiserver in a way that shows its flags", controlPlaneNamespace, list.Items[0].Name), nil
	}
	return pods, "", nil
}

// commandLine gives the flags of the pod's kube-apiserver as --name=value;
// empty when none of its containers starts one directly.
func commandLine(pod corev1.Pod) []string {
	for _, container := range pod.Spec.Containers {
		words := slices.Concat(container.Command, container.Args)
		program := slices.IndexFunc(words, func(word string) bool { return path.Base(word) == "kube-apiserver" })
		if program < 0 {
			continue
		}
		var flags []string
		words = words[program+1:]
		for i, word := range words {
			if !strings.HasPrefix(word, "-") {
				continue // the value of the flag before
			}
			next := i + 1
			if _, _, hasValue := splitFlag(word); !hasValue && next < len(words) && !strings.HasPrefix(words[next], "-") {
				word += "=" + words[next]
			}
			flags = append(flags, word)
		}
		return flags
	}
	return nil
}

// keep gives the flags of these names in one spelling.
func keep(flags, names []string) []string {
	var kept []string
	for _, flag := range flags {
		name, value, hasValue := splitFlag(flag)
		if !slices.Contains(names, name) {
			continue
		}
		if !hasValue {
			value = "true" // what a switch alone means
		}
		kept = append(kept, "--"+name+"="+value)
	}
	return kept
}
