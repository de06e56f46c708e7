package quic

import "encoding/hex"

// Version numbers on the wire.
const (
	v1        = 0x00000001 // RFC 9000
	v2        = 0x6b3343cf // RFC 9369
	v2Draft   = 0x709a50c4 // draft-ietf-quic-v2-00 to -04
	mvfst22   = 0xfaceb001 // Facebook's mvfst, on draft 22
	mvfst27   = 0xfaceb002 // on draft 27
	mvfstExp  = 0xfaceb00e // experimental
	draftBase = 0xff000000
	q043      = 'Q'<<24 | '0'<<16 | '4'<<8 | '3'
	q046      = 'Q'<<24 | '0'<<16 | '4'<<8 | '6'
	q050      = 'Q'<<24 | '0'<<16 | '5'<<8 | '0'
	t050      = 'T'<<24 | '0'<<16 | '5'<<8 | '0'
	t051      = 'T'<<24 | '0'<<16 | '5'<<8 | '1'
)

// suite is how a family of versions protects its Initial packets.
type suite struct {
	salt   [20]byte
	prefix string // of the labels key, iv and hp
	v2     bool   // packet types are numbered as in RFC 9369 section 3.2
	google bool   // CRYPTO frames may have Google's number
}

// Salts: RFC 9001 section 5.2 and RFC 9369 section 3.3.1, and section 5.2 of
// the drafts of QUIC-TLS. Google's are from Chromium's crypto_utils.
var (
	suite1 = suite{prefix: "quic ", salt: [20]byte{
		0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
		0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a}}
	suite2 = suite{prefix: "quicv2 ", v2: true, salt: [20]byte{
		0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
		0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9}}
	suite2Draft = suite{prefix: "quicv2 ", v2: true, salt: [20]byte{
		0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d,
		0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3}}
	suite29 = suite{prefix: "quic ", salt: [20]byte{ // drafts 29 to 32
		0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
		0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99}}
	suite23 = suite{prefix: "quic ", salt: [20]byte{ // drafts 23 to 28
		0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
		0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02}}
	suite21 = suite{prefix: "quic ", salt: [20]byte{ // drafts 21 and 22
		0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a,
		0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a}}
	suiteQ050 = suite{prefix: "quic ", google: true, salt: [20]byte{
		0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
		0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45}}
	suiteT050 = suite{prefix: "quic ", google: true, salt: [20]byte{
		0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
		0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10}}
	suiteT051 = suite{prefix: "quic ", google: true, salt: [20]byte{
		0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
		0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d}}
)

// suiteOf returns how version v protects its Initial packets, nil if unknown.
func suiteOf(v uint32) *suite {
	switch v {
	case v1:
		return &suite1
	case v2:
		return &suite2
	case v2Draft:
		return &suite2Draft
	case mvfst22:
		return &suite21
	case mvfst27, mvfstExp:
		return &suite23
	case q050:
		return &suiteQ050
	case t050:
		return &suiteT050
	case t051:
		return &suiteT051
	}
	if v>>8 == draftBase>>8 {
		switch d := v & 0xff; {
		case d >= 33 && d <= 34:
			return &suite1
		case d >= 29 && d <= 32:
			return &suite29
		case d >= 23 && d <= 28:
			return &suite23
		case d == 21 || d == 22:
			return &suite21
		}
	}
	return nil
}

// guess returns the i-th suite worth trying for a version that no document
// defines: a client that wants to see a Version Negotiation packet (RFC 9000
// section 15: 0x?a?a?a?a) still protects its Initial as its real version does.
func guess(i int) *suite {
	switch i {
	case 0:
		return &suite1
	case 1:
		return &suite29
	}
	return nil
}

// isGoogle reports whether v is one of Google's versions before the IETF's:
// Q000 to Q059 or T050 to T059.
func isGoogle(v uint32) bool {
	a, b, c, d := byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	return (a == 'Q' || a == 'T' && c == '5') && b == '0' && c >= '0' && c <= '5' && d >= '0' && d <= '9'
}

// longGoogle reports whether a Google version has the long header: Q044 and
// later.
func longGoogle(v uint32) bool { return isGoogle(v) && v > q043 || v>>24 == 'T' && isGoogle(v) }

// appendVersion appends v as Suricata writes it: "1", "Q046", "ff00001d".
func appendVersion(dst []byte, v uint32) []byte {
	b := [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	if isGoogle(v) {
		return append(dst, b[:]...)
	}
	start := len(dst)
	dst = hex.AppendEncode(dst, b[:])
	for len(dst)-start > 1 && dst[start] == '0' {
		dst = append(dst[:start], dst[start+1:]...)
	}
	return dst
}
