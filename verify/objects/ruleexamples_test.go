package objects

import "slices"

func ruleExamples() []ruleExample {
	return slices.Concat(metadataExamples(), podExamples(), workloadExamples(), serviceExamples(), storageExamples(), otherExamples())
}

func metadataExamples() []ruleExample {
	var all []ruleExample
	for field, value := range map[string]string{
		"uid": "other", "resourceVersion": "'9'", "creationTimestamp": "'2026-12-01T00:00:00Z'", "generation": "1", "managedFields": "[{manager: restore}]", "selfLink": "/x",
	} {
		all = append(all, ruleExample{"metadata of the server", "metadata." + field, "Deployment", "", "metadata." + field + " = " + value, "metadata." + field + "x = x"})
	}
	return append(all, []ruleExample{
		{"deletion under way", "metadata.deletionTimestamp", "Deployment", "metadata.deletionTimestamp = '2026-12-01T00:00:00Z'", "-metadata.deletionTimestamp", "metadata.deletionTimestamp = '2026-12-02T00:00:00Z'"},
		{"deletion under way", "metadata.deletionGracePeriodSeconds", "Pod", "metadata.deletionGracePeriodSeconds = 30", "-metadata.deletionGracePeriodSeconds", "metadata.deletionGracePeriodSeconds = 0"},
		{"deletion under way", "metadata.finalizers[foregroundDeletion]", "Deployment", "metadata.finalizers = [foregroundDeletion, example.org/x]", "metadata.finalizers = [example.org/x]", "metadata.finalizers = []"},
		{"deletion under way", "metadata.finalizers[orphan]", "Deployment", "metadata.finalizers = [orphan, example.org/x]", "metadata.finalizers = [example.org/x]", "metadata.finalizers = []"},
		{"status", "status", "Deployment", "", "status.replicas = 1", "metadata.status = x"},
		{"uid of an owner", "metadata.ownerReferences[*].uid", "ReplicaSet", "", "metadata.ownerReferences[0].uid = other", "metadata.ownerReferences[0].name = other"},
		{"another namespace", "metadata.namespace", "Deployment", "", "metadata.namespace = drill", "metadata.namespace = elsewhere"},
		{"leader election", "metadata.annotations[control-plane.alpha.kubernetes.io/leader]", "ConfigMap", "", "metadata.annotations[control-plane.alpha.kubernetes.io/leader] = other", "metadata.annotations[control-plane.alpha.kubernetes.io/led] = x"},
	}...)
}

func podExamples() []ruleExample {
	const mount = "volumeMounts[mountPath=/var/run/secrets/kubernetes.io/serviceaccount]"
	all := []ruleExample{
		{"scheduling", "spec.nodeName", "Pod", "", "spec.nodeName = node-9", "spec.nodeSelector.disk = ssd"},
		{"scheduling", "metadata.labels[topology.kubernetes.io/zone]", "Pod", "", "metadata.labels[topology.kubernetes.io/zone] = z9", "metadata.labels[topology.kubernetes.io/rack] = r1"},
		{"scheduling", "metadata.labels[topology.kubernetes.io/region]", "Pod", "", "metadata.labels[topology.kubernetes.io/region] = us", "metadata.labels[topology.kubernetes.io/rack] = r1"},
		{"debug containers", "spec.ephemeralContainers[*]", "Pod", "", "-spec.ephemeralContainers[0]", "-spec.initContainers[0]"},
		{"pods of a job", "metadata.finalizers[batch.kubernetes.io/job-tracking]", "Pod", "", "-metadata.finalizers[0]", "metadata.finalizers = []"},
		{"pods of a daemon set", "metadata.labels[pod-template-generation]", "Pod", "", "metadata.labels.pod-template-generation = '1'", "metadata.labels.pod-template-hash = other"},
		{"token volume", "spec.volumes[name=kube-api-access-*]", "Pod", "", "spec.volumes[5].name = kube-api-access-zz9zz ; spec.containers[0].volumeMounts[2].name = kube-api-access-zz9zz ; spec.initContainers[0].volumeMounts[0].name = kube-api-access-zz9zz", "-spec.volumes[5]"},
		{"token volume", "spec.volumes[name=*-token-*]", "Pod", "spec.volumes[+] = {name: web-token-abcde, secret: {secretName: web-token-abcde}}", "-spec.volumes[6]", "-spec.volumes[4]"},
		{"token volume", "spec.containers[*]." + mount + ".name", "Pod", "", "spec.containers[0].volumeMounts[2].name = kube-api-access-zz9zz", "spec.containers[0].volumeMounts[2].name = data"},
		{"token volume", "spec.initContainers[*]." + mount + ".name", "Pod", "", "spec.initContainers[0].volumeMounts[0].name = kube-api-access-zz9zz", "spec.initContainers[0].volumeMounts[0].name = data"},
		{"token volume", "spec.containers[*]." + mount, "Pod", "-spec.containers[0].volumeMounts[2]", "spec.containers[0].volumeMounts[+] = {name: kube-api-access-ab1cd, readOnly: true, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}", "spec.containers[0].volumeMounts[+] = {name: data, mountPath: /more}"},
		{"token volume", "spec.initContainers[*]." + mount, "Pod", "spec.initContainers[0].volumeMounts = []", "spec.initContainers[0].volumeMounts[+] = {name: kube-api-access-ab1cd, readOnly: true, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}", "spec.initContainers[0].volumeMounts[+] = {name: data, mountPath: /more}"},
		{"default tolerations", "spec.tolerations[*]", "Pod", "", "spec.tolerations[+] = {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 300}", "spec.tolerations[+] = {operator: Exists, effect: NoExecute}"},
		{"priority", "spec.priority", "Pod", "-spec.priority", "spec.priority = 7", "spec.terminationGracePeriodSeconds = 7"},
		{"priority", "spec.preemptionPolicy", "Pod", "-spec.priority ; -spec.preemptionPolicy", "spec.preemptionPolicy = Never", "spec.terminationGracePeriodSeconds = 7"},
		{"priority", "spec.priorityClassName", "Pod", "-spec.priority ; -spec.priorityClassName", "spec.priorityClassName = everyday", "spec.terminationGracePeriodSeconds = 7"},
		{"service account", "spec.serviceAccountName", "Pod", "-spec.serviceAccountName ; -spec.serviceAccount", "spec.serviceAccountName = default ; spec.serviceAccount = default", "spec.serviceAccountName = other ; spec.serviceAccount = other"},
		{"service account", "spec.imagePullSecrets[*]", "Pod", "-spec.imagePullSecrets", "spec.imagePullSecrets[+] = {name: registry}", "spec.subdomain = other"},
		{"limit range", "metadata.annotations[kubernetes.io/limit-ranger]", "Pod", "", "metadata.annotations[kubernetes.io/limit-ranger] = other", "metadata.annotations[kubernetes.io/limits] = x"},
		{"runtime class", "spec.overhead", "Pod", "-spec.overhead", "spec.overhead = {cpu: 10m}", "spec.runtimeClassName = other"},
	}
	for _, note := range networkNotes() {
		at := "metadata.annotations[" + note.name + "]"
		all = append(all, ruleExample{"network", at, "Pod", at + " = 10.0.0.1", at + " = 10.0.0.2", "metadata.annotations[cni.projectcalico.org/ipAddrs] = 10.0.0.3"})
	}
	for _, list := range []string{"containers", "initContainers"} {
		for _, sort := range []string{"limits", "requests"} {
			at := "spec." + list + "[0].resources." + sort + "."
			all = append(all, ruleExample{"limit range", "spec." + list + "[*].resources." + sort + "[*]", "Pod", "", at + "ephemeral-storage = 1Gi", at + "memory = 1Gi"})
		}
	}
	hash := "{key: pod-template-hash, operator: In, values: [7d4f5c9b6d]}"
	other := "{key: pod-template-hash, operator: In, values: [other]}"
	for _, at := range []struct{ path, wanted, in string }{
		{"spec.topologySpreadConstraints[*]", "", "spec.topologySpreadConstraints[0]"},
		{"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[*]", "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution = [{topologyKey: x, labelSelector: {matchLabels: {a: b}}}]", "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"},
		{"spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[*].podAffinityTerm", "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution = [{weight: 1, podAffinityTerm: {topologyKey: x, labelSelector: {matchLabels: {a: b}}}}]", "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm"},
		{"spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[*]", "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution = [{topologyKey: x, labelSelector: {matchLabels: {a: b}}}]", "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"},
		{"spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[*].podAffinityTerm", "", "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm"},
	} {
		expressions := at.in + ".labelSelector.matchExpressions[+] = "
		all = append(all, ruleExample{"matchLabelKeys", at.path + ".labelSelector.matchExpressions[*]", "Pod", at.wanted, expressions + hash, expressions + other})
	}
	for _, label := range []string{"batch.kubernetes.io/controller-uid", "controller-uid"} {
		all = append(all, ruleExample{"selector of a job", "metadata.labels[" + label + "]", "Pod", "", "metadata.labels[" + label + "] = other", "metadata.labels[batch.kubernetes.io/job-name] = other"})
	}
	return all
}

func workloadExamples() []ruleExample {
	all := []ruleExample{
		{"revision", "metadata.annotations[deployment.kubernetes.io/revision]", "Deployment", "", "metadata.annotations[deployment.kubernetes.io/revision] = '1'", "spec.revisionHistoryLimit = 1"},
		{"revision", "revision", "ControllerRevision", "", "revision = 1", "data.spec.template.metadata.labels.app = x"},
		{"template generation", "metadata.annotations[deprecated.daemonset.template.generation]", "DaemonSet", "", "metadata.annotations[deprecated.daemonset.template.generation] = '1'", "metadata.annotations.owner = x"},
		{"replicas of a deployment", "spec.replicas", "ReplicaSet", "", "spec.replicas = 0", "metadata.ownerReferences = []"},
		{"claim templates", "spec.volumeClaimTemplates[*].status", "StatefulSet", "", "-spec.volumeClaimTemplates[0].status", "spec.volumeClaimTemplates[0].spec.resources.requests.storage = 1Gi"},
	}
	for _, name := range []string{"desired-replicas", "max-replicas", "revision-history"} {
		all = append(all, ruleExample{"replicas of a deployment", "metadata.annotations[deployment.kubernetes.io/" + name + "]", "ReplicaSet", "", "metadata.annotations[deployment.kubernetes.io/" + name + "] = '0'", "spec.minReadySeconds = 1"})
	}
	for _, label := range []string{"batch.kubernetes.io/controller-uid", "controller-uid"} {
		for _, path := range []string{"spec.selector.matchLabels", "spec.template.metadata.labels", "metadata.labels"} {
			at := path + "[" + label + "]"
			all = append(all, ruleExample{"selector of a job", at, "Job", "", at + " = other", path + ".app = other"})
		}
	}
	for _, label := range []string{"batch.kubernetes.io/job-name", "job-name"} {
		at := "spec.template.metadata.labels[" + label + "]"
		all = append(all, ruleExample{"selector of a job", at, "Job", "-" + at, at + " = import", "spec.template.metadata.labels.team = x"})
	}
	return append(all, ruleExample{"job tracking", "metadata.annotations[batch.kubernetes.io/job-tracking]", "Job", "", "-metadata.annotations[batch.kubernetes.io/job-tracking]", "-metadata.annotations[batch.kubernetes.io/cronjob-scheduled-timestamp]"})
}

func serviceExamples() []ruleExample {
	const trigger, capacity = "metadata.annotations[endpoints.kubernetes.io/last-change-trigger-time]", "metadata.annotations[endpoints.kubernetes.io/over-capacity]"
	return []ruleExample{
		{"allocated address", "spec.clusterIP", "Service", "", "spec.clusterIP = 10.96.9.9", "spec.clusterIP = None"},
		{"allocated address", "spec.clusterIPs", "Service", "", "spec.clusterIPs = [10.96.9.9, 'fd00::9']", "spec.clusterIPs = [10.96.9.9]"},
		{"IP families", "spec.ipFamilies", "Service", "-spec.ipFamilies", "spec.ipFamilies = [IPv4]", "spec.externalIPs = []"},
		{"IP families", "spec.ipFamilyPolicy", "Service", "-spec.ipFamilyPolicy", "spec.ipFamilyPolicy = SingleStack", "spec.ipFamily = IPv4"},
		{"allocated port", "spec.ports[*].nodePort", "Service", "", "spec.ports[0].nodePort = 30000", "-spec.ports[0].nodePort"},
		{"allocated port", "spec.healthCheckNodePort", "Service", "", "spec.healthCheckNodePort = 30000", "-spec.healthCheckNodePort"},
		{"load balancer", "metadata.finalizers[service.kubernetes.io/load-balancer-cleanup]", "Service", "", "-metadata.finalizers[0]", "metadata.finalizers = []"},
		{"default ingress class", "spec.ingressClassName", "Ingress", "-spec.ingressClassName", "spec.ingressClassName = public", "spec.rules[0].host = other"},
		{"addresses of pods", "subsets", "Endpoints web", "", "subsets[0].addresses = []", "metadata.labels.app = x"},
		{"addresses of pods", "endpoints", "EndpointSlice web-abc12", "", "endpoints[0].addresses[0] = 10.244.9.9", "addressType = IPv6"},
		{"addresses of pods", "ports", "EndpointSlice web-abc12", "", "ports[0].port = 9090", "addressType = IPv6"},
		{"addresses of pods", trigger, "EndpointSlice web-abc12", "", "-" + trigger, "metadata.labels[kubernetes.io/service-name] = x"},
		{"addresses of pods", capacity, "Endpoints web", "", "-" + capacity, "metadata.annotations[endpoints.kubernetes.io/other] = x"},
		{"addresses of pods", "metadata.labels[endpoints.kubernetes.io/managed-by]", "Endpoints web", "", "-metadata.labels[endpoints.kubernetes.io/managed-by]", "-metadata.labels.app"},
	}
}

func storageExamples() []ruleExample {
	const claim, volume, content = "PersistentVolumeClaim", "PersistentVolume", "VolumeSnapshotContent"
	finalizer := func(of, name, place string) ruleExample {
		return ruleExample{"protection", "metadata.finalizers[" + name + "]", of, "", "-metadata.finalizers[" + place + "]", "metadata.finalizers = [example.org/x]"}
	}
	note := func(rule, of, name string) ruleExample {
		return ruleExample{rule, "metadata.annotations[" + name + "]", of, "", "-metadata.annotations[" + name + "]", "metadata.annotations.owner = other"}
	}
	return []ruleExample{
		{"volume of a claim", "spec.volumeName", claim, "", "spec.volumeName = pvc-other", "spec.resources.requests.storage = 1Gi"},
		{"default storage class", "spec.storageClassName", claim, "-spec.storageClassName", "spec.storageClassName = fast", "spec.storageClassName = ''"},
		{"protection", "metadata.finalizers[kubernetes.io/pvc-protection]", claim, "metadata.finalizers = [example.org/x]", "metadata.finalizers[+] = kubernetes.io/pvc-protection", "metadata.finalizers = [kubernetes.io/pvc-protection]"},
		{"protection", "metadata.finalizers[kubernetes.io/pv-protection]", volume, "metadata.finalizers = [example.org/x]", "metadata.finalizers[+] = kubernetes.io/pv-protection", "metadata.finalizers = [kubernetes.io/pv-protection]"},
		finalizer(volume, "external-provisioner.volume.kubernetes.io/finalizer", "1"),
		finalizer(volume, "external-attacher/*", "2"),
		finalizer(claim, "snapshot.storage.kubernetes.io/pvc-as-source-protection", "1"),
		finalizer(content, "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection", "0"),
		finalizer("VolumeSnapshot", "snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection", "0"),
		finalizer("VolumeSnapshot", "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection", "1"),
		{"claim of a volume", "spec.claimRef.uid", volume, "", "spec.claimRef.uid = other", "spec.claimRef.name = other"},
		{"claim of a volume", "spec.claimRef.resourceVersion", volume, "", "spec.claimRef.resourceVersion = '9'", "spec.claimRef.name = other"},
		{"provisioner", "spec.csi.volumeAttributes[storage.kubernetes.io/csiProvisionerIdentity]", volume, "", "spec.csi.volumeAttributes[storage.kubernetes.io/csiProvisionerIdentity] = other", "spec.csi.volumeHandle = other"},
		note("volume of a claim", claim, "pv.kubernetes.io/bind-completed"),
		note("volume of a claim", claim, "pv.kubernetes.io/bound-by-controller"),
		note("provisioner", claim, "volume.beta.kubernetes.io/storage-provisioner"),
		note("provisioner", claim, "volume.kubernetes.io/storage-provisioner"),
		note("provisioner", claim, "volume.kubernetes.io/storage-resizer"),
		note("provisioner", volume, "pv.kubernetes.io/provisioned-by"),
		note("scheduling", claim, "volume.kubernetes.io/selected-node"),
		note("snapshot under way", content, "snapshot.storage.kubernetes.io/volumesnapshot-being-created"),
		note("snapshot under way", content, "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted"),
		{"claim of a snapshot", "spec.volumeSnapshotRef.uid", content, "", "spec.volumeSnapshotRef.uid = other", "spec.volumeSnapshotRef.name = other"},
		{"claim of a snapshot", "spec.volumeSnapshotRef.resourceVersion", content, "", "spec.volumeSnapshotRef.resourceVersion = '9'", "spec.source.volumeHandle = other"},
	}
}

func otherExamples() []ruleExample {
	all := []ruleExample{
		{"namespace", "metadata.name", "Namespace", "", "metadata.name = drill", "metadata.name = other"},
		{"namespace", "metadata.labels[kubernetes.io/metadata.name]", "Namespace", "", "metadata.name = drill ; metadata.labels[kubernetes.io/metadata.name] = drill", "metadata.labels[kubernetes.io/metadata.name] = shop-x"},
		{"namespace", "spec.finalizers", "Namespace", "-spec.finalizers", "spec.finalizers = [kubernetes]", "spec.finalizers = [kubernetes, example.org/x]"},
		{"account token", "secrets[name=*-token-*]", "ServiceAccount", "", "-secrets[0]", "secrets = []"},
		{"root certificate", "data[ca.crt]", "ConfigMap kube-root-ca.crt", "", "data[ca.crt] = other", "data[other.crt] = x"},
		{"root certificate", "metadata.annotations[kubernetes.io/description]", "ConfigMap kube-root-ca.crt", "", "metadata.annotations[kubernetes.io/description] = other", "metadata.annotations.other = x"},
		{"aggregated role", "rules", "ClusterRole monitoring", "", "rules = []", "-aggregationRule"},
		{"leases", "spec", "Lease", "", "spec.holderIdentity = other", "metadata.labels.app = other"},
	}
	for _, path := range []string{"data.token", "data[ca.crt]", "data.namespace", "metadata.annotations[kubernetes.io/service-account.uid]", "metadata.labels[kubernetes.io/legacy-token-last-used]", "metadata.labels[kubernetes.io/legacy-token-invalid-since]"} {
		all = append(all, ruleExample{"account token", path, "Secret web-token-x7k2p", "", path + " = b3RoZXI=", "type = Opaque"})
	}
	return all
}
