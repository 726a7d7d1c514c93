package main

import (
	"github.com/spf13/pflag"

	"gameday.dev/gameday/experiments"
	"gameday.dev/gameday/scenarios"
)

// veleroFlags override the Environment's velero and image, value by value.
type veleroFlags struct{ namespace, caFile, image string }

func (v *veleroFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&v.namespace, "velero-namespace", "", "namespace of Velero (default velero)")
	flags.StringVar(&v.caFile, "velero-ca-file", "", "CA certificates of Velero's object store")
	flags.StringVar(&v.image, "image", "", "container image with gameday in it, for pods that look at volumes")
}

// resolve lays the flags over the Environment.
func (v veleroFlags) resolve(from *scenarios.Velero) experiments.Velero {
	velero := from.ForSteps()
	velero.Namespace = firstOf(v.namespace, velero.Namespace)
	velero.CAFile = firstOf(v.caFile, velero.CAFile)
	return velero
}
