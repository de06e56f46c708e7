package mime

import "bytes"

// data takes bytes of a part's body: a line with its end, or a piece of a long
// one.
func (r *Reader) data(b []byte) {
	if !r.file {
		return
	}
	switch r.enc {
	case base64:
		r.base64(b)
	case quoted:
		r.quoted(b)
	default:
		r.lineEnd()
		r.put(r.holdEnd(b))
	}
}

var crLF = []byte("\r\n") // never written to

// lineEnd hands over the line end held back: no boundary followed.
func (r *Reader) lineEnd() {
	if !r.ends {
		return
	}
	r.ends = false
	if r.cr {
		r.put(crLF)
	} else {
		r.put(crLF[1:])
	}
}

// holdEnd takes the line end off b and keeps it back.
func (r *Reader) holdEnd(b []byte) []byte {
	n := len(b)
	if n == 0 || b[n-1] != '\n' {
		return b
	}
	r.ends, r.cr = true, n > 1 && b[n-2] == '\r'
	if r.cr {
		return b[:n-2]
	}
	return b[:n-1]
}

func (r *Reader) put(b []byte) {
	if len(b) >= maxOut {
		r.flush()
		r.sink.Data(b)
		return
	}
	if len(r.out)+len(b) > maxOut {
		r.flush()
	}
	r.out = append(r.out, b...)
}

func (r *Reader) flush() {
	if len(r.out) > 0 {
		if r.file {
			r.sink.Data(r.out)
		}
		r.out = r.out[:0]
	}
}

// Values of base64 digits, RFC 4648 section 4.
const (
	skipped = 0xff // no digit: passed over, RFC 2045 section 6.8
	padding = 0xfe
)

var digits = func() (t [256]byte) {
	for i := range t {
		t[i] = skipped
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['='] = padding
	return t
}()

func (r *Reader) base64(b []byte) {
	for _, c := range b {
		v := digits[c]
		switch v {
		case skipped:
			continue
		case padding:
			// Ends a group; further ones may follow (joined encodings).
			r.endQuad()
			continue
		}
		r.quad[r.nquad] = v
		if r.nquad++; r.nquad == 4 {
			q := &r.quad
			r.put3(q[0]<<2|q[1]>>4, q[1]<<4|q[2]>>2, q[2]<<6|q[3], 3)
			r.nquad = 0
		}
	}
}

// endQuad decodes an incomplete group.
func (r *Reader) endQuad() {
	q := &r.quad
	switch r.nquad {
	case 2:
		r.put3(q[0]<<2|q[1]>>4, 0, 0, 1)
	case 3:
		r.put3(q[0]<<2|q[1]>>4, q[1]<<4|q[2]>>2, 0, 2)
	}
	r.nquad = 0
}

func (r *Reader) put3(a, b, c byte, n int) {
	if len(r.out)+3 > maxOut {
		r.flush()
	}
	r.out = append(r.out, a, b, c)
	r.out = r.out[:len(r.out)-3+n]
}

// quoted decodes quoted-printable, RFC 2045 section 6.7. What is no escape
// stands for itself.
func (r *Reader) quoted(b []byte) {
	r.lineEnd()
	line := r.holdEnd(b)
	if r.ends {
		line = bytes.TrimRight(line, " \t")
		if n := len(line); n > 0 && line[n-1] == '=' {
			line, r.ends = line[:n-1], false // a soft line break
		}
	}
	for len(line) > 0 {
		i := bytes.IndexByte(line, '=')
		if i < 0 {
			r.put(line)
			return
		}
		r.put(line[:i])
		line = line[i:]
		if len(line) >= 3 {
			hi, lo := hexDigit(line[1]), hexDigit(line[2])
			if hi < 16 && lo < 16 {
				r.put3(hi<<4|lo, 0, 0, 1)
				line = line[3:]
				continue
			}
		}
		r.put(line[:1])
		line = line[1:]
	}
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}
