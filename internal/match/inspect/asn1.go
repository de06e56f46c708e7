package inspect

import (
	"strings"
	"unicode/utf8"
)

// Limits of the BER reader. Suricata's asn1-max-frames is 256 in its stock
// settings; depth and count share it.
const (
	maxFrames = 256
	maxReal   = 256 // bytes of an ASCII real that double_overflow looks for
)

// asn1 reads BER objects (X.690) from the offset and reports whether one of
// them shows what the rule asks for.
func (c *Ctx) asn1(o *op) bool {
	at := int64(o.b)
	if o.flags&fRelative != 0 {
		at += int64(c.off)
	}
	if at < 0 || at > 0xffff || at >= int64(len(c.buf)) {
		return false
	}
	rest := c.buf[at:]
	for range maxFrames {
		if len(rest) == 0 {
			return false
		}
		n, found, ok := c.ber(o, rest, maxFrames)
		if !ok || !c.spend(n) {
			return false
		}
		if found {
			return true
		}
		rest = rest[n:]
	}
	return false
}

// ber reads one object from b: its size, whether it or one inside it matches,
// and whether it could be read at all. A whole object that cannot be read
// matches nothing, whatever lies inside.
func (c *Ctx) ber(o *op, b []byte, depth int) (size int, found, ok bool) {
	head, length, indefinite, ok := berHeader(b)
	if !ok || depth == 0 {
		return 0, false, false
	}
	body := b[head:]
	if !indefinite {
		if length > uint64(len(body)) {
			return 0, false, false
		}
		body = body[:length]
	}
	size = head + int(length)
	// Only universal constructed objects are descended into; the content of
	// others is not known.
	if b[0]&0xe0 != 0x20 {
		found = o.shows(b[0], length, body)
		return size, found, !indefinite && plausible(b[0], body)
	}
	found = o.flags&fOversize != 0 && length > uint64(o.a)
	for len(body) > 0 {
		if indefinite && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			return len(b) - len(body) + 2, found, true
		}
		n, inner, ok := c.ber(o, body, depth-1)
		if !ok {
			return 0, false, false
		}
		found = found || inner
		body = body[n:]
	}
	return size, found, !indefinite
}

// plausible reports whether the content of a primitive universal object is
// one that its type can have. Suricata's reader gives up at others.
func plausible(tag byte, body []byte) bool {
	switch tag {
	case 0x01: // boolean
		return len(body) == 1
	case 0x03: // bit string: the number of unused bits comes first
		return len(body) > 0
	case 0x0a: // enumerated
		return len(body) > 0 && len(body) <= 4 && body[0] < 0x80
	case 0x05: // null
		return len(body) == 0
	case 0x0c: // UTF8String
		return utf8.Valid(body)
	case 0x12: // NumericString
		return only(body, " 0123456789")
	case 0x13: // PrintableString
		return only(body, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 '()+,-./:=?")
	case 0x16, 0x1a: // strings of ASCII
		for _, x := range body {
			if x >= 0x80 || x < ' ' && tag == 0x1a {
				return false
			}
		}
	case 0x17, 0x18: // times: at least year, month, day and hour
		if len(body) < 10 {
			return false
		}
		for _, x := range body {
			if x < ' ' || x > '~' {
				return false
			}
		}
	}
	return true
}

func only(body []byte, set string) bool {
	for _, x := range body {
		if strings.IndexByte(set, x) < 0 {
			return false
		}
	}
	return true
}

// shows applies the checks to a primitive object.
func (o *op) shows(tag byte, length uint64, body []byte) bool {
	if o.flags&fOversize != 0 && length > uint64(o.a) {
		return true
	}
	if o.flags&fBitstring != 0 && tag == 0x03 && len(body) > 0 && uint64(body[0]) > length*8 {
		return true
	}
	return o.flags&fDouble != 0 && tag == 0x09 && len(body) > maxReal && body[0]&0xc0 == 0
}

// berHeader reads tag and length (X.690, 8.1.2 and 8.1.3).
func berHeader(b []byte) (head int, length uint64, indefinite, ok bool) {
	if len(b) < 2 {
		return 0, 0, false, false
	}
	head = 1
	if b[0]&0x1f == 0x1f { // high tag number
		for {
			if head >= len(b) || head > 5 {
				return 0, 0, false, false
			}
			head++
			if b[head-1]&0x80 == 0 {
				break
			}
		}
	}
	if head >= len(b) {
		return 0, 0, false, false
	}
	l := b[head]
	head++
	if l < 0x80 {
		return head, uint64(l), false, true
	}
	n := int(l & 0x7f)
	if n == 0 {
		return head, 0, true, true
	}
	if n > 8 || head+n > len(b) {
		return 0, 0, false, false
	}
	for _, x := range b[head : head+n] {
		length = length<<8 | uint64(x)
	}
	return head + n, length, false, true
}
