package quiesce

// workloads get no replicas, are suspended, or choose nodes that there are none of.
func workloads() []change {
	const why = "restored workloads do not run unless the step says start"
	return []change{
		{
			name: "quiesced: no replicas",
			of: []target{
				{"deployments", "Deployment", "apps"}, {"replicasets", "ReplicaSet", "apps"}, {"statefulsets", "StatefulSet", "apps"},
				{"replicationcontrollers", "ReplicationController", ""},
			},
			path: []string{"spec", "replicas"}, value: int64(0), why: why,
		},
		{
			name: "quiesced: suspended", of: []target{{"jobs", "Job", "batch"}, {"cronjobs", "CronJob", "batch"}},
			path: []string{"spec", "suspend"}, value: true, why: why,
		},
		{
			name: "quiesced: no node to run on", of: []target{{"daemonsets", "DaemonSet", "apps"}},
			path: []string{"spec", "template", "spec", "nodeSelector", mark}, value: "true", why: why,
		},
	}
}
