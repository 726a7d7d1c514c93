package objects

// resource is one row of what the API server stores under a path of its own.
type resource struct {
	name  string // with its group, as kubectl has it
	group string
	kind  string
	// also is another group that the same objects may be stored in.
	also       string
	namespaced bool
	// internal objects are the API server's own: they have no metadata.
	internal bool
}

// The places of what the API server keeps for itself, from
// pkg/controlplane/instance.go, pkg/controlplane/apiserver/peer.go and
// pkg/registry/core/rest/storage_core.go of Kubernetes.
const (
	masterLeases = "masterleases"
	peerLeases   = "peerserverleases"
	ranges       = "ranges"
)

func isInternal(resource string) bool {
	return resource == masterLeases || resource == peerLeases || resource == ranges
}

// resources gives the built-in resources by their path below the prefix. The
// path is the plural, without the group (ResourcePrefix of
// k8s.io/apiserver/pkg/server/storage/storage_factory.go), except for those of
// SpecialDefaultResourcePrefixes; what shares its storage with another group is
// in AddCohabitatingResources. Both are in
// pkg/kubeapiserver/default_storage_factory_builder.go of Kubernetes; which
// resources there are, and that they lie there, in test/integration/etcd/data.go.
//
// Objects of API extensions have their group in the path and no row here.
func resources() map[string]resource {
	const namespaced, clusterWide = true, false
	table := map[string]resource{
		masterLeases: {name: masterLeases, kind: "Endpoints", internal: true},
		peerLeases:   {name: peerLeases, kind: "Endpoints", internal: true},
		ranges:       {name: ranges, kind: "RangeAllocation", internal: true},
	}
	group := "" // of the rows that follow
	add := func(path, plural, kind string, namespaced bool) {
		name := plural
		if group != "" {
			name += "." + group
		}
		table[path] = resource{name: name, group: group, kind: kind, namespaced: namespaced}
	}

	add("configmaps", "configmaps", "ConfigMap", namespaced)
	add("controllers", "replicationcontrollers", "ReplicationController", namespaced)
	add("events", "events", "Event", namespaced)
	add("limitranges", "limitranges", "LimitRange", namespaced)
	add("minions", "nodes", "Node", clusterWide)
	add("namespaces", "namespaces", "Namespace", clusterWide)
	add("persistentvolumeclaims", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced)
	add("persistentvolumes", "persistentvolumes", "PersistentVolume", clusterWide)
	add("pods", "pods", "Pod", namespaced)
	add("podtemplates", "podtemplates", "PodTemplate", namespaced)
	add("resourcequotas", "resourcequotas", "ResourceQuota", namespaced)
	add("secrets", "secrets", "Secret", namespaced)
	add("serviceaccounts", "serviceaccounts", "ServiceAccount", namespaced)
	add("services/endpoints", "endpoints", "Endpoints", namespaced)
	add("services/specs", "services", "Service", namespaced)

	group = "admissionregistration.k8s.io"
	add("mutatingadmissionpolicies", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", clusterWide)
	add("mutatingadmissionpolicybindings", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", clusterWide)
	add("mutatingwebhookconfigurations", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", clusterWide)
	add("validatingadmissionpolicies", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", clusterWide)
	add("validatingadmissionpolicybindings", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", clusterWide)
	add("validatingwebhookconfigurations", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", clusterWide)

	group = "apps"
	add("controllerrevisions", "controllerrevisions", "ControllerRevision", namespaced)
	add("daemonsets", "daemonsets", "DaemonSet", namespaced)
	add("deployments", "deployments", "Deployment", namespaced)
	add("replicasets", "replicasets", "ReplicaSet", namespaced)
	add("statefulsets", "statefulsets", "StatefulSet", namespaced)

	group = "autoscaling"
	add("horizontalpodautoscalers", "horizontalpodautoscalers", "HorizontalPodAutoscaler", namespaced)

	group = "batch"
	add("cronjobs", "cronjobs", "CronJob", namespaced)
	add("jobs", "jobs", "Job", namespaced)

	group = "certificates.k8s.io"
	add("certificatesigningrequests", "certificatesigningrequests", "CertificateSigningRequest", clusterWide)
	add("clustertrustbundles", "clustertrustbundles", "ClusterTrustBundle", clusterWide)
	add("podcertificaterequests", "podcertificaterequests", "PodCertificateRequest", namespaced)

	group = "coordination.k8s.io"
	add("leasecandidates", "leasecandidates", "LeaseCandidate", namespaced)
	add("leases", "leases", "Lease", namespaced)

	group = "discovery.k8s.io"
	add("endpointslices", "endpointslices", "EndpointSlice", namespaced)

	group = "flowcontrol.apiserver.k8s.io"
	add("flowschemas", "flowschemas", "FlowSchema", clusterWide)
	add("prioritylevelconfigurations", "prioritylevelconfigurations", "PriorityLevelConfiguration", clusterWide)

	group = "internal.apiserver.k8s.io"
	add("storageversions", "storageversions", "StorageVersion", clusterWide)

	group = "networking.k8s.io"
	add("ingress", "ingresses", "Ingress", namespaced)
	add("ingressclasses", "ingressclasses", "IngressClass", clusterWide)
	add("ipaddresses", "ipaddresses", "IPAddress", clusterWide)
	add("networkpolicies", "networkpolicies", "NetworkPolicy", namespaced)
	add("servicecidrs", "servicecidrs", "ServiceCIDR", clusterWide)

	group = "node.k8s.io"
	add("runtimeclasses", "runtimeclasses", "RuntimeClass", clusterWide)

	group = "policy"
	add("poddisruptionbudgets", "poddisruptionbudgets", "PodDisruptionBudget", namespaced)

	group = "rbac.authorization.k8s.io"
	add("clusterrolebindings", "clusterrolebindings", "ClusterRoleBinding", clusterWide)
	add("clusterroles", "clusterroles", "ClusterRole", clusterWide)
	add("rolebindings", "rolebindings", "RoleBinding", namespaced)
	add("roles", "roles", "Role", namespaced)

	group = "resource.k8s.io"
	add("deviceclasses", "deviceclasses", "DeviceClass", clusterWide)
	add("devicetaintrules", "devicetaintrules", "DeviceTaintRule", clusterWide)
	add("resourceclaims", "resourceclaims", "ResourceClaim", namespaced)
	add("resourceclaimtemplates", "resourceclaimtemplates", "ResourceClaimTemplate", namespaced)
	add("resourcepoolstatusrequests", "resourcepoolstatusrequests", "ResourcePoolStatusRequest", clusterWide)
	add("resourceslices", "resourceslices", "ResourceSlice", clusterWide)

	group = "scheduling.k8s.io"
	add("podgroups", "podgroups", "PodGroup", namespaced)
	add("priorityclasses", "priorityclasses", "PriorityClass", clusterWide)
	add("workloads", "workloads", "Workload", namespaced)

	group = "storage.k8s.io"
	add("csidrivers", "csidrivers", "CSIDriver", clusterWide)
	add("csinodes", "csinodes", "CSINode", clusterWide)
	add("csistoragecapacities", "csistoragecapacities", "CSIStorageCapacity", namespaced)
	add("storageclasses", "storageclasses", "StorageClass", clusterWide)
	add("volumeattachments", "volumeattachments", "VolumeAttachment", clusterWide)
	add("volumeattributesclasses", "volumeattributesclasses", "VolumeAttributesClass", clusterWide)

	group = "storagemigration.k8s.io"
	add("storageversionmigrations", "storageversionmigrations", "StorageVersionMigration", clusterWide)

	for path, other := range map[string]string{
		"controllers": "extensions", "daemonsets": "extensions", "deployments": "extensions", "events": "events.k8s.io",
		"ingress": "extensions", "networkpolicies": "extensions", "replicasets": "extensions",
	} {
		row := table[path]
		row.also = other
		table[path] = row
	}
	return table
}
