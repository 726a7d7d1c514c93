package objects

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"gameday.dev/gameday/internal/kube"
)

const (
	pageSize = 500
	// patience is for an API server that does not answer: it may be restarting.
	patience = 45 * time.Second
	// restarts is how often a list may expire without getting any further.
	restarts = 3
)

// Listed is the Set of a cluster: its objects, listed page by page.
type Listed struct {
	Client dynamic.Interface
	// Namespaces are those whose objects are listed, each by itself. Objects in
	// no namespace are listed whatever it holds.
	Namespaces []string
	// Of are the resources to list. They must be served in these versions.
	Of []Resource
}

var _ Set = Listed{}

// Resources gives those that the caller has named.
func (l Listed) Resources(context.Context) ([]Resource, error) { return l.Of, nil }

// Objects lists the resource. A server that asks for time (429, as while its
// "storage is (re)initializing") gets it for as long as ctx lives; one that
// does not answer gets 45 seconds. Objects that come out of order are an
// error: the server does not keep to the order of names, so that a comparison
// could not rely on it.
func (l Listed) Objects(ctx context.Context, r Resource) iter.Seq2[*unstructured.Unstructured, error] {
	return l.objectsBy(ctx, r, func(namespace string) string { return namespace })
}

func (l Listed) objectsBy(ctx context.Context, r Resource, original func(string) string) iter.Seq2[*unstructured.Unstructured, error] {
	all := l.Client.Resource(schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name})
	if !r.Namespaced {
		return (&pages{from: all, resource: r}).all(ctx)
	}
	namespaces := slices.Clone(l.Namespaces)
	slices.SortFunc(namespaces, func(a, b string) int {
		switch {
		case original(a) < original(b):
			return -1
		case original(a) > original(b):
			return 1
		default:
			return 0
		}
	})
	return func(yield func(*unstructured.Unstructured, error) bool) {
		for _, namespace := range slices.Compact(namespaces) {
			for object, err := range (&pages{from: all.Namespace(namespace), resource: r, namespace: namespace}).all(ctx) {
				if !yield(object, err) || err != nil {
					return
				}
			}
		}
	}
}

// lister is the part of a dynamic client that is used.
type lister interface {
	List(ctx context.Context, options metav1.ListOptions) (*unstructured.UnstructuredList, error)
}

// pages reads one list.
type pages struct {
	from      lister
	resource  Resource
	namespace string

	proceed string // the continue token
	last    string // the last name that was yielded
	// expired counts the times that the list did so since last changed.
	expired int
	// begun says that the list was begun anew, so that it repeats what was
	// yielded, up to last.
	begun bool
}

func (p *pages) all(ctx context.Context) iter.Seq2[*unstructured.Unstructured, error] {
	return func(yield func(*unstructured.Unstructured, error) bool) {
		for {
			list, err := p.page(ctx)
			if err != nil {
				yield(nil, fmt.Errorf("listing %s: %w", p.where(), err))
				return
			}
			previous := ""
			for i := range list.Items {
				object := &unstructured.Unstructured{Object: list.Items[i].Object}
				list.Items[i].Object = nil // the page must not keep what is handed over
				name := placeOf(object).name
				if name == "" || name <= previous || name <= p.last && !p.begun {
					yield(nil, fmt.Errorf("listing %s: the server sends %q after %q, which is not the order of names", p.where(), name, max(previous, p.last)))
					return
				}
				previous = name
				if name <= p.last {
					continue // it was yielded before the list was begun anew
				}
				p.last, p.expired, p.begun = name, 0, false
				if !yield(object, nil) {
					return
				}
			}
			if p.proceed = list.GetContinue(); p.proceed == "" {
				return
			}
		}
	}
}

// page reads the next page, again while the server asks for it.
func (p *pages) page(ctx context.Context) (*unstructured.UnstructuredList, error) {
	until := time.Now().Add(patience)
	pause := time.Second / 4
	for {
		list, err := p.from.List(ctx, metav1.ListOptions{Limit: pageSize, Continue: p.proceed})
		switch {
		case err == nil:
			return list, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case apierrors.IsResourceExpired(err) && p.proceed != "":
			if p.expired++; p.expired > restarts {
				return nil, fmt.Errorf("it expired %d times without getting further: %w", p.expired, err)
			}
			p.goOn(err)
			continue
		case apierrors.IsTooManyRequests(err):
		case !kube.Unreachable(err) && !fleeting(err) || time.Now().After(until):
			return nil, err
		}
		if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
			pause = max(pause, min(time.Duration(seconds)*time.Second, 10*time.Second))
		}
		if err := kube.Pause(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// goOn finds a way on from a list that has expired: with the token that the
// server sends for that, which goes on behind the last name in what there is
// now, or else from its beginning, past what was yielded.
func (p *pages) goOn(expired error) {
	p.proceed = ""
	var status apierrors.APIStatus
	if errors.As(expired, &status) {
		p.proceed = status.Status().Continue
	}
	p.begun = p.proceed == ""
}

// fleeting says of an answer that another one may come if one asks again.
func fleeting(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code == http.StatusGatewayTimeout || code == http.StatusBadGateway
}

func (p *pages) where() string {
	if p.namespace == "" {
		return p.resource.String()
	}
	return p.resource.String() + " in " + p.namespace
}
