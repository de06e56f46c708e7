//go:build !linux

package afpacket

import (
	"context"
	"fmt"
	"runtime"

	"github.com/yamori-net/yamori/internal/capture"
)

// Source does not exist here.
type Source struct{}

// New returns an error that wraps ErrUnsupported.
func New(Config) ([]*Source, error) {
	return nil, fmt.Errorf("%w; this is %s (captures can be replayed on every system)", ErrUnsupported, runtime.GOOS)
}

// Run returns ErrUnsupported.
func (*Source) Run(context.Context, capture.Handler) error { return ErrUnsupported }

// Overhear does nothing.
func (*Source) Overhear(bool) {}

// Close does nothing.
func (*Source) Close() error { return nil }

// Stats returns nothing.
func (*Source) Stats() capture.Stats { return capture.Stats{} }
