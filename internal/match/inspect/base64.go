package inspect

// maxBase64 is the most text base64_decode takes, Suricata's BASE64_DECODE_MAX.
const maxBase64 = 65535

// decodeBase64 decodes and runs the steps on the decoded bytes. Nothing else
// follows it in a rule.
func (c *Ctx) decodeBase64(o *op) result {
	text := c.buf
	if o.flags&fRelative != 0 {
		text = text[min(int(c.off), len(text)):]
	}
	if o.b != 0 {
		if int64(o.b) >= int64(len(text)) {
			return no
		}
		text = text[o.b:]
	}
	text = text[:min(len(text), int(o.a))]
	if !c.spend(len(text)) {
		return give
	}
	if c.base64 == nil {
		c.base64 = make([]byte, 0, maxBase64/4*3+3)
	}
	c.base64 = appendBase64(c.base64[:0], text)
	first, n := uint32(o.v>>32), uint32(o.v)
	if len(c.base64) == 0 || n == 0 {
		return no
	}
	buf, start, off := c.buf, c.start, c.off
	c.buf, c.start, c.off = c.base64, 0, 0
	r := c.run(c.arena.ops[first : first+n])
	c.buf, c.start, c.off = buf, start, off
	if r != yes {
		return no
	}
	return yes
}

// appendBase64 decodes until the first byte outside of the alphabet (RFC 4648,
// section 3.3). Padding may stand anywhere and shortens its group; what is left
// of an unfinished group is decoded as if padded. One character alone makes
// a byte, as Suricata has it, where a foreign byte stopped the decoding, but not
// at the end of the text.
func appendBase64(dst, text []byte) []byte {
	var group [4]byte
	n, pad, stopped := 0, 0, false
	for _, ch := range text {
		v, ok := base64Value(ch)
		if !ok {
			if ch != '=' {
				stopped = true
				break
			}
			pad++
		}
		group[n] = v
		if n++; n == 4 {
			dst = appendGroup(dst, group, 3-min(pad, 3))
			n, pad, group = 0, 0, [4]byte{}
		}
	}
	switch {
	case n > 1:
		dst = appendGroup(dst, group, n-1)
	case n == 1 && stopped:
		dst = appendGroup(dst, group, 1)
	}
	return dst
}

func appendGroup(dst []byte, g [4]byte, n int) []byte {
	out := [3]byte{g[0]<<2 | g[1]>>4, g[1]<<4 | g[2]>>2, g[2]<<6 | g[3]}
	return append(dst, out[:n]...)
}

func base64Value(ch byte) (byte, bool) {
	switch {
	case 'A' <= ch && ch <= 'Z':
		return ch - 'A', true
	case 'a' <= ch && ch <= 'z':
		return ch - 'a' + 26, true
	case '0' <= ch && ch <= '9':
		return ch - '0' + 52, true
	case ch == '+':
		return 62, true
	case ch == '/':
		return 63, true
	}
	return 0, false
}
