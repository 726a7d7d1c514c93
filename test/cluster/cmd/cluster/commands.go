package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"gameday.dev/gameday/test/cluster"
)

// streams are where output goes: results to out, progress to progress.
type streams struct{ out, progress io.Writer }

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "cluster",
		Short: "Real Kubernetes clusters on this machine, for tests",
		Example: `  cluster up --name demo --monitoring --shop
  export KUBECONFIG=$(cluster kubeconfig --name demo)
  cluster down --name demo`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newUp(s), newDown(s), newList(s), newKubeconfig(s), newBuild(s), newImage(s))
	return root
}

// optionFlags binds the flags that say what cluster is meant.
func optionFlags(cmd *cobra.Command, o *cluster.Options) {
	flags := cmd.Flags()
	flags.StringVar((*string)(&o.Flavour), "flavour", string(cluster.Local), "real nodes (local) or nodes that pretend (kwok)")
	flags.StringVar(&o.Kubernetes, "kubernetes", cluster.KubernetesVersions[0],
		"Kubernetes version, tested with "+strings.Join(cluster.KubernetesVersions, " and "))
	flags.BoolVar(&o.Velero, "velero", false, "with Velero, an S3 server for it and volumes to back up")
	flags.StringVar(&o.VeleroVersion, "velero-version", cluster.VeleroVersions[0],
		"Velero version, one of "+strings.Join(cluster.VeleroVersions, ", "))
	flags.BoolVar(&o.Monitoring, "monitoring", false, "with Prometheus, Alertmanager and a webhook receiver")
}

func nameFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "name", cluster.DefaultName, "name of the cluster")
}

func newUp(s streams) *cobra.Command {
	var o cluster.Options
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring a cluster up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Progress = s.progress
			c, err := cluster.Up(cmd.Context(), o)
			if err != nil {
				return err
			}
			describe(s.out, c)
			return nil
		},
	}
	nameFlag(cmd, &o.Name)
	optionFlags(cmd, &o)
	cmd.Flags().IntVar(&o.Nodes, "nodes", 3, "number of nodes, all workers")
	cmd.Flags().IntVar(&o.Etcd, "etcd-members", 1, "number of etcd members, 1 or 3")
	cmd.Flags().BoolVar(&o.Encryption, "encryption", false, "encrypt Secrets, ConfigMaps and ServiceAccounts at rest")
	cmd.Flags().BoolVar(&o.Shop, "shop", false, "with the sample application")
	return cmd
}

// describe tells a person how to use a cluster and how to get rid of it.
func describe(w io.Writer, c *cluster.Cluster) {
	fmt.Fprintf(w, "\ncluster       %s (%s)\nkubeconfig    %s\nenvironment   %s\nlogs          %s\n",
		c.Name, c.Options, c.Kubeconfig(), c.Environment(), c.LogDir())
	if c.Monitoring {
		fmt.Fprintf(w, "prometheus    %s\nalertmanager  %s\nwebhook       %s/received\n", c.PrometheusURL(), c.AlertmanagerURL(), c.WebhookURL())
	}
	if c.Velero {
		fmt.Fprintf(w, "s3            %s (objects in %s)\n", c.S3URL(), c.BucketDir())
	}
	fmt.Fprintf(w, "\nuse it:       export KUBECONFIG=%s GAMEDAY_ENVIRONMENT=%s\ntake it down: make cluster-down NAME=%s\n",
		c.Kubeconfig(), c.Environment(), c.Name)
}

func newDown(s streams) *cobra.Command {
	var name string
	var all bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Take a cluster down and remove every trace of it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names := []string{name}
			if all {
				var err error
				if names, err = cluster.Names(); err != nil {
					return err
				}
			}
			var failed error
			for _, name := range names {
				failed = errors.Join(failed, cluster.Down(cmd.Context(), name, s.progress))
			}
			return failed
		},
	}
	nameFlag(cmd, &name)
	cmd.Flags().BoolVar(&all, "all", false, "take all clusters of this user down")
	cmd.MarkFlagsMutuallyExclusive("name", "all")
	return cmd
}

func newList(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the clusters of this user",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names, err := cluster.Names()
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tSTATE\tCLUSTER")
			for _, name := range names {
				state, what := "healthy", ""
				c, err := cluster.Open(name)
				if err == nil {
					what = c.String()
					err = c.Healthy(cmd.Context())
				}
				if err != nil {
					state = "broken: " + err.Error()
				}
				fmt.Fprintf(table, "%s\t%s\t%s\n", name, state, what)
			}
			return table.Flush()
		},
	}
}

func newKubeconfig(s streams) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print the path of a cluster's kubeconfig",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := cluster.Open(name)
			if err != nil {
				return err
			}
			fmt.Fprintln(s.out, c.Kubeconfig())
			return nil
		},
	}
	nameFlag(cmd, &name)
	return cmd
}

func newBuild(s streams) *cobra.Command {
	var o cluster.Options
	cmd := &cobra.Command{
		Use:   "build [PROGRAM...]",
		Short: "Build the programs of a cluster ahead of its first start",
		Long:  "Build the programs of a cluster ahead of its first start, or only the named ones, such as kubectl, and print their paths.",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Progress = s.progress
			paths, err := cluster.Build(cmd.Context(), o, args...)
			if err != nil {
				return err
			}
			for _, name := range args {
				fmt.Fprintln(s.out, paths[name])
			}
			return nil
		},
	}
	optionFlags(cmd, &o)
	return cmd
}

func newImage(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "image",
		Short: "Make the image of the sample application and print the path of its archive",
		Long: `Make the image of the sample application and print the path of its archive. The clusters of this command have it
already; the nodes of others must be given it before tests run there:

  kind load image-archive $(cluster image)
  ctr --namespace k8s.io images import $(cluster image)     # on each node`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			archive, err := cluster.ShopImage(cmd.Context(), s.progress)
			if err != nil {
				return err
			}
			fmt.Fprintln(s.out, archive)
			return nil
		},
	}
}
