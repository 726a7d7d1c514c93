package velero

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

func (c *climb) probeHTTP(ctx context.Context, probe *HTTPProbe) (string, error) {
	pod, err := c.readyPod(ctx, probe.Selector)
	if err != nil {
		return "", err
	}
	answer, err := c.ask(ctx, pod, probe)
	if err != nil {
		return "", fmt.Errorf("asking pod %s at port %d: %w", pod.Name, probe.Port, err)
	}
	return "asked of pod " + pod.Name, expect(probe.Expect, answer)
}

// ask gives the beginning of what a pod answers. Of an answer that is refused only
// the status is told: applications print passwords into those. It is asked past
// client-go, which quotes them, follows a pod's redirect to anywhere with this
// user's credentials, and shortens paths.
func (c *climb) ask(ctx context.Context, pod *corev1.Pod, probe *HTTPProbe) ([]byte, error) {
	api, ok := c.env.Client.CoreV1().RESTClient().(*rest.RESTClient)
	if !ok || api == nil {
		return nil, errors.New("this client can't reach pods")
	}
	proxy := api.Get().Namespace(pod.Namespace).Resource("pods").Name(fmt.Sprintf("%s:%d", pod.Name, probe.Port)).SubResource("proxy").URL()
	address, err := probe.below(proxy)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if api.Client != nil { // as rest itself takes it
		client.Transport, client.Timeout = api.Client.Transport, api.Client.Timeout
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return nil, fmt.Errorf("the answer is %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, mostOutput))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, nil
}

// withoutURL leaves out what was asked for.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// below is the address of the probe's path behind a pod's proxy, and never one that
// leads out of it again.
func (p *HTTPProbe) below(proxy *url.URL) (*url.URL, error) {
	target, err := p.target()
	if err != nil {
		return nil, err
	}
	address := *proxy
	address.Path, address.RawPath = proxy.Path+target.Path, proxy.EscapedPath()+target.EscapedPath()
	address.RawQuery = target.RawQuery
	return &address, nil
}

// target reads the probe's path and query. A path that a server on the way could
// take for another one is an error: the API server answers at all others.
func (p *HTTPProbe) target() (*url.URL, error) {
	if p.Path == "" {
		return &url.URL{Path: "/"}, nil
	}
	if !strings.HasPrefix(p.Path, "/") || strings.HasPrefix(p.Path, "//") {
		return nil, errors.New("must begin with one /")
	}
	target, err := url.ParseRequestURI(p.Path)
	if err != nil {
		return nil, withoutURL(err)
	}
	if _, err := url.ParseQuery(target.RawQuery); err != nil {
		return nil, fmt.Errorf("its query can't be read: %w", err)
	}
	for at := target.Path; ; {
		if strings.Contains(at, `\`) {
			return nil, errors.New(`must hold no \`)
		}
		steps := strings.Split(at, "/")
		if slices.Contains(steps, "..") || slices.Contains(steps, ".") || strings.HasPrefix(at, "//") {
			return nil, errors.New("must not lead elsewhere: no //, /./ or /../, escaped or not")
		}
		decoded, err := url.PathUnescape(at) // again: there may be a server on the way that does
		if err != nil {
			decoded = at // nobody else can either
		}
		if decoded == at {
			return target, nil
		}
		at = decoded
	}
}
