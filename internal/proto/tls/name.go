package tls

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// attribute is the short name of one attribute type of distinguished names,
// as Suricata prints it.
type attribute struct{ oid, name string }

// attributes holds the attribute types of public certificates, by the bytes of
// their object identifiers (RFC 4519, RFC 2985, EV guidelines).
var attributes = [...]attribute{
	{"\x55\x04\x03", "CN"},
	{"\x55\x04\x06", "C"},
	{"\x55\x04\x0a", "O"},
	{"\x55\x04\x0b", "OU"},
	{"\x55\x04\x08", "ST"},
	{"\x55\x04\x07", "L"},
	{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "Email"},
	{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"},
	{"\x55\x04\x04", "surname"},
	{"\x55\x04\x05", "serialNumber"},
	{"\x55\x04\x09", "streetAddress"},
	{"\x55\x04\x0c", "title"},
	{"\x55\x04\x0d", "description"},
	{"\x55\x04\x0f", "businessCategory"},
	{"\x55\x04\x11", "postalCode"},
	{"\x55\x04\x29", "name"},
	{"\x55\x04\x2a", "givenName"},
	{"\x55\x04\x2b", "initials"},
	{"\x55\x04\x2c", "generationQualifier"},
	{"\x55\x04\x2e", "dnQualifier"},
	{"\x55\x04\x41", "pseudonym"},
	{"\x55\x04\x61", "organizationIdentifier"},
	{"\x55\x1d\x11", "subjectAltName"}, // no attribute of names, but certificates made by hand have it there
	{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "userId"},
	{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "msJurisdictionLocality"},
	{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "msJurisdictionStateOrProvince"},
	{"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "msJurisdictionCountry"},
}

// AppendName appends the text of a distinguished name (content of an
// RDNSequence): "C=US, O=Example, CN=host", parts of one RDN joined by " + ".
func AppendName(dst, name []byte) []byte {
	start := len(dst)
	rdns := derReader{b: name}
	for len(rdns.b) > 0 {
		set := derReader{b: rdns.want(tagSet)}
		for first := true; len(set.b) > 0; first = false {
			av := derReader{b: set.want(tagSequence)}
			oid := av.want(tagOID)
			tag, val := av.next()
			if av.bad {
				break
			}
			switch {
			case len(dst) == start:
			case first:
				dst = append(dst, ", "...)
			default:
				dst = append(dst, " + "...)
			}
			dst = appendAttribute(dst, oid)
			dst = append(dst, '=')
			dst = appendText(dst, tag, val)
		}
	}
	return dst
}

func appendAttribute(dst, oid []byte) []byte {
	for i := range attributes {
		if attributes[i].oid == string(oid) {
			return append(dst, attributes[i].name...)
		}
	}
	return appendOID(dst, oid)
}

// appendOID appends an object identifier in dotted form, X.690 section 8.19.
func appendOID(dst, oid []byte) []byte {
	var v uint64
	first := true
	for _, c := range oid {
		v = v<<7 | uint64(c&0x7f)
		if c&0x80 != 0 {
			continue
		}
		if first {
			top := min(v/40, 2)
			dst = strconv.AppendUint(dst, top, 10)
			v -= top * 40
			first = false
		}
		dst = append(dst, '.')
		dst = strconv.AppendUint(dst, v, 10)
		v = 0
	}
	return dst
}

// appendText appends the value of an attribute as UTF-8 (or, of the 8-bit
// string types, as the bytes stand).
func appendText(dst []byte, tag byte, v []byte) []byte {
	switch tag {
	case tagBMPString:
		for ; len(v) >= 2; v = v[2:] {
			r := rune(v[0])<<8 | rune(v[1])
			if utf16.IsSurrogate(r) && len(v) >= 4 {
				r = utf16.DecodeRune(r, rune(v[2])<<8|rune(v[3]))
				v = v[2:]
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst
	case tagUniversalString:
		for ; len(v) >= 4; v = v[4:] {
			dst = utf8.AppendRune(dst, rune(v[0])<<24|rune(v[1])<<16|rune(v[2])<<8|rune(v[3]))
		}
		return dst
	}
	return append(dst, v...)
}

// appendColons appends v as pairs of hexadecimal digits with colons between.
func appendColons(dst, v []byte, upper bool) []byte {
	start := len(dst)
	for i := range v {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = hex.AppendEncode(dst, v[i:i+1])
	}
	if upper {
		for i := start; i < len(dst); i++ {
			if c := dst[i]; c >= 'a' && c <= 'f' {
				dst[i] = c - 'a' + 'A'
			}
		}
	}
	return dst
}

// AppendTo appends t as "2006-01-02T15:04:05", and nothing if it is not a
// time (RFC 5280 section 4.1.2.5: UTCTime of years 50 to 99 means 19xx).
func (t Time) AppendTo(dst []byte) []byte {
	b := t.Text
	var century [2]byte
	switch {
	case t.Tag == tagUTCTime && len(b) >= 10:
		century = [2]byte{'2', '0'}
		if b[0] >= '5' {
			century = [2]byte{'1', '9'}
		}
	case t.Tag == tagGeneralizedTime && len(b) >= 12:
		century = [2]byte{b[0], b[1]}
		b = b[2:]
	default:
		return dst
	}
	digits := 0
	for digits < len(b) && digits < 12 && b[digits] >= '0' && b[digits] <= '9' {
		digits++
	}
	if digits < 10 || century[0] < '0' || century[0] > '9' || century[1] < '0' || century[1] > '9' {
		return dst
	}
	sec := [2]byte{'0', '0'}
	if digits == 12 {
		sec = [2]byte{b[10], b[11]}
	}
	return append(dst, century[0], century[1], b[0], b[1], '-', b[2], b[3], '-', b[4], b[5],
		'T', b[6], b[7], ':', b[8], b[9], ':', sec[0], sec[1])
}

func appendIP(dst, b []byte) []byte {
	a, _ := netip.AddrFromSlice(b)
	return a.AppendTo(dst)
}
