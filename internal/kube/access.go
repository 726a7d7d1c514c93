package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Access is one thing that a Permission allows: what a SelfSubjectAccessReview
// asks about.
type Access struct {
	Namespace, Verb, Group, Resource, Subresource string
}

// String reads as people say it: "create pods/eviction in namespace shop".
func (a Access) String() string {
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	if a.Group != "" {
		resource += "." + a.Group
	}
	where := "cluster-wide"
	if a.Namespace != "" {
		where = "in namespace " + a.Namespace
	}
	return fmt.Sprintf("%s %s %s", a.Verb, resource, where)
}

// Accesses spells permissions out, each access once, sorted.
func Accesses(permissions []Permission) []Access {
	var all []Access
	for _, permission := range permissions {
		for _, group := range permission.Rule.APIGroups {
			for _, resource := range permission.Rule.Resources {
				name, sub, _ := strings.Cut(resource, "/")
				for _, verb := range permission.Rule.Verbs {
					all = append(all, Access{permission.Namespace, verb, group, name, sub})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Access) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// Missing asks the API server which of the permissions the caller lacks, the
// optional ones aside.
func Missing(ctx context.Context, client kubernetes.Interface, permissions []Permission) ([]Access, error) {
	accesses := Accesses(slices.DeleteFunc(slices.Clone(permissions), func(p Permission) bool { return p.Optional }))
	denied := make([]bool, len(accesses))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, access := range accesses {
		group.Go(func() error {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace:   access.Namespace,
					Verb:        access.Verb,
					Group:       access.Group,
					Resource:    access.Resource,
					Subresource: access.Subresource,
				},
			}}
			answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return fmt.Errorf("asking whether this user may %s: %w", access, err)
			}
			denied[i] = !answer.Status.Allowed
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var missing []Access
	for i, access := range accesses {
		if denied[i] {
			missing = append(missing, access)
		}
	}
	return missing, nil
}
