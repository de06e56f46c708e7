// Package pcapfile reads and writes capture files: pcap and pcapng in both
// byte orders, plain or inside gzip or zstd, from a file or a pipe.
//
// The reader fills one buffer in large chunks and hands out slices of it: no
// copy and no allocation per packet. Lengths that the input claims are only
// believed as far as bytes really arrive.
//
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, RFC 1952 (gzip),
// RFC 8878 (zstd).
package pcapfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
)

// Limits.
const (
	// MaxSnap is the largest packet accepted. Super-segments reach 64 kB, USB
	// and some hardware captures a few hundred; a length beyond this is damage.
	MaxSnap = 16 << 20

	// maxBlock is the largest pcapng block read as a whole: a packet and
	// its options. Blocks of no interest may be longer; they are skipped
	// without being kept.
	maxBlock = MaxSnap + 64<<10

	// chunk is the size of the buffer until a record needs more. Measured on
	// a 600 MB pcap in the page cache (2026-11): 64 kB cost 48 ns a packet,
	// 128 kB 44, 256 kB and everything above 41.
	chunk = 256 << 10

	// ctxEvery is the number of packets between two looks at the context.
	ctxEvery = 1024

	// maxEmptyReads bounds a source that returns neither bytes nor an error.
	maxEmptyReads = 100
)

// Reader reads the packets of one capture. It is for one goroutine, but for
// Offset, Size and Stats.
type Reader struct {
	name    string
	src     source
	closers []io.Closer // decompressors and the file, in the order to close

	in     io.Reader // capture bytes, decompressed
	layers string    // names of the compression layers
	ctx    context.Context

	buf     []byte
	r, w    int   // unread bytes are buf[r:w]
	base    int64 // offset of buf[0] in the capture
	readErr error // what ended the input
	err     error // what Next returns from now on

	format  format
	swap    bool // the current byte order is big-endian
	classic classic
	ng      ng

	packets, bytes uint64 // published now and then, for Stats
	pubPackets     atomic.Uint64
	pubBytes       atomic.Uint64
}

type format uint8

const (
	unknown format = iota
	formatPcap
	formatNG
)

// source counts the bytes taken from the input, before decompression.
type source struct {
	r    io.Reader
	off  atomic.Int64
	size int64
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.off.Add(int64(n))
	return n, err
}

// Open opens a capture file; "-" means standard input. What is wrong with the
// content shows at the first Next, so that a pipe does not have to be ready.
func Open(path string) (*Reader, error) {
	if path == "-" {
		return NewReader("standard input", os.Stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s: is a directory (name the capture files in it)", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	r := NewReader(path, f)
	r.closers = append(r.closers, f)
	if st.Mode().IsRegular() {
		r.src.size = st.Size()
	}
	return r, nil
}

// NewReader reads a capture from src. name stands for it in errors. Close does
// not close src.
func NewReader(name string, src io.Reader) *Reader {
	return &Reader{name: name, src: source{r: src}}
}

// Next reads the next packet into f; f.Data is valid until the next call. It
// returns io.EOF behind the last packet and a *Damage where the capture stops
// being readable, and the same error from then on.
func (r *Reader) Next(f *packet.Frame) error {
	if r.err == nil {
		var err error
		switch r.format {
		case formatPcap:
			err = r.nextPcap(f)
		case formatNG:
			err = r.nextNG(f)
		default:
			if err = r.start(); err == nil {
				return r.Next(f)
			}
		}
		if err == nil {
			r.packets++
			r.bytes += uint64(len(f.Data))
			return nil
		}
		r.err = err
	}
	r.publish()
	return r.err
}

// Run delivers every packet to h; see capture.Source. When the context ends
// first, Run returns its error, since the input was not read to its end. A
// read from a pipe that blocks is interrupted where the system can do that.
func (r *Reader) Run(ctx context.Context, h capture.Handler) error {
	r.ctx = ctx
	defer func() { r.ctx = nil; r.publish() }()
	if d, ok := r.src.r.(interface{ SetReadDeadline(time.Time) error }); ok {
		defer context.AfterFunc(ctx, func() { _ = d.SetReadDeadline(time.Unix(1, 0)) })()
	}
	var f packet.Frame
	for n := 0; ; n++ {
		if n%ctxEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			r.publish()
		}
		if err := r.Next(&f); err != nil {
			if cerr := ctx.Err(); cerr != nil && !errors.Is(err, io.EOF) {
				return cerr
			}
			if err == io.EOF {
				return nil
			}
			return err
		}
		h(&f)
	}
}

// Close frees the decompressors and closes the file that Open opened.
func (r *Reader) Close() error {
	r.publish()
	if r.err == nil {
		r.err = os.ErrClosed
	}
	var first error
	for _, c := range r.closers {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	r.closers, r.buf, r.r, r.w = nil, nil, 0, 0
	return first
}

// Offset returns how many bytes of the input have been read, before
// decompression: the part of Size that is done. Safe while another goroutine
// reads.
func (r *Reader) Offset() int64 { return r.src.off.Load() }

// Size returns the size of the input in bytes, or 0 when it is not known (a
// pipe).
func (r *Reader) Size() int64 { return r.src.size }

// Stats returns what was delivered. Safe while another goroutine reads; it
// then lags by at most one chunk and is exact once the reader has stopped.
func (r *Reader) Stats() capture.Stats {
	return capture.Stats{Packets: r.pubPackets.Load(), Bytes: r.pubBytes.Load()}
}

func (r *Reader) publish() {
	r.pubPackets.Store(r.packets)
	r.pubBytes.Store(r.bytes)
}

// offset is the place of the next unread byte in the capture.
func (r *Reader) offset() int64 { return r.base + int64(r.r) }

// fill makes at least n unread bytes available. It returns io.EOF when the
// input has ended and nothing at all is left, a *Damage when less than n is
// left (what names the thing wanted). The buffer grows only behind bytes that
// arrived, never on a claim.
func (r *Reader) fill(n int, what string) error {
	if r.r > 0 {
		copy(r.buf, r.buf[r.r:r.w])
		r.base += int64(r.r)
		r.w -= r.r
		r.r = 0
	}
	for empty := 0; r.w < n; {
		if r.readErr != nil {
			return r.ended(n, what)
		}
		if r.ctx != nil && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if r.w == len(r.buf) {
			r.grow()
		}
		m, err := r.in.Read(r.buf[r.w:])
		r.w += m
		if m == 0 && err == nil {
			if empty++; empty == maxEmptyReads {
				err = io.ErrNoProgress
			}
		} else {
			empty = 0
		}
		r.readErr = err
	}
	r.publish()
	return nil
}

func (r *Reader) grow() {
	size := chunk
	if len(r.buf) > 0 {
		size = min(2*len(r.buf), maxBlock)
	}
	b := make([]byte, size)
	copy(b, r.buf[:r.w])
	r.buf = b
}

// ended says why there are less than n bytes.
func (r *Reader) ended(n int, what string) error {
	switch {
	case r.readErr != io.EOF:
		return r.broken(r.offset()+int64(r.w-r.r), r.readErr)
	case r.w == r.r:
		return io.EOF
	}
	return r.cutOff(what, n, r.w-r.r)
}

// broken is a failure to read or decompress at offset off.
func (r *Reader) broken(off int64, err error) error {
	d := &Damage{File: r.name, Offset: off, Layers: r.layers, Err: err}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && r.layers != "":
		d.What, d.Cure = "the compressed data end early", cureCutOff
	case r.layers != "":
		d.What, d.Cure = "cannot read or decompress further: "+err.Error(), cureOverrun
	default:
		d.What = "cannot read further: " + err.Error()
	}
	return d
}

func (r *Reader) cutOff(what string, want, got int) error {
	return &Damage{
		File: r.name, Offset: r.offset(), Layers: r.layers, Err: io.ErrUnexpectedEOF,
		What: fmt.Sprintf("%s of %d bytes begins here, but only %d are left", what, want, got),
		Cure: cureCutOff,
	}
}

func (r *Reader) damage(format string, a ...any) error {
	return &Damage{
		File: r.name, Offset: r.offset(), Layers: r.layers,
		What: fmt.Sprintf(format, a...), Cure: cureOverrun,
	}
}
