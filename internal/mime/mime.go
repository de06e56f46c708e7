// Package mime finds the attachments of a mail (RFC 2045, 2046, 2183) as its
// bytes go by, and undoes their transfer encodings. It holds a line at most.
package mime

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/textline"
)

// Limits.
const (
	// maxLine is how much of a line is held; RFC 5322 section 2.1.1 allows 998.
	// What is longer goes by in pieces and is no boundary.
	maxLine = 2 << 10
	// maxField is how much of one header field is read, folded lines joined.
	maxField = 2 << 10
	// maxDepth bounds multiparts within multiparts and mails within mails.
	maxDepth = 10
	// maxBoundary bounds a boundary; RFC 2046 section 5.1.1 allows 70.
	maxBoundary = 200
	// maxName bounds the name of an attachment.
	maxName = 512
	// maxOut is how much decoded data is gathered before it is handed over.
	maxOut = 4 << 10
)

// Sink takes the attachments of a mail, one after the other.
type Sink interface {
	// Begin starts an attachment; name is valid until End.
	Begin(name []byte)
	// Data hands over its next bytes, decoded, valid during the call.
	Data(b []byte)
	// Gap says that about n bytes of it are lost here.
	Gap(n int)
	// End ends it; cut says that the mail ended first.
	End(cut bool)
}

type encoding uint8

const (
	plain encoding = iota
	base64
	quoted
)

type state uint8

const (
	inHead state = iota
	inBody
	between // before the first part of a multipart, or after the last
)

// Reader reads one mail. Reset makes it ready for one.
type Reader struct {
	sink  Sink
	state state
	enc   encoding
	file  bool // an attachment is open
	long  bool // in the rest of a line that was too long
	ends  bool // a line end is held back: it may belong to a boundary
	cr    bool // and it was CR LF

	line  []byte // what is held of a line
	field []byte // header field being joined
	name  []byte
	text  []byte // scratch
	multi bool   // the part is a multipart, its boundary pushed
	nest  bool   // the part is a mail

	depth int
	bound [maxDepth][]byte
	odd   bool // a boundary was too long

	quad  [4]byte // base64 digits
	nquad int
	out   []byte
}

// Reset prepares for another mail.
func (r *Reader) Reset(s Sink) {
	r.sink, r.state, r.file, r.long, r.ends = s, inHead, false, false, false
	r.line, r.field, r.name, r.out = r.line[:0], r.field[:0], r.name[:0], r.out[:0]
	r.depth, r.odd = 0, false
	r.part()
}

// LongBoundary reports whether the mail names a boundary that is longer than
// is read. Its parts are not told apart.
func (r *Reader) LongBoundary() bool { return r.odd }

// part prepares for another part's head.
func (r *Reader) part() {
	r.enc, r.multi, r.nest, r.nquad, r.ends = plain, false, false, 0, false
	r.name = r.name[:0]
}

// Size returns the bytes r holds.
func (r *Reader) Size() int {
	n := cap(r.line) + cap(r.field) + cap(r.name) + cap(r.text) + cap(r.out)
	for i := range r.bound {
		n += cap(r.bound[i])
	}
	return n
}

// Write takes the next bytes of the mail, dots already unstuffed. What it
// decodes may wait for Flush.
func (r *Reader) Write(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		n := i + 1
		if i < 0 {
			n = len(b)
		}
		piece := b[:n]
		b = b[n:]
		switch {
		case r.long:
			r.piece(piece)
			r.long = i < 0
		case i < 0 && len(r.line)+len(piece) < maxLine:
			r.line = append(r.line, piece...)
		case len(r.line)+len(piece) > maxLine:
			k := maxLine - len(r.line)
			r.line = append(r.line, piece[:k]...)
			r.tooLong(r.line, piece[k:])
			r.line = r.line[:0]
			r.long = i < 0
		case len(r.line) > 0:
			r.line = append(r.line, piece...)
			r.whole(r.line)
			r.line = r.line[:0]
		default:
			r.whole(piece)
		}
	}
}

// Flush hands over what was decoded and is still gathered.
func (r *Reader) Flush() { r.flush() }

// tooLong takes the beginning of a line that is too long and what is there of
// the rest. A boundary or a field is not undone by what it is padded with.
func (r *Reader) tooLong(b, rest []byte) {
	switch {
	case r.hasBoundary(b):
		r.whole(b)
	case r.state == inHead:
		r.head(b)
	default:
		r.piece(b)
		r.piece(rest)
	}
}

// piece takes part of a line too long to be anything but data.
func (r *Reader) piece(b []byte) {
	if r.state == inBody && len(b) > 0 {
		r.data(b)
	}
}

// whole takes a line with its end.
func (r *Reader) whole(b []byte) {
	if r.depth > 0 && len(b) > 2 && b[0] == '-' && b[1] == '-' && r.boundary(b) {
		return
	}
	switch r.state {
	case inHead:
		r.head(trimEnd(b))
	case inBody:
		r.data(b)
	}
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// match returns the depth of the boundary that the line b is, zero when it is
// none.
func (r *Reader) match(b []byte) int {
	for i := r.depth; i > 0; i-- {
		if bytes.HasPrefix(b[2:], r.bound[i-1]) {
			return i
		}
	}
	return 0
}

func (r *Reader) hasBoundary(b []byte) bool {
	return r.depth > 0 && len(b) > 2 && b[0] == '-' && b[1] == '-' && r.match(b) > 0
}

// boundary handles a line that may be a boundary.
func (r *Reader) boundary(b []byte) bool {
	at := r.match(b)
	if at == 0 {
		return false
	}
	r.endFile(false)
	r.part()
	r.depth = at
	rest := b[2+len(r.bound[at-1]):]
	if len(rest) >= 2 && rest[0] == '-' && rest[1] == '-' {
		r.depth--
		r.state = between
		return true
	}
	r.state = inHead
	r.field = r.field[:0]
	return true
}

// head takes a line of a head.
func (r *Reader) head(line []byte) {
	if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
		r.join(line)
		return
	}
	r.endField()
	if len(line) > 0 {
		r.join(line)
		return
	}
	switch {
	case r.multi:
		r.state = between
	case r.nest:
		r.part()
	default:
		r.state = inBody
		if len(r.name) > 0 {
			r.file = true
			r.sink.Begin(r.name)
		}
	}
}

func (r *Reader) join(b []byte) {
	r.field = append(r.field, b[:min(len(b), maxField-len(r.field))]...)
}

// endField reads the header field at hand.
func (r *Reader) endField() {
	f := r.field
	r.field = r.field[:0]
	key, val, ok := bytes.Cut(f, []byte{':'})
	if !ok {
		return
	}
	key, val = bytes.TrimSpace(key), bytes.TrimSpace(val)
	switch {
	case textline.Is(key, "content-type"):
		r.contentType(val)
	case textline.Is(key, "content-disposition"):
		if n := AppendParam(r.text[:0], val, "filename"); len(n) > 0 {
			r.name = append(r.name[:0], n[:min(len(n), maxName)]...)
			r.text = n
		}
	case textline.Is(key, "content-transfer-encoding"):
		switch {
		case textline.Is(val, "base64"):
			r.enc = base64
		case textline.Is(val, "quoted-printable"):
			r.enc = quoted
		}
	}
}

func (r *Reader) contentType(v []byte) {
	typ, _, _ := bytes.Cut(v, []byte{';'})
	typ = bytes.TrimSpace(typ)
	switch {
	case len(typ) > 10 && textline.HasPrefix(typ, "multipart/"):
		b := AppendParam(r.text[:0], v, "boundary")
		r.text = b
		r.odd = r.odd || len(b) > maxBoundary
		if len(b) == 0 || len(b) > maxBoundary || r.depth == maxDepth || r.multi {
			return
		}
		r.bound[r.depth] = append(r.bound[r.depth][:0], b...)
		r.depth++
		r.multi = true
	case textline.Is(typ, "message/rfc822"):
		r.nest = true
	}
	if len(r.name) == 0 {
		n := AppendParam(r.text[:0], v, "name")
		r.name = append(r.name, n[:min(len(n), maxName)]...)
		r.text = n
	}
}

// endFile ends the attachment at hand.
func (r *Reader) endFile(cut bool) {
	if !r.file {
		return
	}
	r.endQuad()
	r.flush()
	r.file = false
	r.sink.End(cut)
}

// Gap says that n bytes of the mail are lost: the line at hand is given up.
func (r *Reader) Gap(n int) {
	if r.file {
		r.piece(r.line)
		r.flush()
		r.sink.Gap(n)
	}
	r.line, r.nquad, r.long, r.ends = r.line[:0], 0, true, false
	if r.state == inHead {
		r.state = between
	}
}

// End says that the mail is over; cut, that it is not complete.
func (r *Reader) End(cut bool) {
	if len(r.line) > 0 {
		r.whole(r.line)
		r.line = r.line[:0]
	}
	r.endFile(cut || r.depth > 0)
	r.sink = nil
}
