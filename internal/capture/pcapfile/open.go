package pcapfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits of decompression.
const (
	// maxLayers is how many compressions may be wrapped around each other.
	maxLayers = 4

	// maxWindow is the largest zstd window accepted, hence the memory a
	// decoder can take. zstd -19 needs 8 MiB; only --ultra beyond level 20 and
	// --long need more than this.
	maxWindow = 32 << 20

	// layerBuf buffers compressed input.
	layerBuf = 32 << 10
)

// Magic numbers, as the bytes stand in the file, read as little-endian.
const (
	magicZstd     = 0xfd2fb528 // RFC 8878 section 3.1.1
	magicSkip     = 0x184d2a50 // RFC 8878 section 3.1.2, lowest four bits free
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's: eight more bytes in each record header
	magicSHB      = 0x0a0d0d0a // the same in both byte orders
	magicBOM      = 0x1a2b3c4d
)

// start finds the compression and the format by their magic numbers.
func (r *Reader) start() error {
	var in io.Reader = &r.src
	for depth := 0; ; depth++ {
		br := bufio.NewReaderSize(in, layerBuf)
		head, err := br.Peek(4)
		if err != nil && err != io.EOF {
			return r.broken(0, err)
		}
		open := decompressor(head)
		if open == nil {
			r.in = br
			return r.detect()
		}
		if depth == maxLayers {
			return &Damage{File: r.name, Layers: r.layers, What: fmt.Sprintf("more than %d compressions around each other", maxLayers),
				Cure: "decompress the file first"}
		}
		var name string
		var c io.Closer
		in, c, name, err = open(br)
		if r.layers != "" {
			r.layers += "+"
		}
		r.layers += name
		if err != nil {
			return r.broken(0, err)
		}
		r.closers = append([]io.Closer{c}, r.closers...)
	}
}

// decompressor returns what opens a compressed layer that begins with head, or
// nil.
func decompressor(head []byte) func(io.Reader) (io.Reader, io.Closer, string, error) {
	switch {
	case len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b: // RFC 1952 section 2.3.1
		return openGzip
	case len(head) >= 4 && binary.LittleEndian.Uint32(head) == magicZstd,
		len(head) >= 4 && binary.LittleEndian.Uint32(head)&^0xf == magicSkip:
		return openZstd
	}
	return nil
}

func openGzip(in io.Reader) (io.Reader, io.Closer, string, error) {
	z, err := gzip.NewReader(in)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return z, z, "gzip", err
}

// zstdLayer names the cure for the one limit a user can meet.
type zstdLayer struct{ *zstd.Decoder }

func (z zstdLayer) Read(p []byte) (int, error) {
	n, err := z.Decoder.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = fmt.Errorf("%w: more than %d MiB; decompress it with zstd -d --memory=2048MB first", err, maxWindow>>20)
	}
	return n, err
}

func (z zstdLayer) Close() error { z.Decoder.Close(); return nil }

func openZstd(in io.Reader) (io.Reader, io.Closer, string, error) {
	// One goroutine: a replay is measured by the processor it takes.
	d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	z := zstdLayer{d}
	return z, z, "zstd", err
}

// foreign are formats that people hand over by mistake or that need a step
// before; RFC and vendor magic numbers.
var foreign = []struct{ magic, name, cure string }{
	{"\xfd7zXZ", "an xz archive", "decompress it with xz -d first"},
	{"BZh", "a bzip2 archive", "decompress it with bzip2 -d first"},
	{"\x04\x22\x4d\x18", "an LZ4 archive", "decompress it with lz4 -d first"},
	{"PK\x03\x04", "a zip archive", "unpack it first"},
	{"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"},
	{"snoop\x00", "a snoop capture", "convert it with editcap -F pcapng first"},
	{"\x1c\x00\x01\xac", "an IXIA capture", "convert it with editcap -F pcapng first"},
	{"\xac\x01\x00\x1c", "an IXIA capture", "convert it with editcap -F pcapng first"},
	{"RTSS", "a NetXray capture", "convert it with editcap -F pcapng first"},
}

// detect tells the formats apart and reads the header of a pcap.
func (r *Reader) detect() error {
	switch err := r.fill(4, "file header"); {
	case err == io.EOF:
		return &Damage{File: r.name, Layers: r.layers, Err: io.ErrUnexpectedEOF, What: "the file is empty",
			Cure: "the capture was stopped before it wrote anything, or writes elsewhere"}
	case err != nil:
		return err
	}
	head := r.buf[r.r:r.w]
	if binary.LittleEndian.Uint32(head) == magicSHB {
		r.format = formatNG
		return nil
	}
	for _, swap := range []bool{false, true} {
		switch m := (order(swap)).u32(head); m {
		case magicMicro, magicNano, magicModified:
			r.swap = swap
			return r.pcapHeader(m)
		}
	}
	for _, k := range foreign {
		if len(head) >= len(k.magic) && string(head[:len(k.magic)]) == k.magic {
			return &Damage{File: r.name, Layers: r.layers, Err: ErrNotCapture, What: "this is " + k.name, Cure: k.cure}
		}
	}
	return &Damage{File: r.name, Layers: r.layers, Err: ErrNotCapture, Cure: cureFormat,
		What: fmt.Sprintf("not a capture file: it begins with % x", head[:4])}
}
