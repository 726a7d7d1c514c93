package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Error is an answer that is no answer.
type Error struct {
	// Status is the HTTP status, 0 when there was none.
	Status int
	reason string
	cause  error
}

// Error says what was wrong, without what was sent.
func (e *Error) Error() string { return e.reason }

// Unwrap gives the cause, so that a deadline is recognised.
func (e *Error) Unwrap() error { return e.cause }

// Unsupported says whether the server lives but does not know the question:
// Thanos and Mimir leave out parts of Prometheus' API.
func Unsupported(err error) bool {
	var answer *Error
	return errors.As(err, &answer) &&
		(answer.Status == http.StatusNotFound || answer.Status == http.StatusMethodNotAllowed || answer.Status == http.StatusNotImplemented)
}

// get asks for one path and returns the body of a successful answer of the
// expected media type. The errors name the server and the path.
func (e *endpoint) get(ctx context.Context, path string, query url.Values, mediaType string) ([]byte, error) {
	body, err := e.ask(ctx, path, query, mediaType)
	switch {
	case err == nil:
		return body, nil
	case path == "":
		return nil, fmt.Errorf("asking %s: %w", e, err)
	default:
		return nil, fmt.Errorf("asking %s for %s: %w", e, path, err)
	}
}

func (e *endpoint) ask(ctx context.Context, path string, query url.Values, mediaType string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, requestTimeout, fmt.Errorf("no answer within %s", requestTimeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.at(path, query), nil)
	if err != nil {
		return nil, &Error{reason: "the URL is not valid"}
	}
	request.Header.Set("Accept", mediaType)
	if err := e.letIn(request); err != nil {
		return nil, err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return nil, transportError(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &Error{Status: response.StatusCode, reason: "the answer was cut off", cause: err}
	case err != nil:
		return nil, transportError(ctx, err)
	case len(body) > maxAnswer:
		return nil, &Error{Status: response.StatusCode, reason: fmt.Sprintf("the answer is larger than %d MiB", maxAnswer>>20)}
	}
	if err := e.check(response, body, mediaType); err != nil {
		return nil, err
	}
	return body, nil
}

// transportError drops the URL that the standard library puts into its errors:
// it may hold credentials.
func transportError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return &Error{reason: cause.Error(), cause: cause}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &Error{reason: err.Error(), cause: err}
}

// check refuses whatever is not a successful answer of the media type.
func (e *endpoint) check(response *http.Response, body []byte, mediaType string) error {
	refuse := func(format string, args ...any) error {
		return &Error{Status: response.StatusCode, reason: fmt.Sprintf(format, args...)}
	}
	status := fmt.Sprintf("%d %s", response.StatusCode, http.StatusText(response.StatusCode))
	got, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return refuse("redirected (%s) to %s: give the final URL (a login page in front?)", status, destination(response))
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return refuse("not let in (%s): check the bearer token, certificate and headers", status)
	case response.StatusCode != http.StatusOK:
		if said := complaint(body); said != "" {
			return refuse("%s: %s", status, said)
		}
		if got == "text/html" {
			return refuse("%s with text/html: is this really %s? (a proxy in front?)", status, e.what)
		}
		return refuse("%s", status)
	case got == "text/html":
		return refuse("answered with text/html: is this really %s? (a login page?)", e.what)
	case len(strings.TrimSpace(string(body))) == 0:
		return refuse("answered with nothing")
	case mediaType == mediaJSON && !json.Valid(body):
		return refuse("the answer is not JSON, or was cut off: it begins with %q", clip(string(body), 40))
	}
	return nil
}

// destination is where a redirect leads, without its query: that tends to hold tokens.
func destination(response *http.Response) string {
	location, err := response.Location()
	if err != nil {
		return "nowhere"
	}
	return clip((&url.URL{Scheme: location.Scheme, Host: location.Host, Path: location.Path}).String(), 200)
}

// complaint is what a server says about an error, empty when it says nothing readable.
func complaint(body []byte) string {
	var answer struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	var words string
	switch {
	case json.Unmarshal(body, &answer) == nil:
		return clip(answer.Error+answer.Message, 200)
	case json.Unmarshal(body, &words) == nil: // Alertmanager answers with a bare string
		return clip(words, 200)
	default:
		return ""
	}
}

// clip makes foreign text fit for one line of ours.
func clip(text string, length int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length]) + "…"
	}
	return text
}
