package cluster

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// The S3 server runs on the machine, at the address of the bridge: pods and
// the machine reach it by the same URL, also by one that was signed for them.
const (
	s3Region = "us-east-1"
	s3Bucket = "velero"
)

// S3Keys are the credentials of the S3 server's only user.
type S3Keys struct {
	Access string `json:"access"`
	Secret string `json:"secret"`
}

func newS3Keys() S3Keys { return S3Keys{Access: rand.Text(), Secret: rand.Text()} }

func (c *Cluster) s3Address() string {
	return net.JoinHostPort(c.Slot.bridgeAddress(), strconv.Itoa(c.Slot.port(portS3)))
}

// S3URL is where the S3 server answers, on the machine and in pods.
func (c *Cluster) S3URL() string { return "http://" + c.s3Address() }

// BucketDir is the directory on the machine with the objects of Velero's
// bucket: plain files by their key, to be read, spoiled and deleted.
func (c *Cluster) BucketDir() string { return c.path("s3", s3Bucket) }

func (c *Cluster) versitygwCommand() []string {
	return []string{
		c.Programs[versitygw],
		"--port=" + c.s3Address(),
		"--region=" + s3Region,
		"--health=/health",
		"--quiet",
		"posix", filepath.Dir(c.BucketDir()),
	}
}

// versitygwEnv keeps the credentials out of the list of processes.
func (c *Cluster) versitygwEnv() []string {
	return []string{"ROOT_ACCESS_KEY_ID=" + c.S3Keys.Access, "ROOT_SECRET_ACCESS_KEY=" + c.S3Keys.Secret}
}

// startObjectStore starts the S3 server with an empty bucket.
func (c *Cluster) startObjectStore(ctx context.Context) error {
	if err := os.MkdirAll(c.BucketDir(), 0o755); err != nil {
		return err
	}
	return c.start(ctx, versitygw)
}
