package objects

import (
	"slices"
	"strings"
)

func storageDefaults() []Default {
	claim, volume := []string{"PersistentVolumeClaim"}, []string{"PersistentVolume"}
	driver := []string{"CSIDriver.storage.k8s.io"}
	return slices.Concat(
		fill(claim, defaultsCore, "spec", map[string]any{"volumeMode": "Filesystem"}),
		[]Default{
			{Kinds: claim, Path: "spec.dataSource", Of: sameAs("dataSourceRef"), Words: "dataSourceRef, where both have that", Source: "pkg/api/persistentvolumeclaim/util.go"},
			{Kinds: claim, Path: "spec.dataSourceRef", Of: sameAs("dataSource"), Words: "dataSource, where both have that", Source: "pkg/api/persistentvolumeclaim/util.go"},
		},
		fill(volume, defaultsCore, "spec", map[string]any{"volumeMode": "Filesystem", "persistentVolumeReclaimPolicy": "Retain", "hostPath.type": ""}),
		fill(volume, defaultsGenerated, "spec", map[string]any{
			"iscsi.iscsiInterface": "default", "rbd.pool": "rbd", "rbd.user": "admin", "rbd.keyring": "/etc/ceph/keyring",
			"azureDisk.cachingMode": "ReadWrite", "azureDisk.fsType": "ext4", "azureDisk.readOnly": false, "azureDisk.kind": "Shared",
			"scaleIO.storageMode": "ThinProvisioned", "scaleIO.fsType": "xfs",
		}),
		[]Default{
			{Kinds: []string{"StorageClass.storage.k8s.io"}, Path: "reclaimPolicy", Value: "Delete", Source: defaultsStorage},
			{Kinds: []string{"StorageClass.storage.k8s.io"}, Path: "volumeBindingMode", Value: "Immediate", Source: defaultsStorage},
			{Kinds: []string{"PriorityClass.scheduling.k8s.io"}, Path: "preemptionPolicy", Value: "PreemptLowerPriority", Source: "pkg/apis/scheduling/v1/defaults.go"},
		},
		fill(driver, defaultsStorage, "spec", map[string]any{
			"attachRequired": true, "podInfoOnMount": false, "storageCapacity": false, "fsGroupPolicy": "ReadWriteOnceWithFSType",
			"volumeLifecycleModes": []any{"Persistent"}, "requiresRepublish": false, "seLinuxMount": false,
		}),
	)
}

// sameAs gives the value of another field, which both sides must have: one side
// that has neither has lost both.
func sameAs(field string) func(Around) any {
	return func(a Around) any {
		if a.Across()[field] == nil {
			return nil
		}
		return a.In(1)[field]
	}
}

func autoscalingDefaults() []Default {
	scaler, limits := []string{"HorizontalPodAutoscaler.autoscaling"}, []string{"LimitRange"}
	up := []any{
		map[string]any{"type": "Pods", "value": int64(4), "periodSeconds": int64(15)},
		map[string]any{"type": "Percent", "value": int64(100), "periodSeconds": int64(15)},
	}
	down := []any{map[string]any{"type": "Percent", "value": int64(100), "periodSeconds": int64(15)}}
	cpu := []any{map[string]any{
		"type":     "Resource",
		"resource": map[string]any{"name": "cpu", "target": map[string]any{"type": "Utilization", "averageUtilization": int64(80)}},
	}}
	return slices.Concat(
		fill(scaler, defaultsScaling, "spec", map[string]any{
			"minReplicas": int64(1), "metrics": cpu,
			"behavior.scaleUp": object(), "behavior.scaleUp.selectPolicy": "Max", "behavior.scaleUp.stabilizationWindowSeconds": int64(0), "behavior.scaleUp.policies": up,
			"behavior.scaleDown": object(), "behavior.scaleDown.selectPolicy": "Max", "behavior.scaleDown.policies": down,
		}),
		[]Default{
			{Kinds: limits, Path: "spec.limits[*].default[*]", Of: limitOf("max"), Words: "max of the same resource, for containers", Source: defaultsCore},
			{Kinds: limits, Path: "spec.limits[*].defaultRequest[*]", Of: limitOf("default", "max", "min"), Words: "default, max or min of the same resource, for containers", Source: defaultsCore},
		},
	)
}

func limitOf(fields ...string) func(Around) any {
	return func(a Around) any {
		limit := a.In(2)
		for _, field := range fields {
			values, _ := limit[field].(map[string]any)
			if value, ok := values[a.Name()]; ok && limit["type"] == "Container" {
				return value
			}
		}
		return nil
	}
}

func registrationDefaults() []Default {
	mutating, validating := "MutatingWebhookConfiguration.admissionregistration.k8s.io", "ValidatingWebhookConfiguration.admissionregistration.k8s.io"
	policies := []string{"ValidatingAdmissionPolicy.admissionregistration.k8s.io", "MutatingAdmissionPolicy.admissionregistration.k8s.io"}
	bindings := []string{"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io"}
	definition, service := []string{"CustomResourceDefinition.apiextensions.k8s.io"}, []string{"APIService.apiregistration.k8s.io"}
	match := map[string]any{"matchPolicy": "Equivalent", "namespaceSelector": object(), "objectSelector": object(), "resourceRules[*].scope": "*", "excludeResourceRules[*].scope": "*"}
	return slices.Concat(
		fill([]string{mutating, validating}, defaultsAdmission, "webhooks[*]", map[string]any{
			"failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": object(), "objectSelector": object(), "timeoutSeconds": int64(10),
			"rules[*].scope": "*", "clientConfig.service.port": int64(443),
		}),
		fill([]string{mutating}, defaultsAdmission, "webhooks[*]", map[string]any{"reinvocationPolicy": "Never"}),
		fill(policies, defaultsAdmission, "spec", map[string]any{"failurePolicy": "Fail"}),
		fill(policies, defaultsAdmission, "spec.matchConstraints", match),
		fill(bindings, defaultsAdmission, "spec.matchResources", match),
		[]Default{
			{Kinds: definition, Path: "spec.names.singular", Of: func(a Around) any { return strings.ToLower(textOf(a.In(1)["kind"])) }, Words: "kind in small letters", Source: defaultsExtensions},
			{Kinds: definition, Path: "spec.names.listKind", Of: func(a Around) any { return textOf(a.In(1)["kind"]) + "List" }, Words: "kind and List", Source: defaultsExtensions},
			{Kinds: definition, Path: "spec.conversion", Value: map[string]any{"strategy": "None"}, Source: defaultsExtensions},
			{Kinds: definition, Path: "spec.conversion.webhook.clientConfig.service.port", Value: int64(443), Source: defaultsExtensions},
			{Kinds: service, Path: "spec.service.port", Value: int64(443), Source: defaultsAggregator},
		},
	)
}

func accessDefaults() []Default {
	bindings := []string{"RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"}
	return []Default{
		{Kinds: bindings, Path: "roleRef.apiGroup", Value: "rbac.authorization.k8s.io", Source: defaultsAccess},
		{Kinds: bindings, Path: "subjects[*].apiGroup", Of: subjectGroup, Words: "rbac.authorization.k8s.io for users and groups, else empty", Source: defaultsAccess},
	}
}

func subjectGroup(a Around) any {
	switch a.In(1)["kind"] {
	case "User", "Group":
		return "rbac.authorization.k8s.io"
	default:
		return ""
	}
}
