package files

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/internal/kube"
)

func optionsFor(client *fake.Clientset, pairs ...Pair) Options {
	return Options{
		Client: client, Namespace: "gameday", RunID: "run-1", Image: "docker.io/gameday/gameday:v1", Pairs: pairs, Start: time.Minute,
		Exec: executorFunc(func(_ context.Context, c kube.Command) error { return printBehind(c.Stdout, names(3), afterOf(c)) }),
	}
}

func onTwoNodes() Pair {
	return Pair{
		Source:     Volume{Pod: kube.PodRef{Namespace: "shop", Name: "db-0", UID: "uid-1"}, Node: "n1", Name: "data", PV: "pvc-1", Claim: "data-db-0"},
		Restored:   Volume{Pod: kube.PodRef{Namespace: "drill", Name: "db-0", UID: "uid-2"}, Node: "n2", Name: "data", PV: "pvc-2", Claim: "data-db-0"},
		BackedUpAt: time.Unix(150, 0),
	}
}

// cluster is a fake in which kubelets do one thing with every reader.
func cluster(kubelet func(pod *corev1.Pod)) *fake.Clientset {
	client := fake.NewClientset()
	made := 0
	client.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		pod := action.(clienttesting.CreateAction).GetObject().(*corev1.Pod)
		made++
		pod.Name = pod.GenerateName + string(rune('a'+made))
		pod.UID = types.UID(pod.Name)
		kubelet(pod)
		return false, nil, nil
	})
	return client
}

func runs(pod *corev1.Pod) {
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
}

func waits(reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
	}
}

func TestCompareThroughReaders(t *testing.T) {
	client := cluster(runs)
	var asked []string
	options := optionsFor(client, onTwoNodes(), Pair{Source: Volume{Block: true}, Restored: Volume{Block: true}})
	exec := options.Exec
	options.Exec = executorFunc(func(ctx context.Context, c kube.Command) error {
		asked = append(asked, c.Pod+" "+strings.Join(c.Command, " "))
		return exec.Exec(ctx, c)
	})
	result, err := Compare(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Pairs) != 2 || result.Pairs[0].Equal != 4 || result.Pairs[0].Error != "" || !strings.Contains(result.Pairs[1].NotComparable, "block") {
		t.Errorf("%+v", result)
	}
	for _, want := range []string{
		"gameday-files-b /gameday files-helper read --volumes /volumes/uid-1 --name pvc-1",
		"gameday-files-c /gameday files-helper read --volumes /volumes/uid-2 --name pvc-2",
	} {
		if !strings.Contains(strings.Join(asked, "\n"), want) {
			t.Errorf("%s was not asked, but %q", want, asked)
		}
	}
	if pods, _ := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{}); len(pods.Items) != 0 {
		t.Errorf("%d pods are left", len(pods.Items))
	}
}

func TestAReaderIsConfined(t *testing.T) {
	pod := readerPod(optionsFor(nil).withDefaults(), "n1", []types.UID{"uid-1"})
	container := pod.Spec.Containers[0]
	security := container.SecurityContext
	switch {
	case pod.Spec.NodeName != "n1", *pod.Spec.AutomountServiceAccountToken, *pod.Spec.ActiveDeadlineSeconds <= 0, pod.Spec.RestartPolicy != corev1.RestartPolicyNever,
		pod.Spec.HostNetwork || pod.Spec.HostPID || pod.Spec.HostIPC, pod.Spec.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault,
		pod.Labels[experiments.LabelRun] != "run-1", pod.Namespace != "gameday":
		t.Errorf("%+v", pod.Spec)
	case *security.Privileged, *security.AllowPrivilegeEscalation, !*security.ReadOnlyRootFilesystem, len(security.Capabilities.Add) != 1, security.Capabilities.Drop[0] != "ALL":
		t.Errorf("%+v", security)
	case len(pod.Spec.Volumes) != 1, pod.Spec.Volumes[0].HostPath.Path != "/var/lib/kubelet/pods/uid-1/volumes", !container.VolumeMounts[0].ReadOnly,
		*container.VolumeMounts[0].MountPropagation != corev1.MountPropagationHostToContainer, *pod.Spec.Volumes[0].HostPath.Type != corev1.HostPathDirectory:
		t.Errorf("%+v", pod.Spec.Volumes)
	}
}

func TestWhyReadersDoNotStart(t *testing.T) {
	refused := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "gameday-files-x",
		errText(`violates PodSecurity "baseline:latest": hostPath volumes (volume "pod-0")`))
	tests := map[string]struct {
		client *fake.Clientset
		change func(*Options)
		want   []string
		within time.Duration
	}{
		"no image":        {cluster(runs), func(o *Options) { o.Image = "" }, []string{"set image in the Environment, or --image"}, 0},
		"no such image":   {cluster(waits("ErrImagePull", "pull access denied")), nil, []string{"gameday/gameday-files-", "node n1", "ErrImagePull: pull access denied", "set image"}, 0},
		"no program":      {cluster(waits("CreateContainerError", `exec: "/gameday": no such file`)), nil, []string{"no such file"}, 0},
		"no such command": {cluster(ends("unknown command files-helper")), nil, []string{"exit code 2", "another version of gameday"}, 0},
		"pod security":    {refusing(refused), nil, []string{"violates PodSecurity", "kubectl label namespace gameday pod-security.kubernetes.io/enforce=privileged"}, 0},
		"no permission":   {refusing(apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errText("cannot create"))), nil, []string{"making a reader on node n1", "cannot create"}, 0},
		"out of memory":   {cluster(fails("OutOfmemory", "Node didn't have enough resource")), nil, []string{"OutOfmemory: Node didn't have enough resource"}, 0},
		"node is down":    {cluster(func(*corev1.Pod) {}), nil, []string{"node n1: not running after 1m0s", "node n2", "is the node up?"}, time.Minute},
		"slow":            {cluster(waits("ContainerCreating", "")), nil, []string{"not running after 1m0s: ContainerCreating"}, time.Minute},
		"no node known":   {cluster(runs), func(o *Options) { o.Pairs[0].Restored.Node = "" }, []string{"its node is not known: is the pod running?"}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := optionsFor(test.client, onTwoNodes())
				if test.change != nil {
					test.change(&options)
				}
				began := time.Now()
				_, err := Compare(t.Context(), options)
				if err == nil {
					t.Fatal("it was compared")
				}
				for _, want := range test.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want %s", err, want)
					}
				}
				if took := time.Since(began); took > test.within+time.Second {
					t.Errorf("told after %s", took)
				}
				if pods, _ := test.client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{}); len(pods.Items) != 0 {
					t.Errorf("%d pods are left", len(pods.Items))
				}
			})
		})
	}
}

type errText string

func (e errText) Error() string { return string(e) }

func refusing(err error) *fake.Clientset {
	client := fake.NewClientset()
	client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err })
	return client
}

func ends(message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = corev1.PodFailed
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 2, Message: message},
		}}}
	}
}

func fails(reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, reason, message
	}
}

func TestAVolumeThatIsNotOnTheNodeIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := cluster(waits("ContainerCreating", ""))
		_, err := client.CoreV1().Events("gameday").Create(t.Context(), &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: "e", UID: "e"}, Type: corev1.EventTypeWarning, Reason: "FailedMount",
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "gameday-files-c"},
			Message:        `MountVolume.SetUp failed for volume "pod-0" : hostPath type check failed: /var/lib/kubelet/pods/uid-2/volumes is not a directory`,
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = Compare(t.Context(), optionsFor(client, onTwoNodes()))
		if err == nil || !strings.Contains(err.Error(), "node n2") || !strings.Contains(err.Error(), "--root-dir is not /var/lib/kubelet") || time.Since(began) > time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestAReaderThatIsDeletedIsMissedAtOnce(t *testing.T) {
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	for name, deleted := range map[string]func(*fake.Clientset){
		"before it is seen": func(client *fake.Clientset) {
			client.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
				return false, nil, client.Tracker().Delete(pods, "gameday", "gameday-files-b")
			})
		},
		"when it has been seen": func(client *fake.Clientset) {
			go func() {
				time.Sleep(time.Second)
				_ = client.Tracker().Delete(pods, "gameday", "gameday-files-b")
			}()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := cluster(waits("ContainerCreating", ""))
				deleted(client)
				began := time.Now()
				_, err := Compare(t.Context(), optionsFor(client, onTwoNodes()))
				if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "deleted by somebody else") || took > time.Second {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}

func TestOneBrokenPairDoesNotStopTheOthers(t *testing.T) {
	client := cluster(runs)
	broken := onTwoNodes()
	broken.Source.PV = "broken"
	options := optionsFor(client, broken, onTwoNodes())
	exec := options.Exec
	options.Exec = executorFunc(func(ctx context.Context, c kube.Command) error {
		if strings.Contains(strings.Join(c.Command, " "), "broken") {
			_, _ = c.Stderr.Write([]byte("volume broken is not mounted on the node"))
			return &kube.ExitError{Code: exitNoVolume}
		}
		return exec.Exec(ctx, c)
	})
	result, err := Compare(t.Context(), options)
	if err == nil || len(result.Pairs) != 2 || !strings.Contains(result.Pairs[0].Error, "not mounted on the node") || result.Pairs[1].Error != "" || result.Pairs[1].Equal != 4 {
		t.Errorf("%v, %+v", err, result)
	}
}

func TestRemove(t *testing.T) {
	client := fake.NewClientset()
	if err := Remove(t.Context(), client, "gameday", "run-1"); err != nil {
		t.Errorf("nothing to remove: %v", err)
	}
	for name, run := range map[string]string{"a": "run-1", "b": "run-1", "c": "run-2"} {
		pod := readerPod(Options{Namespace: "gameday", RunID: run}.withDefaults(), "n1", nil)
		pod.Name, pod.UID = name, types.UID(name)
		if _, err := client.CoreV1().Pods("gameday").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := Remove(t.Context(), client, "gameday", "run-1"); err != nil {
			t.Error(err)
		}
	}
	if pods, _ := client.CoreV1().Pods("gameday").List(t.Context(), metav1.ListOptions{}); len(pods.Items) != 1 || pods.Items[0].Name != "c" {
		t.Errorf("%d pods are left", len(pods.Items))
	}
}

func TestRemoveSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		pod := readerPod(Options{Namespace: "gameday", RunID: "run-1"}.withDefaults(), "n1", nil)
		pod.Name, pod.UID = "stuck", "stuck"
		if _, err := client.CoreV1().Pods("gameday").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		client.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, nil }) // its kubelet is away
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := Remove(ctx, client, "gameday", "run-1")
		if err == nil || !strings.Contains(err.Error(), "stuck") || !strings.Contains(err.Error(), "kubectl -n gameday delete pod -l gameday.dev/run=run-1") {
			t.Errorf("got %v", err)
		}
	})
}
