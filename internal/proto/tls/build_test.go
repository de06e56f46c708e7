package tls

import "encoding/binary"

// The functions here encode what the parser reads, for tests.

func u16(vs ...int) []byte {
	var b []byte
	for _, v := range vs {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func vec8(b ...byte) []byte { return append([]byte{byte(len(b))}, b...) }

func vec16(b ...byte) []byte { return append(u16(len(b)), b...) }

func vec24(b ...byte) []byte {
	return append([]byte{byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
}

func cat(bs ...[]byte) []byte {
	var out []byte
	for _, b := range bs {
		out = append(out, b...)
	}
	return out
}

func rec(typ byte, body ...byte) []byte { return append([]byte{typ, 3, 1}, vec16(body...)...) }

func msg(typ byte, body ...byte) []byte { return append([]byte{typ}, vec24(body...)...) }

func ext(typ int, body ...byte) []byte { return append(u16(typ), vec16(body...)...) }

func sni(name string) []byte {
	return ext(ExtServerName, vec16(append([]byte{0}, vec16([]byte(name)...)...)...)...)
}

func alpn(names ...string) []byte {
	var l []byte
	for _, n := range names {
		l = append(l, vec8([]byte(n)...)...)
	}
	return ext(ExtALPN, vec16(l...)...)
}

// random is 32 bytes that differ from each other.
func random() []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = byte(0x80 + i)
	}
	return b
}

// clientHello encodes the body of a ClientHello; exts nil leaves the block out.
func clientHello(version int, ciphers []byte, exts []byte) []byte {
	b := cat(u16(version), random(), vec8(0xaa, 0xbb))
	if version>>8 == 0xfe {
		b = append(b, vec8(1, 2, 3)...)
	}
	b = cat(b, vec16(ciphers...), vec8(0))
	if exts != nil {
		b = append(b, vec16(exts...)...)
	}
	return b
}

func serverHello(version, cipher int, exts []byte) []byte {
	b := cat(u16(version), random(), vec8(), u16(cipher), []byte{0})
	if exts != nil {
		b = append(b, vec16(exts...)...)
	}
	return b
}

// chrome is the ClientHello of FoxIO's example t13d1516h2_8daaf6152771_e5627efa2ab1:
// its lists in some order of the wire, with GREASE where Chrome puts it.
func chrome() []byte {
	ciphers := u16(0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35)
	exts := cat(
		ext(0x4a4a),
		sni("www.example.com"),
		ext(23), ext(0xff01, 0), ext(ExtGroups, vec16(u16(0x5a5a, 29, 23, 24)...)...), ext(ExtPointFormats, vec8(0)...),
		ext(35), alpn("h2", "http/1.1"), ext(5, 1, 0, 0, 0, 0),
		ext(ExtSignatureAlgs, vec16(u16(0x403, 0x804, 0x401, 0x503, 0x805, 0x501, 0x806, 0x601)...)...),
		ext(18), ext(ExtKeyShare, vec16(cat(u16(0x5a5a), vec16(0), u16(29), vec16(make([]byte, 32)...))...)...),
		ext(ExtPSKModes, vec8(1)...), ext(ExtSupportedVersions, vec8(u16(0x6a6a, 0x304, 0x303)...)...),
		ext(27, 2, 0, 2), ext(0x4469, vec16(vec8('h', '2')...)...),
		ext(0x7a7a, 0), ext(ExtPadding, make([]byte, 17)...),
	)
	return clientHello(0x303, ciphers, exts)
}

// der encodes one DER element.
func der(tag byte, parts ...[]byte) []byte {
	c := cat(parts...)
	switch {
	case len(c) < 0x80:
		return cat([]byte{tag, byte(len(c))}, c)
	case len(c) < 0x100:
		return cat([]byte{tag, 0x81, byte(len(c))}, c)
	}
	return cat([]byte{tag, 0x82, byte(len(c) >> 8), byte(len(c))}, c)
}

// rdn encodes one attribute in a set of its own.
func rdn(oid string, tag byte, val string) []byte {
	return der(tagSet, der(tagSequence, der(tagOID, []byte(oid)), der(tag, []byte(val))))
}

// cert encodes a certificate with a made-up signature.
func cert(serial []byte, issuer, subject []byte, sans ...[]byte) []byte {
	exts := der(tagContext3, der(tagSequence,
		der(tagSequence, der(tagOID, []byte("\x55\x1d\x13")), der(tagBoolean, []byte{0xff}), der(tagOctetString, der(tagSequence))),
		der(tagSequence, der(tagOID, oidSAN), der(tagOctetString, der(tagSequence, sans...)))))
	return der(tagSequence,
		der(tagSequence,
			der(tagContext0, der(tagInteger, []byte{2})),
			der(tagInteger, serial),
			der(tagSequence, der(tagOID, []byte("\x2a\x03"))),
			der(tagSequence, issuer),
			der(tagSequence, der(tagUTCTime, []byte("991231235959Z")), der(tagGeneralizedTime, []byte("20551231120000Z"))),
			der(tagSequence, subject),
			der(tagSequence, der(tagOID, []byte("\x2a\x03"))),
			exts),
		der(tagSequence, der(tagOID, []byte("\x2a\x03"))),
		der(0x03, []byte{0, 1, 2, 3}))
}
