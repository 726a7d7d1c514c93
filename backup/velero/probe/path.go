package probe

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// below is the address of the probe's path behind a pod's proxy, and never one that
// leads out of it again.
func (h *HTTP) below(proxy *url.URL) (*url.URL, error) {
	target, err := h.target()
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
func (h *HTTP) target() (*url.URL, error) {
	if h.Path == "" {
		return &url.URL{Path: "/"}, nil
	}
	if !strings.HasPrefix(h.Path, "/") || strings.HasPrefix(h.Path, "//") {
		return nil, errors.New("must begin with one /")
	}
	target, err := url.ParseRequestURI(h.Path)
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
