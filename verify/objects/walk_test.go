package objects

import (
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// pair is two objects and what differs between them: each line as
// Difference.String without the object's name; none when they are equal.
type pair struct {
	name          string
	head          string // apiVersion and kind
	wanted, found string // the rest
	differences   []string
}

const (
	deployment = "apiVersion: apps/v1, kind: Deployment"
	service    = "apiVersion: v1, kind: Service"
	basket     = "apiVersion: shop.example/v1, kind: Basket"
	claim      = "apiVersion: v1, kind: PersistentVolumeClaim"
	policy     = "apiVersion: networking.k8s.io/v1, kind: NetworkPolicy"
	containers = "spec: {template: {spec: {containers: "
)

func pairs() []pair {
	return []pair{
		// Nothing, null, empty and zero.
		{"null is absent", basket, "spec: {a: null}", "spec: {}", nil},
		{"null is absent in a nested object", basket, "spec: {a: {b: null}}", "spec: {a: {}}", nil},
		{"an empty map of texts", "apiVersion: v1, kind: ConfigMap", "data: {}", "", nil},
		{"empty labels of a custom resource", basket, "metadata: {labels: {}}", "", nil},
		{"an empty struct", deployment, containers + "[{name: a, resources: {limits: {}}}]}}}", containers + "[{name: a}]}}}", nil},
		{"zero without a pointer", deployment, containers + "[{name: a, tty: false}], hostNetwork: false}}, paused: false, minReadySeconds: 0}", containers + "[{name: a}]}}}", nil},
		{"zero with a pointer", deployment, "spec: {replicas: 0}", "spec: {}", []string{"spec.replicas: missing: wanted 0"}},
		{"an empty object with a pointer", policy, "spec: {ingress: [{from: [{namespaceSelector: {}, podSelector: {}}]}]}", "spec: {ingress: [{from: [{podSelector: {}}]}]}", []string{"spec.ingress[0].from[0].namespaceSelector: missing: wanted {}"}},
		{"an empty text in a map", "apiVersion: v1, kind: ConfigMap", "data: {a: ''}", "data: {}", []string{`data.a: missing: wanted ""`}},
		{"an empty object without a type", basket, "spec: {selfSigned: {}}", "spec: {}", []string{"spec.selfSigned: missing: wanted {}"}},
		{"an empty list without a type", basket, "spec: {ingress: []}", "spec: {}", []string{"spec.ingress: missing: wanted []"}},
		{"an empty item", policy, "spec: {ingress: [{}], policyTypes: [Ingress]}", "spec: {policyTypes: [Ingress]}", []string{"spec.ingress: missing: wanted [{}]"}},
		// Numbers, quantities, int-or-string.
		{"whole numbers as fractions", basket, "spec: {a: 3, b: [1, 2.5]}", "spec: {a: 3.0, b: [1.0, 2.5]}", nil},
		{"other numbers", basket, "spec: {a: 3}", "spec: {a: 3.5}", []string{"spec.a: wanted 3, found 3.5"}},
		{"a number and a text", basket, "spec: {a: 3}", "spec: {a: '3'}", []string{`spec.a: wanted 3, found "3"`}},
		{"quantities", deployment, containers + "[{name: a, resources: {limits: {cpu: '1', memory: 1Gi}}}]}}}", containers + "[{name: a, resources: {limits: {cpu: 1000m, memory: 1024Mi}}}]}}}", nil},
		{"a quantity as a number", deployment, containers + "[{name: a, resources: {limits: {cpu: 1}}}]}}}", containers + "[{name: a, resources: {limits: {cpu: '1'}}}]}}}", nil},
		{"other quantities", deployment, containers + "[{name: a, resources: {limits: {cpu: '1'}}}]}}}", containers + "[{name: a, resources: {limits: {cpu: 1m}}}]}}}", []string{`spec.template.spec.containers[name=a].resources.limits.cpu: wanted "1", found "1m"`}},
		{"a quantity to compute for minutes", deployment, containers + "[{name: a, resources: {limits: {cpu: '1e64000000'}}}]}}}", containers + "[{name: a, resources: {limits: {cpu: '1e-64000000'}}}]}}}", []string{`spec.template.spec.containers[name=a].resources.limits.cpu: wanted "1e64000000", found "1e-64000000"`}},
		{"what looks like one elsewhere", "apiVersion: v1, kind: ConfigMap", "data: {a: '1'}", "data: {a: 1000m}", []string{`data.a: wanted "1", found "1000m"`}},
		{"int or string", service, "spec: {ports: [{port: 1, targetPort: 80}]}", "spec: {ports: [{port: 1, targetPort: '80'}]}", nil},
		// Lists.
		{"another order of volumes", deployment, "spec: {template: {spec: {volumes: [{name: a, secret: {secretName: x}}, {name: b}]}}}", "spec: {template: {spec: {volumes: [{name: b}, {name: a, secret: {secretName: x}}]}}}", nil},
		{"another order of containers", deployment, containers + "[{name: a}, {name: b}]}}}", containers + "[{name: b}, {name: a}]}}}", []string{`spec.template.spec.containers: order: wanted "a, b", found "b, a"`}},
		{"another order of variables", deployment, containers + "[{name: a, env: [{name: P, value: x}, {name: Q, value: $(P)}]}]}}}", containers + "[{name: a, env: [{name: Q, value: $(P)}, {name: P, value: x}]}]}}}", []string{`spec.template.spec.containers[name=a].env: order: wanted "P, Q", found "Q, P"`}},
		{"one more init container in front", deployment, "spec: {template: {spec: {initContainers: [{name: a}, {name: b}]}}}", "spec: {template: {spec: {initContainers: [{name: wait}, {name: a}, {name: b}]}}}", []string{`spec.template.spec.initContainers[name=wait]: extra: found {"name":"wait"}`}},
		{"the same port twice", service, "spec: {ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}", "spec: {ports: [{port: 53, protocol: UDP}, {port: 53, targetPort: 5353}]}", []string{"spec.ports[port=53].targetPort: extra: found 5353"}},
		{"a protocol gone", service, "spec: {ports: [{port: 53, protocol: UDP}, {port: 53}]}", "spec: {ports: [{port: 53}]}", []string{`spec.ports[port=53,protocol=UDP]: missing: wanted {"port":53,"protocol":"UDP"}`}},
		{"keys that are there twice", deployment, containers + "[{name: a, env: [{name: X, value: '1'}, {name: X, value: '2'}]}]}}}", containers + "[{name: a, env: [{name: X, value: '1'}, {name: X, value: '3'}]}]}}}", []string{`spec.template.spec.containers[name=a].env[1].value: wanted "2", found "3"`}},
		{"another order of finalizers", basket, "metadata: {finalizers: [a, b]}", "metadata: {finalizers: [b, a, c]}", []string{`metadata.finalizers[c]: extra: found "c"`}},
		{"arguments have an order", deployment, containers + "[{name: a, args: [p, q]}]}}}", containers + "[{name: a, args: [q, p]}]}}}", []string{`spec.template.spec.containers[name=a].args[0]: wanted "p", found "q"`, `spec.template.spec.containers[name=a].args[1]: wanted "q", found "p"`}},
		{"one argument more in the middle", deployment, containers + "[{name: a, args: [p, q, r]}]}}}", containers + "[{name: a, args: [p, new, q, r]}]}}}", []string{`spec.template.spec.containers[name=a].args[1]: extra: found "new"`}},
		{"a custom resource by name", basket, "spec: {items: [{name: a, c: 1}, {name: b, c: 2}]}", "spec: {items: [{name: a, c: 1}, {name: b, c: 3}]}", []string{"spec.items[name=b].c: wanted 2, found 3"}},
		{"order in a custom resource", basket, "spec: {items: [{name: a}, {name: b}]}", "spec: {items: [{name: b}, {name: a}]}", []string{`spec.items: order: wanted "a, b", found "b, a"`}},
		{"a custom resource by place", basket, "spec: {steps: [{run: a}, {run: b}]}", "spec: {steps: [{run: a}, {run: c}]}", []string{`spec.steps[1].run: wanted "b", found "c"`}},
		{"owners by kind and name", basket, "metadata: {ownerReferences: [{kind: A, name: x, uid: '1'}, {kind: B, name: x, uid: '2'}]}", "metadata: {ownerReferences: [{kind: B, name: x, uid: '9'}, {kind: A, name: x, uid: '8'}]}", nil},
		{"another owner", basket, "metadata: {ownerReferences: [{kind: A, name: x, uid: '1'}]}", "metadata: {ownerReferences: [{kind: A, name: z, uid: '1'}]}", []string{`metadata.ownerReferences[name=x,kind=A]: missing: wanted {"kind":"A","name":"x","uid":"1"}`, `metadata.ownerReferences[name=z,kind=A]: extra: found {"kind":"A","name":"z","uid":"1"}`}},
		// Whole branches.
		{"a probe gone is one difference", deployment, containers + "[{name: a, livenessProbe: {httpGet: {port: 80, path: /, scheme: HTTP}, periodSeconds: 10}}]}}}", containers + "[{name: a}]}}}", []string{`spec.template.spec.containers[name=a].livenessProbe: missing: wanted {"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"periodSeconds":10}`}},
		{"another type of value", basket, "spec: {a: {b: 1}}", "spec: {a: [1]}", []string{`spec.a: wanted {"b":1}, found [1]`}},
		{"names with dots", basket, "spec: {a.b/c: 1}", "spec: {a.b/c: 2}", []string{"spec[a.b/c]: wanted 1, found 2"}},
		{"status of a custom resource", basket, "status: {a: 1}", "status: {a: 2}", nil},
		{"a field outside of everything", basket, "extra: 1", "extra: 2", []string{"extra: wanted 1, found 2"}},
		// Defaults.
		{"a manifest and what the API server makes of it", deployment,
			"spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: x, containers: [{name: a, image: 'x:1', ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}}], volumes: [{name: v, configMap: {name: c}}]}}}",
			`spec: {replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}, selector: {matchLabels: {a: b}},
				template: {metadata: {creationTimestamp: null, labels: {a: b}}, spec: {serviceAccountName: x, serviceAccount: x, dnsPolicy: ClusterFirst, restartPolicy: Always, schedulerName: default-scheduler, securityContext: {}, terminationGracePeriodSeconds: 30,
				containers: [{name: a, image: 'x:1', imagePullPolicy: IfNotPresent, resources: {}, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File, ports: [{containerPort: 80, protocol: TCP}],
				readinessProbe: {httpGet: {port: 80, path: /, scheme: HTTP}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}}], volumes: [{name: v, configMap: {name: c, defaultMode: 420}}]}}}`, nil},
		{"a default that is another", deployment, "spec: {}", "spec: {progressDeadlineSeconds: 601}", []string{"spec.progressDeadlineSeconds: extra: found 601"}},
		{"a default in an object that is not made", deployment, "spec: {strategy: {type: Recreate}}", "spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 25%}}}", []string{`spec.strategy.rollingUpdate: extra: found {"maxSurge":"25%"}`}},
		{"pull policy of latest", deployment, containers + "[{name: a, image: 'host:5000/x'}]}}}", containers + "[{name: a, image: 'host:5000/x', imagePullPolicy: Always}]}}}", nil},
		{"pull policy of a digest", deployment, containers + "[{name: a, image: 'x@sha256:1'}]}}}", containers + "[{name: a, image: 'x@sha256:1', imagePullPolicy: Always}]}}}", []string{`spec.template.spec.containers[name=a].imagePullPolicy: extra: found "Always"`}},
		{"a Service", service, "spec: {ports: [{port: 80}], selector: {a: b}}", "spec: {type: ClusterIP, sessionAffinity: None, internalTrafficPolicy: Cluster, ports: [{port: 80, targetPort: 80, protocol: TCP}], selector: {a: b}}", nil},
		{"one of the sources of a claim", claim, "spec: {dataSource: {kind: A, name: a}}", "spec: {dataSource: {kind: A, name: a}, dataSourceRef: {kind: A, name: a}}", nil},
		{"both sources of a claim", claim, "spec: {dataSource: {kind: A, name: a}, dataSourceRef: {kind: A, name: a}}", "spec: {}", []string{`spec.dataSource: missing: wanted {"kind":"A","name":"a"}`, `spec.dataSourceRef: missing: wanted {"kind":"A","name":"a"}`}},
		{"a policy without types", policy, "spec: {podSelector: {}, egress: [{}]}", "spec: {podSelector: {}, egress: [{}], policyTypes: [Ingress, Egress]}", nil},
		{"requests of a pod", "apiVersion: v1, kind: Pod", "spec: {containers: [{name: a, resources: {limits: {cpu: '1'}}}]}", "spec: {containers: [{name: a, resources: {limits: {cpu: '1'}, requests: {cpu: 1000m}}}]}", nil},
		{"requests of a template", deployment, containers + "[{name: a, resources: {limits: {cpu: '1'}}}]}}}", containers + "[{name: a, resources: {limits: {cpu: '1'}, requests: {cpu: '1'}}}]}}}", []string{`spec.template.spec.containers[name=a].resources.requests: extra: found {"cpu":"1"}`}},
		{"labels of a Job", "apiVersion: batch/v1, kind: Job", "spec: {template: {metadata: {labels: {a: b}}}}", "metadata: {labels: {a: b}}, spec: {template: {metadata: {labels: {a: b}}}}", nil},
		// Promises of an owner.
		{"a port that was asked for", service, `metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"ports":[{"nodePort":30080,"port":80}]}}'}}, spec: {ports: [{port: 80, nodePort: 30080}]}`,
			`metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"ports":[{"nodePort":30080,"port":80}]}}'}}, spec: {ports: [{port: 80, nodePort: 31000}]}`, []string{"spec.ports[port=80].nodePort: wanted 30080, found 31000"}},
		{"an address that a manager owns", service, `metadata: {managedFields: [{manager: helm, fieldsV1: {'f:spec': {'f:clusterIP': {}}}}]}, spec: {clusterIP: 10.0.0.10}`, "spec: {clusterIP: 10.0.0.11}", []string{`spec.clusterIP: wanted "10.0.0.10", found "10.0.0.11"`}},
		{"a port that a manager owns", service, `metadata: {managedFields: [{manager: helm, fieldsV1: {'f:spec': {'f:ports': {'k:{"port":80,"protocol":"TCP"}': {'f:nodePort': {}}}}}}]}, spec: {ports: [{port: 80, nodePort: 30080}]}`, "spec: {ports: [{port: 80, nodePort: 31000}]}", []string{"spec.ports[port=80].nodePort: wanted 30080, found 31000"}},
		{"a volume that was asked for", "apiVersion: v1, kind: PersistentVolumeClaim", "spec: {volumeName: nfs}", "spec: {volumeName: other}", []string{`spec.volumeName: wanted "nfs", found "other"`}},
		{"a selector made by hand", "apiVersion: batch/v1, kind: Job", "spec: {manualSelector: true, selector: {matchLabels: {controller-uid: a}}}", "spec: {manualSelector: true, selector: {matchLabels: {controller-uid: b}}}", []string{`spec.selector.matchLabels.controller-uid: wanted "a", found "b"`}},
		{"a certificate of a webhook", "apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration", "webhooks: [{name: a, clientConfig: {caBundle: QQ==}}]", "webhooks: [{name: a, clientConfig: {caBundle: Qg==}}]", []string{`webhooks[name=a].clientConfig.caBundle: wanted "QQ==", found "Qg=="`}},
	}
}

// Each pair is compared both ways: what is missing one way is extra the other.
func TestFields(t *testing.T) {
	r := newRun(Comparison{}, mapping{})
	for _, test := range pairs() {
		t.Run(test.name, func(t *testing.T) {
			read := func(rest string) *unstructured.Unstructured {
				o := parse(t, "{"+strings.TrimSuffix(test.head+", "+rest, ", ")+"}")
				o.SetName("x")
				return o
			}
			wanted, found := read(test.wanted), read(test.found)
			resource := resourceOf(wanted)
			r.subject, r.kind = subject{resource: resource}, r.kinds.of(resource)
			var got []string
			for _, d := range r.byPath(wanted, found) {
				if d.Label == Loss {
					got = append(got, strings.TrimPrefix(d.String(), d.Kind+" x: "))
				}
			}
			if strings.Join(got, "\n") != strings.Join(test.differences, "\n") {
				t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.differences, "\n"))
			}
			if back := r.walk(keeping, found, wanted); len(back) != len(r.walk(keeping, wanted, found)) {
				t.Errorf("the other way: %+v", back)
			}
		})
	}
}

// A status that is part of what was declared is compared.
func TestPlainStatus(t *testing.T) {
	one, other := parse(t, "{"+basket+", metadata: {name: x}, status: {a: 1}}"), parse(t, "{"+basket+", metadata: {name: x}, status: {a: 2}}")
	resource := resourceOf(one)
	resource.PlainStatus = true
	if _, byPath := Diff(resource, one, other); len(byPath) != 1 || byPath[0].String() != "Basket x: status.a: wanted 1, found 2" {
		t.Errorf("%v", byPath)
	}
}

// Objects nested deeper than any of Kubernetes are compared, and explained up to a point.
func TestDeepNesting(t *testing.T) {
	deep := func(leaf string) *unstructured.Unstructured {
		var value any = leaf
		for range 100_000 {
			value = map[string]any{"a": value}
		}
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "shop.example/v1", "kind": "Basket", "metadata": map[string]any{"name": "x"}, "spec": value}}
	}
	r := newRun(Comparison{}, mapping{there: drill(), moved: true})
	r.kind = r.kinds.of(resourceOf(deep("")))
	if left := r.walk(restoring, deep("x"), deep("x")); len(left) != 0 {
		t.Errorf("%d differences", len(left))
	}
	if left := r.walk(restoring, deep("x"), deep("y")); len(left) != 1 || len(left[0].path) > 2*deepest+10 {
		t.Errorf("%d differences", len(left))
	}
	none := deep("x")
	delete(none.Object, "spec")
	if left := r.walk(restoring, none, deep("y")); len(left) != 1 || left[0].path != "spec" {
		t.Errorf("%d differences", len(left))
	}
	r.references(place{}, deep("db.shop.svc"))
}

// What was made to use up memory is counted, and not kept.
func TestMoreDifferencesThanAnObjectHas(t *testing.T) {
	many := func(n int, value string) *unstructured.Unstructured {
		o := parse(t, "{"+basket+", metadata: {name: x, uid: a, resourceVersion: '1'}, spec: {}}")
		fields := map[string]any{}
		for i := range n {
			fields[strconv.Itoa(i)] = value
		}
		o.Object["spec"] = map[string]any{strings.Repeat("k", 1<<20): fields}
		return o
	}
	result := runs(t, Comparison{Wanted: NewSet(many(5000, "a")), Found: NewSet(many(5001, "b")), Live: NewSet(many(4999, "a"))})
	if result.LossCount != 5001+1 || len(result.Loss) != 100 || len(result.Loss[0].Path) > 2*longestPath {
		t.Errorf("%d losses, %d kept", result.LossCount, len(result.Loss))
	}
	none := many(0, "")
	none.Object["spec"] = map[string]any{}
	if result := runs(t, Comparison{Wanted: NewSet(none), Found: NewSet(many(5000, "a"))}); result.LossCount != 1 {
		t.Errorf("a branch that is there once is %d differences", result.LossCount)
	}
}
