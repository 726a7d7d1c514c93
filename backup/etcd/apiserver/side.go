package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"gameday.dev/gameday/internal/kube"
)

const (
	// patience is for an API server that says "later": a watch cache that is
	// being filled (429 "storage is (re)initializing", though readyz is fine), an
	// etcd that elects, a living API server that restarts.
	patience = 45 * time.Second
	// answerWithin bounds one request.
	answerWithin = 60 * time.Second
)

// side is one of the two API servers. It only ever sends GET.
type side struct {
	name   string
	client rest.Interface
}

func newSide(name string, client kubernetes.Interface) (*side, error) {
	if client == nil || client.Discovery().RESTClient() == nil {
		return nil, fmt.Errorf("reading %s: it has no client", name)
	}
	return &side{name: name, client: client.Discovery().RESTClient()}, nil
}

// get reads a document as JSON, again while the server asks for time.
func (s *side) get(ctx context.Context, path string, parameters map[string]string, accept string) ([]byte, error) {
	until := time.Now().Add(patience)
	for {
		body, err := s.once(ctx, path, parameters, accept)
		if err == nil {
			return body, nil
		}
		pause, again := later(err)
		if !again || ctx.Err() != nil || time.Now().Add(pause).After(until) || kube.Pause(ctx, pause) != nil {
			return nil, err
		}
	}
}

func (s *side) once(ctx context.Context, path string, parameters map[string]string, accept string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request := s.client.Get().AbsPath(path).SetHeader("Accept", accept).
		MaxRetries(0). // they are counted here
		WarningHandler(rest.NoWarnings{})
	for name, value := range parameters {
		request.Param(name, value)
	}
	result := request.Do(ctx)
	body, err := result.Raw()
	if err != nil {
		return nil, result.Error() // which has read what the server says
	}
	return body, nil
}

// later says whether a request is worth sending again, and when.
func later(err error) (pause time.Duration, again bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return time.Second, !errors.Is(err, errServerGone)
	}
	seconds, suggested := apierrors.SuggestsClientDelay(err)
	pause = time.Second
	if suggested && seconds > 0 {
		pause = min(time.Duration(seconds)*time.Second, 10*time.Second)
	}
	switch status.Status().Code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return pause, true
	case http.StatusGatewayTimeout:
		return pause, !tooNew(err)
	case http.StatusInternalServerError:
		return pause, strings.Contains(status.Status().Message, "etcdserver: ") // no leader, too many requests, timed out
	default:
		return 0, false
	}
}

// tooNew says that the server has not got as far as the revision asked for.
func tooNew(err error) bool {
	return apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
}

// unheard says that no API server answered at all, so that nothing can be
// said of any resource.
func unheard(err error) bool {
	var status apierrors.APIStatus
	var senseless *trouble
	return !errors.As(err, &status) && !errors.As(err, &senseless)
}
