package velero

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
)

// Transport reaches the object store of a location: it trusts the system's
// authorities, the location's own and those in caFile, which may be empty. Those in a
// Secret that the location names (caCertRef, since Velero 1.18) are not read: nobody is
// to be let into the Secrets of Velero's namespace, the store's own keys, for that.
func Transport(location *velerov1.BackupStorageLocation, caFile string) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if store := location.Spec.ObjectStorage; store != nil && len(store.CACert) > 0 {
		roots.AppendCertsFromPEM(store.CACert)
	}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("reading velero.caFile: %w", err)
		}
		if !roots.AppendCertsFromPEM(text) {
			return nil, errors.New("reading velero.caFile " + caFile + ": no certificate in it")
		}
	}
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{
			RootCAs: roots, MinVersion: tls.VersionTLS12,
			InsecureSkipVerify: location.Spec.Config["insecureSkipTLSVerify"] == "true", // as Velero itself reaches it
		},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		// What is stored compressed is to arrive so, whatever is said of it.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
	}, nil
}
