//go:build !linux

package nfqueue

import (
	"context"

	"github.com/yamori-net/yamori/internal/capture"
)

// Source does not exist here.
type Source struct{}

// Open returns ErrUnsupported.
func Open(Config) (*Source, error) { return nil, ErrUnsupported }

// Socket returns ErrUnsupported.
func Socket() (int, error) { return -1, ErrUnsupported }

// Bind returns ErrUnsupported.
func Bind(Config) (int, error) { return -1, ErrUnsupported }

// Run returns ErrUnsupported.
func (*Source) Run(context.Context, capture.Handler) error { return ErrUnsupported }

// Close does nothing.
func (*Source) Close() error { return nil }

// Relieve does nothing.
func (*Source) Relieve() int { return 0 }

// Stats returns nothing.
func (*Source) Stats() Stats { return Stats{} }
