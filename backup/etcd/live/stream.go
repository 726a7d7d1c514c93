package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"gameday.dev/gameday/internal/snapshots"
)

var errCutShort = errors.New("the stream does not end with the sha256 of what it brought: it was cut short or damaged")

// stream takes a snapshot from one member. Only one member is ever asked on its
// connection: the pieces of two would fit as little as their hashes.
func (c *Cluster) stream(ctx context.Context, member Member, path string, progress func(int64)) (_ Taken, err error) {
	began := time.Now()
	file, err := createPart(path)
	if err != nil {
		return Taken{}, err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	taken := Taken{Path: path, Member: member.Endpoint, Leader: member.Leader, ClusterID: member.ClusterID, Leaderless: member.Leaderless, Version: member.Version, At: began}
	sum := newSummer()
	size, err := c.receive(ctx, member, func(p piece, so int64) error {
		_, err := file.Write(p.blob)
		sum.add(p)
		if err != nil {
			return &local{diskError(err)}
		}
		writeOut(file, so)
		progress(so)
		return nil
	})
	whole, fits := sum.end()
	if err != nil {
		return Taken{}, err
	}
	if !snapshots.HasTrailer(size) || !fits {
		return Taken{}, fmt.Errorf("after %d bytes: %w", size, errCutShort)
	}
	if err := appear(file, path); err != nil {
		return Taken{}, &local{diskError(err)}
	}
	taken.Size, taken.SHA256, taken.Took = size, whole, time.Since(began)
	return taken, nil
}

// receive passes on what a member streams, and gives its size.
func (c *Cluster) receive(ctx context.Context, member Member, take func(p piece, so int64) error) (size int64, err error) {
	conn, err := c.Client.Dial(member.Endpoint)
	if err != nil {
		return 0, fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := fmt.Errorf("it sent nothing for %s", c.stalled)
	// Only waiting for the member counts, not writing to a slow disk.
	waiting := time.AfterFunc(c.stalled, func() { cancel(stalled) })
	defer waiting.Stop()
	stream, err := open(ctx, conn)
	for err == nil {
		var p piece
		waiting.Reset(c.stalled)
		err = stream.RecvMsg(&p)
		waiting.Stop()
		if err == nil {
			size += int64(len(p.blob))
			if err := take(p, size); err != nil {
				return size, err
			}
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return size, nil
	case errors.Is(context.Cause(ctx), stalled):
		err = stalled
	default:
		err = explain(err)
	}
	return size, fmt.Errorf("lost after %d bytes: %w", size, err)
}

// open asks for the stream.
func open(ctx context.Context, conn *grpc.ClientConn) (grpc.ClientStream, error) {
	codec := pieceCodec{&piecePool{}}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, methodSnapshot, grpc.ForceCodecV2(codec))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&pb.SnapshotRequest{}); err != nil && !errors.Is(err, io.EOF) { // EOF: the answer tells why
		return nil, err
	}
	return stream, stream.CloseSend()
}

// createPart makes the file that is written to. What a killed run left there is
// replaced: nothing half-written is ever gone on with.
func createPart(path string) (*os.File, error) {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &local{fmt.Errorf("removing what an earlier run left: %w", err)}
	}
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, &local{diskError(err)}
	}
	return file, nil
}

// appear gives the file its name once its content survives a power loss.
func appear(file *os.File, path string) error {
	if err := file.Sync(); err != nil {
		return err
	}
	written, err := file.Stat()
	if err != nil {
		return err
	}
	// Another run may have replaced what is being written by its own.
	if there, err := os.Lstat(file.Name()); err != nil || !os.SameFile(written, there) {
		return fmt.Errorf("another process has taken %s away", file.Name())
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	if err := snapshots.SyncDir(filepath.Dir(path)); err != nil {
		os.Remove(path) // it might be there after a power loss, or not
		return err
	}
	return nil
}

// diskError adds the next step to an error of the file system.
func diskError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: the disk is full: free space there, or name another directory", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: make the directory, or mount it here", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: this user must be able to write there", err)
	default:
		return err
	}
}
