package velero

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// answerBudget is how long Velero may take to answer a DownloadRequest. The
// request has no phase that says it failed: Velero logs the reason and nothing
// happens.
const answerBudget = time.Minute

// ErrNotAnswered is the cause when a DownloadRequest got no URL in time.
var ErrNotAnswered = errors.New("velero did not answer the DownloadRequest: its log says why; mostly the storage location is not available")

// ErrNotStored is the cause when the object store has no such file.
var ErrNotStored = errors.New("the object store does not have it")

// ErrDamaged is the cause when what is stored is not what Velero writes.
var ErrDamaged = errors.New("what is stored is damaged")

// Download asks Velero for a file of a backup or restore and opens it,
// decompressed. The request is named request, carries labels, and is deleted
// again. The caller closes the reader; ctx bounds the whole transfer.
func (c Client) Download(ctx context.Context, transport http.RoundTripper, request string, labels map[string]string, target velerov1.DownloadTarget) (*Stored, error) {
	what := fmt.Sprintf("%s of %s", target.Kind, target.Name)
	address, err := c.downloadURL(ctx, request, labels, target)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", what, err)
	}
	reader, err := fetch(ctx, transport, address)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", what, err)
	}
	return reader, nil
}

func (c Client) downloadURL(ctx context.Context, name string, labels map[string]string, target velerov1.DownloadTarget) (string, error) {
	request := &velerov1.DownloadRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       velerov1.DownloadRequestSpec{Target: target},
	}
	if err := c.Create(ctx, DownloadRequests, "DownloadRequest", request); err != nil {
		return "", err
	}
	defer func() {
		// Velero removes what expires; the URL in it is a key to the object until then.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerBudget/6)
		defer cancel()
		_ = c.Delete(ctx, DownloadRequests, name)
	}()
	waiting, cancel := context.WithTimeoutCause(ctx, answerBudget, ErrNotAnswered)
	defer cancel()
	address := ""
	err := c.follow(waiting, DownloadRequests, name, func(object *unstructured.Unstructured) (bool, error) {
		answered := &velerov1.DownloadRequest{}
		if err := decode(object, answered); err != nil {
			return false, err
		}
		address = answered.Status.DownloadURL
		return address != "", nil
	})
	if err != nil && !errors.Is(err, ErrNotAnswered) {
		err = fmt.Errorf("velero has not answered DownloadRequest %s/%s: %w", c.Namespace, name, err)
	}
	return address, err
}

// fetch opens what a pre-signed URL names. The URL is a secret while it is
// valid: errors name its host alone.
func fetch(ctx context.Context, transport http.RoundTripper, address string) (*Stored, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("velero's answer is no URL")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("velero's answer names no file at %s that could be fetched", parsed.Host)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("reaching the object store at %s: %w\nhint: %s", parsed.Host, err, howToReach(err))
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, refused(parsed.Host, response)
	}
	return decompress(response.Body)
}

// howToReach says what helps when an object store cannot be reached.
func howToReach(err error) string {
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return "give its authority as velero.caFile in the Environment, or --velero-ca-file: a Secret that the BackupStorageLocation names in caCertRef is not read"
	}
	return "the BackupStorageLocation's config publicUrl is the address for clients outside the cluster"
}

// refused says what an object store answered instead of a file. Only the code is
// quoted: the rest of such an answer may hold what was signed.
func refused(host string, response *http.Response) error {
	var answer struct {
		Code string `xml:"Code"`
	}
	_ = xml.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&answer) // not every store answers in XML
	if len(answer.Code) > 60 {
		answer.Code = ""
	}
	err := fmt.Errorf("the object store at %s answered %s %s", host, response.Status, answer.Code)
	if response.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	return err
}

// Stored is a file of the object store, decompressed.
type Stored struct {
	reader io.Reader
	body   *transfer
}

// Read implements io.Reader.
func (s *Stored) Read(into []byte) (int, error) { return s.reader.Read(into) }

// Err is why the transfer broke, nil while all that was sent has come: it tells a
// file that is damaged from a connection that is.
func (s *Stored) Err() error { return s.body.err }

// Close ends the transfer.
func (s *Stored) Close() error { return s.body.body.Close() }

// transfer keeps the error that ended a transfer.
type transfer struct {
	body io.ReadCloser
	err  error
}

func (t *transfer) Read(into []byte) (int, error) {
	n, err := t.body.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}

// decompress undoes gzip where there is any: some stores do it themselves.
func decompress(body io.ReadCloser) (*Stored, error) {
	through := &transfer{body: body}
	buffered := bufio.NewReaderSize(through, 1<<16)
	head, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		body.Close()
		return nil, err
	}
	if len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
		return &Stored{buffered, through}, nil
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		body.Close()
		if through.err == nil {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return nil, err
	}
	return &Stored{unzipped, through}, nil
}
