// Package capture fixes what a source of frames is: a file, a live interface
// or, later, a queue of the kernel's packet filter.
package capture

import (
	"context"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Handler receives one frame. f and f.Data are valid only during the call. A
// passive source ignores the verdict. A nil f is a tick: the source is idle
// and lets timers run (live sources tick at least once a second).
type Handler func(f *packet.Frame) verdict.Verdict

// Source delivers frames to one worker until the context ends, the input is
// exhausted (nil) or an error stops it. A file source that finds damage first
// delivers everything readable, then returns an error that names the file,
// the byte offset and what is wrong.
type Source interface {
	Run(ctx context.Context, h Handler) error
}

// Stats counts what a source saw since it started.
type Stats struct {
	Packets uint64 // frames delivered
	Bytes   uint64 // captured bytes delivered
	Dropped uint64 // frames the kernel could not keep for us
	Lost    uint64 // times the interface went away
}
