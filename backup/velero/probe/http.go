package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
)

func (h *HTTP) try(ctx context.Context, options Options) (string, error) {
	pod, err := options.readyPod(ctx, h.Selector)
	if err != nil {
		return "", err
	}
	answer, err := h.ask(ctx, options, pod)
	if err != nil {
		return "", fmt.Errorf("asking pod %s at port %d: %w", pod.Name, h.Port, err)
	}
	return "asked of pod " + pod.Name, expect(h.Expect, answer)
}

// ask gives the beginning of what a pod answers. Of an answer that is refused only
// the status is told: applications print passwords into those. It is asked past
// client-go, which quotes them, follows a pod's redirect to anywhere with this
// user's credentials, and shortens paths.
func (h *HTTP) ask(ctx context.Context, options Options, pod *corev1.Pod) ([]byte, error) {
	api, ok := options.Client.CoreV1().RESTClient().(*rest.RESTClient)
	if !ok || api == nil {
		return nil, errors.New("this client can't reach pods")
	}
	proxy := api.Get().Namespace(pod.Namespace).Resource("pods").Name(fmt.Sprintf("%s:%d", pod.Name, h.Port)).SubResource("proxy").URL()
	address, err := h.below(proxy)
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
