package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// pageSize keeps one answer small enough for a busy API server and for us.
const pageSize = 500

// Lister is the reading half of a typed client, such as CoreV1().Pods("shop").
type Lister[L runtime.Object] interface {
	List(ctx context.Context, options metav1.ListOptions) (L, error)
}

// Collection is a typed client that can be listed and watched.
type Collection[L runtime.Object] interface {
	Lister[L]
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

// Each visits every object page by page and returns the resource version of
// the list. When a page expires between two requests the list begins again,
// so an object may be visited twice, or be gone by then: key by UID where that
// matters.
func Each[L runtime.Object, T metav1.Object](ctx context.Context, from Lister[L], options metav1.ListOptions, visit func(T) error) (string, error) {
	return eachAnew(ctx, from, options, func() {}, visit)
}

// eachAnew is Each for those who must forget what they visited when the list
// begins again.
func eachAnew[L runtime.Object, T metav1.Object](
	ctx context.Context, from Lister[L], options metav1.ListOptions, forget func(), visit func(T) error,
) (string, error) {
	options.Limit = pageSize
	for {
		list, err := from.List(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" {
			// Without a limit the second attempt can't expire half way.
			options.Continue, options.Limit = "", 0
			forget()
			continue
		}
		if err != nil {
			return "", err
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			object, ok := item.(T)
			if !ok {
				return fmt.Errorf("unexpected %T in a list", item)
			}
			return visit(object)
		})
		if err != nil {
			return "", err
		}
		accessor, err := meta.ListAccessor(list)
		if err != nil {
			return "", fmt.Errorf("reading list: %w", err)
		}
		if options.Continue = accessor.GetContinue(); options.Continue == "" {
			return accessor.GetResourceVersion(), nil
		}
	}
}
