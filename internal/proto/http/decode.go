package http

import (
	"sync"

	"github.com/yamori-net/yamori/internal/inflate"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits of decompression. Output is bounded by MaxBody, so that no ratio of
// compression can cost more than that; what can still be attacked is work
// without output, which maxCompressed bounds.
const (
	// MaxLayers is how many content codings on top of each other are undone.
	MaxLayers = 3
	// maxLayerOut bounds what an outer layer may produce for the next one.
	maxLayerOut = 2 * MaxBody
	// maxCompressed is how much of a compressed body is looked at while its
	// decoded prefix is not full: data that does not compress at all needs
	// little more than MaxBody.
	maxCompressed = 4 * MaxBody
	// maxStash is how many first bytes are kept to fall back to the body as it
	// came when it turns out not to be compressed at all.
	maxStash = 256
)

type coding uint8

const (
	codeNone coding = iota
	codeGzip
	codeDeflate
)

type layerState uint8

const (
	lySniff   layerState = iota // first two bytes: which wrapper is it really
	lyGzip                      // rest of the fixed gzip header
	lyExtraLn                   // FEXTRA length
	lyExtra                     // FEXTRA bytes
	lyName                      // FNAME up to zero
	lyComment                   // FCOMMENT up to zero
	lyHCRC                      // FHCRC
	lyData                      // deflate stream
	lyTrailer                   // CRC and size of gzip
	lyAgain                     // after a member: another one or rubbish
	lyRest                      // ignore everything
	lyPlain                     // not coded after all: pass on
)

// layer undoes one gzip (RFC 1952) or deflate (RFC 1950, or bare RFC 1951 as
// some servers send it) coding.
type layer struct {
	state  layerState
	coding coding
	gzip   bool
	flags  byte
	first  byte
	n      int // bytes seen or left in this state
	stash  [maxStash]byte
	held   int // first bytes of input, kept while nothing came of them; -1 when too many
	z      inflate.Stream
}

func (l *layer) reset(c coding) {
	l.state, l.coding, l.gzip, l.flags, l.n, l.held = lySniff, c, false, 0, 0, 0
	l.z.Reset(0)
}

// write decodes in onto out up to limit; used is how much of in it took. When
// out is full it is to be called again, with what is left of in and room made
// (see inflate.Stream.Slide). What turns out not to be coded at
// all, while nothing was decoded yet, is passed on as it came.
func (l *layer) write(out, in []byte, limit int) (grown []byte, used int, err error) {
	if l.state == lyPlain {
		n := min(len(in), limit-len(out))
		return append(out, in[:n]...), n, nil
	}
	held := l.held
	if held >= 0 {
		if l.held += copy(l.stash[held:], in); len(in) > maxStash-held {
			l.held = -1
		}
	}
	grown, used, err = l.decode(out, in, limit)
	if err == nil || held < 0 || len(grown) > 0 {
		return grown, used, err
	}
	l.state = lyPlain
	out = append(out, l.stash[:min(held, limit)]...)
	n := min(len(in), limit-len(out))
	return append(out, in[:n]...), n, nil
}

func (l *layer) decode(out, in []byte, limit int) ([]byte, int, error) {
	size := len(in)
	for len(out) < limit {
		if l.state == lyData {
			// Even without input: there may be more than there was room for.
			var n int
			var err error
			out, n, err = l.z.Inflate(out, in, limit)
			in = in[n:]
			if err != nil {
				return out, size - len(in), err
			}
			if l.z.Ended() {
				l.state, l.n = lyRest, 0
				if l.gzip {
					l.state = lyTrailer
				}
			} else if len(in) == 0 {
				break
			}
			continue
		}
		if l.state == lyRest {
			in = nil
		}
		if len(in) == 0 {
			break
		}
		b := in[0]
		if l.state == lySniff && l.n == 1 && !l.wrapper(b) {
			if l.coding == codeGzip {
				return out, size - len(in), inflate.ErrInvalid
			}
			// Bare deflate: the first byte belongs to the stream already.
			l.state = lyData
			l.z.Reset(len(out))
			var err error
			one := [1]byte{l.first}
			if out, _, err = l.z.Inflate(out, one[:], limit); err != nil {
				return out, size - len(in), err
			}
			continue
		}
		in = in[1:]
		if err := l.head(b, len(out)); err != nil {
			return out, size - len(in), err
		}
	}
	return out, size - len(in), nil
}

// wrapper reports whether first and b begin a gzip or zlib header.
func (l *layer) wrapper(b byte) bool {
	return l.first == 0x1f && b == 0x8b ||
		l.first&15 == 8 && (int(l.first)<<8|int(b))%31 == 0
}

// head takes one byte of a header or trailer; base is the output's length.
func (l *layer) head(b byte, base int) error {
	l.n++
	switch l.state {
	case lySniff:
		if l.n == 1 {
			l.first = b
			return nil
		}
		if l.first == 0x1f {
			l.gzip, l.state = true, lyGzip
			return nil
		}
		l.data(base)
	case lyGzip: // CM FLG MTIME XFL OS follow the magic
		switch l.n {
		case 3:
			if b != 8 {
				return inflate.ErrInvalid
			}
		case 4:
			l.flags = b
		case 10:
			l.gzipField(base)
		}
	case lyExtraLn:
		if l.n == 1 {
			l.first = b
		} else if size := int(l.first) | int(b)<<8; size == 0 {
			l.gzipField(base)
		} else {
			l.state, l.n = lyExtra, -size
		}
	case lyExtra:
		if l.n == 0 {
			l.gzipField(base)
		}
	case lyName, lyComment:
		if b == 0 {
			l.gzipField(base)
		}
	case lyHCRC:
		if l.n == 2 {
			l.data(base)
		}
	case lyTrailer:
		if l.n == 8 {
			l.state, l.n = lyAgain, 0
		}
	case lyAgain:
		switch {
		case l.n == 1 && b == 0x1f:
		case l.n == 2 && b == 0x8b:
			l.state = lyGzip
		default:
			l.state = lyRest
		}
	}
	return nil
}

// gzipField goes on to the next optional field of a gzip header.
func (l *layer) gzipField(base int) {
	l.n = 0
	switch {
	case l.flags&4 != 0:
		l.state = lyExtraLn
		l.flags &^= 4
	case l.flags&8 != 0:
		l.state = lyName
		l.flags &^= 8
	case l.flags&16 != 0:
		l.state = lyComment
		l.flags &^= 16
	case l.flags&2 != 0:
		l.state = lyHCRC
		l.flags &^= 2
	default:
		l.data(base)
	}
}

func (l *layer) data(base int) {
	l.state, l.n = lyData, 0
	l.z.Reset(base)
}

// decoder undoes up to MaxLayers codings of one body.
type decoder struct {
	n     int // layers, outermost first
	layer [MaxLayers]layer
	win   [MaxLayers][]byte  // output of the layers, of the last one only for files
	used  [MaxLayers - 1]int // how much of it the next layer has taken
	in    int
	made  int // output of all layers, for files
}

// decoders are shared, so that only bodies under way hold one: flows that idle
// between requests outnumber them by far.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

func newDecoder(codings []coding) *decoder {
	d := decoders.Get().(*decoder)
	d.n, d.in, d.made = len(codings), 0, 0
	for i, c := range codings {
		// Codings are listed in the order they were applied.
		d.layer[d.n-1-i].reset(c)
	}
	d.used = [MaxLayers - 1]int{}
	return d
}

// ended reports whether the innermost stream has come to its end.
func (d *decoder) ended() bool { return d.layer[d.n-1].z.Ended() }

func (d *decoder) release() {
	for i := range d.win {
		d.win[i] = proto.Keep(d.win[i], keptLayer)
	}
	decoders.Put(d)
}

type decodeResult uint8

const (
	decodeOK    decodeResult = iota
	decodeBad                // invalid data: what was decoded before it stands
	decodePlain              // as decodeOK, but a coding that was announced is not there
	decodeLimit              // a limit other than MaxBody
)

// write decodes in onto out, which grows up to MaxBody.
func (d *decoder) write(out, in []byte) ([]byte, decodeResult) {
	d.in += len(in)
	var err error
	full := false
	cur := in
	for i := range d.n - 1 {
		var bad error
		if d.win[i], _, bad = d.layer[i].write(d.win[i], cur, maxLayerOut); err == nil {
			err = bad
		}
		full = full || len(d.win[i]) >= maxLayerOut
		cur = d.win[i][d.used[i]:]
		d.used[i] = len(d.win[i])
	}
	// What came before the fault still counts.
	out, _, bad := d.layer[d.n-1].write(out, cur, MaxBody)
	if err == nil {
		err = bad
	}
	switch {
	case err != nil:
		return out, decodeBad
	case len(out) < MaxBody && (full || d.in > maxCompressed):
		return out, decodeLimit
	}
	for i := range d.n {
		if d.layer[i].state == lyPlain {
			return out, decodePlain
		}
	}
	return out, decodeOK
}
