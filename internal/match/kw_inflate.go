package match

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/inflate"
	"github.com/yamori-net/yamori/internal/rules"
)

// Output of a decompressing transform: what a rule gets when it says nothing,
// and the most it may ask for.
const (
	inflateDefault = 1 << 10
	inflateMost    = 64 << 10
)

var inflateKeywords = []Keyword{
	{Name: "gunzip", Family: "transform", Doc: "decompress gzip, the first 1024 bytes or max-size", Example: `http.request_body; gunzip; content:"x";`, Setup: transforming(inflating(gzipData))},
	{Name: "zlib_deflate", Family: "transform", Doc: "decompress zlib, the first 1024 bytes or max-size", Example: `http.request_body; zlib_deflate: max-size 4096; content:"x";`, Setup: transforming(inflating(zlibData))},
}

// inflating makes a transform that decompresses what data finds behind a
// header. What has none gives nothing.
func inflating(data func(b []byte) ([]byte, bool)) func(v string) (transform, error) {
	return func(v string) (transform, error) {
		most := inflateDefault
		if v != "" {
			f := strings.Fields(v)
			if len(f) != 2 || f[0] != "max-size" {
				return nil, fail("decompression knows max-size and a number, not %q", v)
			}
			n, err := rules.ParseUint(f[1], inflateMost)
			if err != nil {
				return nil, err
			}
			most = int(n)
		}
		return func(dst, in []byte, w *Worker) []byte {
			b, ok := data(in)
			if !ok {
				return dst
			}
			if w.z == nil {
				w.z = new(inflate.Stream)
			}
			w.z.Reset(len(dst))
			dst, _, _ = w.z.Inflate(dst, b, len(dst)+most) // of damaged data what comes before
			return dst
		}, nil
	}
}

// gzipData passes over a gzip header, RFC 1952 section 2.3.
func gzipData(b []byte) ([]byte, bool) {
	const (
		crc     = 2
		extra   = 4
		name    = 8
		comment = 16
	)
	if len(b) < 10 || b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 {
		return nil, false
	}
	flags := b[3]
	b = b[10:]
	if flags&extra != 0 {
		if len(b) < 2 || len(b)-2 < int(b[0])|int(b[1])<<8 {
			return nil, false
		}
		b = b[2+(int(b[0])|int(b[1])<<8):]
	}
	for _, f := range [2]byte{name, comment} {
		if flags&f == 0 {
			continue
		}
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			return nil, false
		}
		b = b[i+1:]
	}
	if flags&crc != 0 {
		if len(b) < 2 {
			return nil, false
		}
		b = b[2:]
	}
	return b, true
}

// zlibData passes over a zlib header, RFC 1950 section 2.2.
func zlibData(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[0]&15 != 8 || (int(b[0])<<8|int(b[1]))%31 != 0 || b[1]&0x20 != 0 {
		return nil, false
	}
	return b[2:], true
}
