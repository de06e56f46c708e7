//go:build !linux

package priv

import (
	"log/slog"
	"os"
)

// Client does not exist here.
type Client struct{}

// Start returns ErrUnsupported.
func Start(Config) (*Client, error) { return nil, ErrUnsupported }

// Departed is false.
func Departed() bool { return false }

// Append opens the event file for appending.
type Append func(path string, keep int, rotate bool) (*os.File, error)

// Serve returns ErrUnsupported.
func Serve(*slog.Logger, Append) error { return ErrUnsupported }

// Report is empty.
func (*Client) Report() Report { return Report{} }

// Files is empty.
func (*Client) Files() []*os.File { return nil }

// Close does nothing.
func (*Client) Close() error { return nil }
