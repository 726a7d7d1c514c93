package objects

import (
	"slices"
	"strings"
)

func podDefaults() []Default {
	return slices.Concat(
		fill(podKinds(), defaultsCore, "{pod}", map[string]any{
			"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": object(),
			"terminationGracePeriodSeconds": int64(30), "schedulerName": "default-scheduler",
		}),
		[]Default{
			{Kinds: podKinds(), Path: "{pod}.serviceAccount", Of: serviceAccountName, Words: "serviceAccountName", Source: "pkg/apis/core/v1/conversion.go"},
			{Kinds: podKinds(), Path: "{pod}.tolerations[*].operator", Value: "Equal", Source: defaultsGenerated},
			{Kinds: []string{"Pod"}, Path: "spec.enableServiceLinks", Value: true, Source: defaultsCore},
		},
	)
}

func serviceAccountName(a Around) any { return a.In(1)["serviceAccountName"] }

func containerDefaults() []Default {
	all := fill(podKinds(), defaultsCore, "{podContainer}", map[string]any{
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
		"env[*].valueFrom.fieldRef.apiVersion": "v1", "env[*].valueFrom.resourceFieldRef.divisor": "0",
		"lifecycle.*.httpGet.path": "/", "lifecycle.*.httpGet.scheme": "HTTP",
	})
	all = append(all, fill(podKinds(), defaultsGenerated, "{podContainer}", map[string]any{
		"ports[*].protocol": "TCP", "env[*].valueFrom.fileKeyRef.optional": false,
	})...)
	return append(all,
		Default{Kinds: podKinds(), Path: "{podContainer}.imagePullPolicy", Of: pullPolicy("image"), Words: "Always for the tag latest or none, else IfNotPresent", Source: defaultsCore},
		Default{Kinds: podKinds(), Path: "{podContainer}.ports[*].hostPort", Of: hostPort, Words: "containerPort, with hostNetwork", Source: defaultsCore},
		Default{Kinds: []string{"Pod"}, Path: "{podContainer}.resources.requests[*]", Of: limitOfSame, Words: "the limit of the same resource", Source: defaultsCore},
	)
}

// pullPolicy is by the tag of an image, as the API server reads it.
func pullPolicy(field string) func(Around) any {
	return func(a Around) any {
		image := textOf(a.In(1)[field])
		name, _, digest := strings.Cut(image, "@")
		tag := name[strings.LastIndex(name, "/")+1:]
		_, tag, tagged := strings.Cut(tag, ":")
		if tag == "latest" || !tagged && !digest {
			return "Always"
		}
		return "IfNotPresent"
	}
}

func hostPort(a Around) any {
	if spec := a.In(5); spec["hostNetwork"] == true { // port, ports, container, containers, spec
		return a.In(1)["containerPort"]
	}
	return nil
}

func limitOfSame(a Around) any {
	limits, _ := a.In(2)["limits"].(map[string]any)
	return limits[a.Name()]
}

func probeDefaults() []Default {
	var all []Default
	for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		at := "{podContainer}." + probe
		all = append(all, fill(podKinds(), defaultsCore, at, map[string]any{
			"timeoutSeconds": int64(1), "periodSeconds": int64(10), "successThreshold": int64(1), "failureThreshold": int64(3),
			"httpGet.path": "/", "httpGet.scheme": "HTTP",
		})...)
		all = append(all, Default{Kinds: podKinds(), Path: at + ".grpc.service", Value: "", Source: defaultsGenerated})
	}
	return all
}

func volumeDefaults() []Default {
	volume := "{pod}.volumes[*]"
	all := fill(podKinds(), defaultsCore, volume, map[string]any{
		"emptyDir": object(), "secret.defaultMode": int64(0o644), "configMap.defaultMode": int64(0o644), "downwardAPI.defaultMode": int64(0o644),
		"projected.defaultMode": int64(0o644), "projected.sources[*].serviceAccountToken.expirationSeconds": int64(3600),
		"downwardAPI.items[*].fieldRef.apiVersion": "v1", "projected.sources[*].downwardAPI.items[*].fieldRef.apiVersion": "v1",
		"downwardAPI.items[*].resourceFieldRef.divisor": "0", "projected.sources[*].downwardAPI.items[*].resourceFieldRef.divisor": "0",
		"hostPath.type": "", "ephemeral.volumeClaimTemplate.spec.volumeMode": "Filesystem",
	})
	all = append(all, Default{Kinds: podKinds(), Path: volume + ".image.pullPolicy", Of: pullPolicy("reference"), Words: "as for containers", Source: defaultsCore})
	all = append(all, fill(podKinds(), defaultsGenerated, volume, map[string]any{
		"iscsi.iscsiInterface": "default", "rbd.pool": "rbd", "rbd.user": "admin", "rbd.keyring": "/etc/ceph/keyring",
		"azureDisk.cachingMode": "ReadWrite", "azureDisk.fsType": "ext4", "azureDisk.readOnly": false, "azureDisk.kind": "Shared",
		"scaleIO.storageMode": "ThinProvisioned", "scaleIO.fsType": "xfs",
	})...)
	return all
}
