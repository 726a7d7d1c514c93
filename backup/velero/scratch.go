package velero

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"gameday.dev/gameday/backup/velero/contents"
	"gameday.dev/gameday/internal/kube"
)

// makeScratch makes the scratch namespace before Velero would, so that nothing
// ever runs in it that is not isolated and bounded. It is labelled and annotated as
// the original was, as Velero would do it.
func (c *climb) makeScratch(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.plan.Into, Labels: map[string]string{}, Annotations: map[string]string{}}}
	original, err := c.contents.Get("namespaces", "", c.plan.Source)
	if err != nil {
		return err
	}
	if original != nil {
		maps.Copy(namespace.Labels, original.GetLabels())
		maps.Copy(namespace.Annotations, original.GetAnnotations())
		delete(namespace.Labels, corev1.LabelMetadataName) // the API server sets it
	}
	maps.Copy(namespace.Labels, c.labels())
	if err := create(ctx, c.env.Client.CoreV1().Namespaces().Create, namespace); err != nil {
		return fmt.Errorf("creating scratch namespace %s: %w", c.plan.Into, err)
	}
	if c.spec.isolated() {
		if err := create(ctx, c.env.Client.NetworkingV1().NetworkPolicies(c.plan.Into).Create, c.isolation()); err != nil {
			return fmt.Errorf("isolating scratch namespace %s: %w", c.plan.Into, err)
		}
	}
	if !c.spec.limitsSize() {
		return nil
	}
	quota, err := c.quota(ctx)
	if err != nil {
		return err
	}
	if err := create(ctx, c.env.Client.CoreV1().ResourceQuotas(c.plan.Into).Create, quota); err != nil {
		return fmt.Errorf("bounding scratch namespace %s: %w", c.plan.Into, err)
	}
	return nil
}

// create makes an object. A request that is on its way when the run is cut short is
// waited for: what it makes would else appear after Undo has looked for it.
func create[T any](ctx context.Context, ask func(context.Context, T, metav1.CreateOptions) (T, error), object T) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	asking, stopAsking := kube.Linger(ctx)
	defer stopAsking()
	_, err := ask(asking, object, metav1.CreateOptions{})
	return err
}

// isolation lets pods of the namespace talk to each other and ask DNS, and nothing
// else. Policies add up, so it denies by allowing only this. Its name is the run's own:
// whatever the original has, no restored object is called so.
func (c *climb) isolation() *networkingv1.NetworkPolicy {
	dns := intstr.FromInt32(53)
	udp, tcp := corev1.ProtocolUDP, corev1.ProtocolTCP
	here := networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{}}
	system := networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{
		MatchLabels: map[string]string{corev1.LabelMetadataName: metav1.NamespaceSystem},
	}}
	return &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: c.plan.Own, Labels: c.labels()},
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{here}}},
			Egress: []networkingv1.NetworkPolicyEgressRule{
				{To: []networkingv1.NetworkPolicyPeer{here}},
				{To: []networkingv1.NetworkPolicyPeer{system}, Ports: []networkingv1.NetworkPolicyPort{{Protocol: &udp, Port: &dns}, {Protocol: &tcp, Port: &dns}}},
			},
		},
	}
}

// quota lets the scratch namespace hold what the backup holds: as many claims and
// bytes, pods with room for those that jobs and rollouts make, and no way in from
// outside.
func (c *climb) quota(ctx context.Context) (*corev1.ResourceQuota, error) {
	pods, claims := int64(0), int64(0)
	bytes := resource.Quantity{Format: resource.BinarySI}
	for _, err := range c.contents.Objects(ctx, contents.Pods()) {
		if err != nil {
			return nil, err
		}
		pods++
	}
	for claim, err := range c.contents.Objects(ctx, contents.Claims()) {
		if err != nil {
			return nil, err
		}
		claims++
		size, err := kube.Quantity(textAt(claim.Object, "spec", "resources", "requests", "storage"))
		if err != nil {
			return nil, fmt.Errorf("reading the size of claim %s: %w", claim.GetName(), err)
		}
		bytes.Add(size)
	}
	return &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: c.plan.Own, Labels: c.labels()},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			corev1.ResourcePods:                   *resource.NewQuantity(2*pods+10, resource.DecimalSI),
			corev1.ResourcePersistentVolumeClaims: *resource.NewQuantity(claims, resource.DecimalSI),
			corev1.ResourceRequestsStorage:        bytes,
			corev1.ResourceServicesLoadBalancers:  *resource.NewQuantity(0, resource.DecimalSI),
			corev1.ResourceServicesNodePorts:      *resource.NewQuantity(0, resource.DecimalSI),
		}},
	}, nil
}
