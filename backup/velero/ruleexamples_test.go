package velero

import "slices"

// ruleExample shows what a rule expects, and what it does not.
type ruleExample struct {
	name, path string
	// wanted is an object as it was backed up, in YAML; empty: there was none.
	wanted string
	// found is a merge patch in YAML that makes of it what was restored; the whole
	// object where there was none; gone where nothing was restored.
	found string
	// loss is a merge patch to what was restored, or to what was backed up where
	// nothing was: a neighbouring difference that the rule does not expect.
	loss string
}

const gone = "gone"

func ruleExamples() []ruleExample {
	return slices.Concat(ownExamples(), veleroExamples(), podExamples(), letGoExamples(), workloadExamples(), routeExamples(), serviceExamples())
}

func ownExamples() []ruleExample {
	return []ruleExample{
		{
			"gameday: its own", "", "",
			"{apiVersion: v1, kind: ResourceQuota, metadata: {namespace: drill, name: gameday, labels: {gameday.dev/run: r1}}}",
			"{metadata: {labels: {gameday.dev/run: r2}}}",
		},
		{
			"gameday: the run's mark", "metadata.labels[gameday.dev/run]",
			"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}",
			"{metadata: {labels: {gameday.dev/run: r1}}}", "{metadata: {labels: {gameday.dev/other: r1}}}",
		},
	}
}

func veleroExamples() []ruleExample {
	const settings = "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: settings, labels: {app: web}}}"
	pod := func(more string) string {
		return "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web-1, " + more
	}
	const hooked = "annotations: {init.hook.restore.velero.io/container-image: tool, init.hook.restore.velero.io/container-name: hook}}, spec: {containers: [{name: web}]}}"
	const policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop, name: in}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]}}"
	const binding = "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {namespace: shop, name: b}, roleRef: {kind: Role, name: r}, subjects: [{kind: Group, name: 'system:serviceaccounts:shop'}]}"
	return []ruleExample{
		{"velero: labelled as restored", "metadata.labels[velero.io/restore-name]", settings, "{metadata: {labels: {velero.io/restore-name: gameday-1}}}", "{metadata: {labels: {velero.io/restore-name: gameday-2}}}"},
		{"velero: labelled with its backup", "metadata.labels[velero.io/backup-name]", settings, "{metadata: {labels: {velero.io/backup-name: nightly}}}", "{metadata: {labels: {velero.io/backup-name: weekly}}}"},
		{
			"velero: owners are not restored", "metadata.ownerReferences[*]", pod("ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: u}]}, spec: {}}"),
			"{metadata: {ownerReferences: null}}", "{metadata: {ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: other, uid: u}]}}",
		},
		{"velero: no generated name", "metadata.generateName", pod("generateName: web-}, spec: {}}"), "{metadata: {generateName: null}}", "{metadata: {generateName: other-}}"},
		{"velero: completed pods are not restored", "", pod("uid: a}, spec: {}, status: {phase: Succeeded}}"), gone, "{status: {phase: Running}}"},
		{
			"velero: completed jobs are not restored", "",
			"{apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: once}, spec: {}, status: {completionTime: '2026-05-12T02:00:00Z'}}", gone, "{status: {completionTime: null}}",
		},
		{
			"velero: waits for files", "spec.initContainers[*]", pod("uid: a}, spec: {initContainers: [{name: migrate}]}}"),
			"{spec: {initContainers: [{name: restore-wait, image: velero}, {name: migrate}]}}", "{spec: {initContainers: [{name: restore-more, image: velero}, {name: migrate}]}}",
		},
		{
			"velero: waits for files", "spec.initContainers[*]", pod("uid: a}, spec: {initContainers: [{name: restore-wait, args: [old]}, {name: migrate}]}}"),
			"{spec: {initContainers: [{name: restore-wait, args: [new]}, {name: migrate}]}}", "{spec: {initContainers: [{name: restore-wait, args: [new]}, {name: migrate, args: [new]}]}}",
		},
		{
			"velero: a hook's init container", "spec.initContainers[*]", pod(hooked),
			"{spec: {initContainers: [{name: hook, image: tool}]}}", "{spec: {initContainers: [{name: hook, image: other}]}}",
		},
		{"velero: priority is decided anew", "spec.priority", pod("uid: a}, spec: {priority: 7}}"), "{spec: {priority: 0}}", "{spec: {priorityClassName: other}}"},
		{"velero: references are restored as they were", "spec", policy, "{}", "{spec: {podSelector: {matchLabels: {app: web}}}}"},
		{"velero: names of subjects are restored as they were", "subjects[*].name", binding, "{}", "{subjects: [{kind: ServiceAccount, name: web, namespace: shop}]}"},
	}
}

// A pod with its labels and hooks, and what the modifiers make of it.
func podExamples() []ruleExample {
	const (
		pod   = "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db-0, labels: {app: db}, annotations: {post.hook.restore.velero.io/command: /x}}, spec: {containers: [{name: db, env: [{name: A}]}]}}"
		aside = "{metadata: {labels: {app: null, gameday.dev/quiesced: 'true'}, annotations: {post.hook.restore.velero.io/command: null, quiesced.gameday.dev/label-0: db, quiesced.gameday.dev/hook-0: /x}}}"
		never = "{name: GAMEDAY_QUIESCED, valueFrom: {configMapKeyRef: {name: gameday-quiesced, key: never}}}"
	)
	return []ruleExample{
		{"quiesced: marked", "metadata.labels[gameday.dev/quiesced]", pod, aside, "{metadata: {labels: {gameday.dev/quiesced: 'false'}}}"},
		{"quiesced: labels are set aside", "metadata.labels[*]", pod, aside, "{metadata: {annotations: {quiesced.gameday.dev/label-0: other}}}"},
		{"quiesced: no hooks", "metadata.annotations[post.hook.restore.velero.io/*]", pod, aside, "{metadata: {annotations: {quiesced.gameday.dev/hook-0: other}}}"},
		{"quiesced: what was set aside", "metadata.annotations[quiesced.gameday.dev/*]", pod, aside, "{metadata: {annotations: {quiesced.gameday.dev/label-1: other}}}"},
		{"quiesced: not scheduled", "spec.schedulingGates[*]", pod, "{spec: {schedulingGates: [{name: gameday.dev/quiesced}]}}", "{spec: {schedulingGates: [{name: example.com/other}]}}"},
		{
			"quiesced: not begun", "{podContainer}.env[*]", pod, "{spec: {containers: [{name: db, env: [{name: A}, " + never + "]}]}}",
			"{spec: {containers: [{name: db, env: [{name: B}, " + never + "]}]}}",
		},
	}
}

// letGoExamples are of a pod that is scheduled and never begins.
func letGoExamples() []ruleExample {
	const (
		priority, less = "quiesced: no priority", "quiesced: asks for next to nothing"
		pod            = "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db-0, labels: {gameday.dev/quiesced: 'true'}}, spec: "
		gated          = "{spec: {schedulingGates: [{name: gameday.dev/quiesced}]}}"
	)
	resources := func(text string) string { return "{containers: [{name: db, image: db, resources: {" + text + "}}]}" }
	asks := func(field, name, lots, few, loss string) ruleExample {
		of := func(amount string) string { return resources(field + ": {" + name + ": " + amount + "}") }
		return ruleExample{less, "{podContainer}.resources." + field + "[" + name + "]", pod + of(lots) + "}", "{spec: " + of(few) + "}", "{spec: " + of(loss) + "}"}
	}
	device := func(field, names, name string) ruleExample {
		one := asks(field, name, "1", "null", "2")
		one.path = "{podContainer}.resources." + field + "[" + names + "]"
		return one
	}
	return []ruleExample{
		{priority, "spec.priorityClassName", pod + "{priorityClassName: high}}", "{spec: {priorityClassName: null}}", gated},
		{priority, "spec.preemptionPolicy", pod + "{preemptionPolicy: Never}}", "{spec: {preemptionPolicy: PreemptLowerPriority}}", gated},
		{less, "spec.resources", pod + "{resources: {requests: {cpu: 2}}}}", "{spec: {resources: null}}", "{spec: {resources: {requests: {cpu: 1}}}}"},
		asks("requests", "cpu", "500m", "1m", "2m"),
		asks("requests", "memory", "1Gi", "1Mi", "2Gi"),
		asks("requests", "ephemeral-storage", "1Gi", "1Mi", "2Gi"),
		device("requests", "*/*", "nvidia.com/gpu"),
		device("limits", "*/*", "nvidia.com/gpu"),
		device("requests", "hugepages-*", "hugepages-2Mi"),
		device("limits", "hugepages-*", "hugepages-2Mi"),
	}
}

func workloadExamples() []ruleExample {
	return []ruleExample{
		{
			"started: scaled by its autoscaler", "spec.replicas", "{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}, spec: {replicas: 4}}",
			"{spec: {replicas: 2}}", "{spec: {replicas: 6}}",
		},
		{
			"quiesced: no replicas", "spec.replicas", "{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: shop, name: db}, spec: {replicas: 2}}",
			"{spec: {replicas: 0}}", "{spec: {replicas: 1}}",
		},
		{
			"quiesced: suspended", "spec.suspend", "{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: night}, spec: {suspend: false}}",
			"{spec: {suspend: true}}", "{spec: {schedule: other}}",
		},
		{
			"quiesced: no node to run on", "spec.template.spec.nodeSelector[gameday.dev/quiesced]",
			"{apiVersion: apps/v1, kind: DaemonSet, metadata: {namespace: shop, name: log}, spec: {template: {spec: {nodeSelector: {disk: ssd}}}}}",
			"{spec: {template: {spec: {nodeSelector: {gameday.dev/quiesced: 'true'}}}}}", "{spec: {template: {spec: {nodeSelector: {gameday.dev/quiesced: x}}}}}",
		},
	}
}

func routeExamples() []ruleExample {
	const ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {namespace: shop, name: web, annotations: {kubernetes.io/ingress.class: nginx}}, spec: {ingressClassName: nginx}}"
	return []ruleExample{
		{
			"kept apart: policy chooses no pod", "spec.podSelector.matchLabels[gameday.dev/quiesced]",
			"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop, name: open}, spec: {podSelector: {matchLabels: {app: web}}}}",
			"{spec: {podSelector: {matchLabels: {gameday.dev/quiesced: policy}}}}", "{spec: {podSelector: {matchLabels: {app: null}}}}",
		},
		{"kept apart: nobody's ingress class", "spec.ingressClassName", ingress, "{spec: {ingressClassName: quiesced.gameday.dev}}", "{spec: {ingressClassName: traefik}}"},
		{"kept apart: no ingress class annotation", "metadata.annotations[kubernetes.io/ingress.class]", ingress, "{metadata: {annotations: null}}", "{metadata: {annotations: {kubernetes.io/ingress.class: traefik}}}"},
		{
			"kept apart: nobody's gateway class", "spec.gatewayClassName", "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {namespace: shop, name: gw}, spec: {gatewayClassName: cloud}}",
			"{spec: {gatewayClassName: quiesced.gameday.dev}}", "{spec: {gatewayClassName: null}}",
		},
		{
			"kept apart: no gateway for routes", "spec.parentRefs",
			"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {namespace: shop, name: web}, spec: {parentRefs: [{name: gw}], hostnames: [shop.example]}}",
			"{spec: {parentRefs: null}}", "{spec: {parentRefs: [{name: other}]}}",
		},
	}
}

func serviceExamples() []ruleExample {
	const service = "{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web, annotations: {external-dns.alpha.kubernetes.io/hostname: a.example, external-dns.alpha.kubernetes.io/internal-hostname: b.example}}, " +
		"spec: {type: LoadBalancer, externalIPs: [192.0.2.1], ports: [{port: 80, nodePort: 30080}], externalTrafficPolicy: Local, allocateLoadBalancerNodePorts: false, loadBalancerClass: a.example/b, loadBalancerIP: 192.0.2.2, loadBalancerSourceRanges: [192.0.2.0/24], healthCheckNodePort: 31000}}"
	all := []ruleExample{
		{"kept apart: no external addresses", "spec.externalIPs", service, "{spec: {externalIPs: null}}", "{spec: {externalIPs: [192.0.2.9]}}"},
		{"kept apart: reached from inside alone", "spec.type", service, "{spec: {type: ClusterIP}}", "{spec: {type: NodePort}}"},
		{"kept apart: no node ports", "spec.ports[*].nodePort", service, "{spec: {ports: [{port: 80}]}}", "{spec: {ports: [{port: 81}]}}"},
		{"kept apart: no name in DNS", "metadata.annotations[external-dns.alpha.kubernetes.io/hostname]", service, "{metadata: {annotations: {external-dns.alpha.kubernetes.io/hostname: null}}}", "{metadata: {annotations: {external-dns.alpha.kubernetes.io/hostname: c.example}}}"},
		{"kept apart: no name in DNS", "metadata.annotations[external-dns.alpha.kubernetes.io/internal-hostname]", service, "{metadata: {annotations: {external-dns.alpha.kubernetes.io/internal-hostname: null}}}", "{metadata: {annotations: {external-dns.alpha.kubernetes.io/internal-hostname: c.example}}}"},
	}
	for field, other := range map[string]string{
		"externalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": "true", "loadBalancerClass": "a.example/c", "loadBalancerIP": "192.0.2.9",
		"loadBalancerSourceRanges": "[192.0.2.0/25]", "healthCheckNodePort": "null, sessionAffinity: ClientIP", // another port is what Kubernetes allocates anew
	} {
		all = append(all, ruleExample{"kept apart: no " + field, "spec." + field, service, "{spec: {" + field + ": null}}", "{spec: {" + field + ": " + other + "}}"})
	}
	return all
}
