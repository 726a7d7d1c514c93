package apiserver

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"gameday.dev/gameday/experiments"
)

func kubeadmPod(t *testing.T) *corev1.Pod {
	t.Helper()
	raw, err := os.ReadFile("testdata/kubeadm-pod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict(raw, &pod); err != nil {
		t.Fatal(err)
	}
	return &pod
}

func TestOnlyReadingFlagsAreTakenOver(t *testing.T) {
	live := fake.NewClientset(kubeadmPod(t))
	flags, why, err := LiveFlags(t.Context(), live)
	if err != nil || why != "" {
		t.Fatal(why, err)
	}
	want := []string{"--feature-gates=MutatingAdmissionPolicy=true", "--runtime-config=storage.k8s.io/v1beta1=true", "--service-cluster-ip-range=10.96.0.0/16"}
	if diff := cmp.Diff(want, flags); diff != "" {
		t.Error(diff)
	}
	if err := CheckFlags(flags); err != nil {
		t.Error(err)
	}
	elsewhere, err := Elsewhere(t.Context(), live)
	if diff := cmp.Diff([]string{"events", "leases.coordination.k8s.io"}, elsewhere); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestWhyThereAreNoLiveFlags(t *testing.T) {
	shell := kubeadmPod(t)
	shell.Spec.Containers[0].Command = []string{"/bin/sh", "-c", "exec kube-apiserver --feature-gates=X=true"}
	second := kubeadmPod(t)
	second.Name = "kube-apiserver-cp-2"
	second.Spec.Containers[0].Command = []string{"/usr/local/bin/kube-apiserver", "--feature_gates=MutatingAdmissionPolicy=false"}
	forbidden := fake.NewClientset()
	forbidden.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	})
	for name, scene := range map[string]struct {
		live  *fake.Clientset
		flags int
		why   string
	}{
		"managed":   {fake.NewClientset(), 0, "no pod in kube-system"},
		"forbidden": {forbidden, 0, "may not be listed"},
		"shell":     {fake.NewClientset(shell), 0, "does not start kube-apiserver in a way that shows its flags"},
		"disagree":  {fake.NewClientset(second, kubeadmPod(t)), 3, "those of kube-apiserver-cp-1 are taken"},
	} {
		t.Run(name, func(t *testing.T) {
			flags, why, err := LiveFlags(t.Context(), scene.live)
			if err != nil || len(flags) != scene.flags || !strings.Contains(why, scene.why) {
				t.Errorf("%v, %q, %v", flags, why, err)
			}
		})
	}
}

func TestFlagsThatReachOutAreRefused(t *testing.T) {
	for _, flag := range []string{
		"--etcd-servers=https://10.0.0.1:2379", "--etcd_servers=x", "-etcd-servers=x", "--etcd-servers-overrides=x",
		"--audit-webhook-config-file=x", "--authentication-token-webhook-config-file=x", "--authorization-webhook-config-file=x",
		"--oidc-issuer-url=x", "--egress-selector-config-file=x", "--enable-admission-plugins=ImagePolicyWebhook",
		"--admission-control-config-file=x", "--authorization-mode=AlwaysAllow", "--bind-address=0.0.0.0", "--endpoint-reconciler-type=lease",
		"--audit-log-path=/x", "--encryption-provider-config=/x", "feature-gates=A=true", "--feature-gates", "", "--", "-",
	} {
		if err := CheckFlags([]string{"--feature-gates=A=true", flag}); err == nil {
			t.Errorf("%q is accepted", flag)
		}
		_, err := Start(t.Context(), Config{At: experiments.Etcd{APIServerFlags: []string{flag}}, Dir: t.TempDir() + "/x"})
		var failure *Failure
		if !errors.As(err, &failure) || !failure.Machine {
			t.Errorf("%q: %v", flag, err)
		}
	}
	if err := CheckFlags([]string{"--feature-gates=A=true", "--watch-cache=false", "--runtime_config=api/all=true"}); err != nil {
		t.Error(err)
	}
}

func TestOwnFlagsComeLast(t *testing.T) {
	c := Config{At: experiments.Etcd{APIServer: "kube-apiserver", Prefix: "/registry", APIServerFlags: []string{"--service-cluster-ip-range=fd00::/108,10.0.0.0/16"}}, Flags: []string{"--service-cluster-ip-range=10.96.0.0/16"}}
	arguments := c.arguments(credentials{}, "egress.yaml", 1)
	if !slices.Contains(arguments, "--advertise-address=2001:db8::1") { // of the range that wins
		t.Error(arguments)
	}
	live, people, own := slices.Index(arguments, c.Flags[0]), slices.Index(arguments, c.At.APIServerFlags[0]), slices.Index(arguments, "--etcd-prefix=/registry")
	if live < 1 || people < live || own < people {
		t.Error(arguments)
	}
	c.At.APIServerFlags = nil
	if arguments := c.arguments(credentials{}, "egress.yaml", 1); !slices.Contains(arguments, "--advertise-address=192.0.2.1") || slices.ContainsFunc(arguments, func(a string) bool { return strings.HasPrefix(a, "--encryption") }) {
		t.Error(arguments)
	}
}

func FuzzCheckFlags(f *testing.F) {
	for _, seed := range []string{"--feature-gates=A=true", "-x", "--=", "--etcd_servers=a", "--runtime-config"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, flag string) {
		if CheckFlags([]string{flag}) != nil {
			return
		}
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if !slices.Contains(append(readingFlags(), sizeFlags()...), strings.ReplaceAll(name, "_", "-")) {
			t.Errorf("%q is accepted", flag)
		}
	})
}
