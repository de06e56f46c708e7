package tls

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// Transports of JA4: its first character.
const (
	OverTCP  byte = 't'
	OverQUIC byte = 'q'
	OverDTLS byte = 'd'
)

// ja4Length is the length of every JA4: ten characters, and two hashes of
// twelve after an underscore each.
const ja4Length = 10 + 1 + 12 + 1 + 12

// ja4Scratch is the memory JA4 works in, kept between calls.
type ja4Scratch struct {
	list []uint16
	text []byte
}

// appendJA4 appends the JA4 of a ClientHello, after the TLS client part of
// FoxIO's specification (https://github.com/FoxIO-LLC/ja4,
// technical_details/JA4.md): transport, highest version offered, server name,
// number of ciphers and of extensions, first and last character of the first
// ALPN name; SHA-256 over the sorted ciphers; SHA-256 over the sorted
// extensions without server name and ALPN, followed by the signature
// algorithms in the client's order. GREASE is left out everywhere.
func (s *ja4Scratch) appendJA4(dst []byte, ch *ClientHello, transport byte) []byte {
	dst = append(dst, transport)
	dst = append(dst, ja4Version(ch.MaxVersion())...)
	if ch.HasSNI {
		dst = append(dst, 'd')
	} else {
		dst = append(dst, 'i')
	}

	s.list = s.list[:0]
	for b := ch.Ciphers; len(b) >= 2; b = b[2:] {
		if v := binary.BigEndian.Uint16(b); !IsGREASE(v) {
			s.list = append(s.list, v)
		}
	}
	dst = appendCount(dst, len(s.list))
	slices.Sort(s.list)
	s.text = s.text[:0]
	for _, v := range s.list {
		s.text = appendHex16(s.text, v)
	}

	s.list = s.list[:0]
	n := 0
	for it := (ExtIter{B: ch.Extensions}); it.Next(); {
		if IsGREASE(it.Type) {
			continue
		}
		n++
		if it.Type != ExtServerName && it.Type != ExtALPN {
			s.list = append(s.list, it.Type)
		}
	}
	dst = appendCount(dst, n)
	dst = appendALPNEnds(dst, ch.ALPN)
	dst = append(dst, '_')
	dst = appendSHA12(dst, s.text)
	dst = append(dst, '_')

	slices.Sort(s.list)
	s.text = s.text[:0]
	for _, v := range s.list {
		s.text = appendHex16(s.text, v)
	}
	if len(s.text) > 0 && len(ch.SigAlgs) >= 2 {
		mark := len(s.text)
		for b := ch.SigAlgs; len(b) >= 2; b = b[2:] {
			if v := binary.BigEndian.Uint16(b); !IsGREASE(v) {
				s.text = appendHex16(s.text, v)
			}
		}
		if len(s.text) > mark {
			s.text[mark] = '_' // in the place of the comma
		}
	}
	return appendSHA12(dst, s.text)
}

// appendHex16 appends v as four digits, after a comma unless it is the first.
func appendHex16(dst []byte, v uint16) []byte {
	const digits = "0123456789abcdef"
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return append(dst, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
}

// appendSHA12 appends the first twelve digits of the SHA-256 of text, zeros
// for an empty list.
func appendSHA12(dst, text []byte) []byte {
	if len(text) == 0 {
		return append(dst, "000000000000"...)
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(dst, sum[:6])
}

// appendCount appends two digits, at most 99.
func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

// appendALPNEnds appends the first and the last character of the first ALPN
// name; of its hexadecimal form if either is not alphanumeric.
func appendALPNEnds(dst, list []byte) []byte {
	const digits = "0123456789abcdef"
	v, ok := ALPNAt(list, 0)
	if !ok || len(v) == 0 {
		return append(dst, '0', '0')
	}
	a, z := v[0], v[len(v)-1]
	if alphanumeric(a) && alphanumeric(z) {
		return append(dst, a, z)
	}
	return append(dst, digits[a>>4], digits[z&15])
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func ja4Version(v uint16) string {
	switch v {
	case VersionTLS13:
		return "13"
	case VersionTLS12:
		return "12"
	case VersionTLS11:
		return "11"
	case VersionTLS10:
		return "10"
	case VersionSSL3:
		return "s3"
	case VersionSSL2:
		return "s2"
	case VersionDTLS10:
		return "d1"
	case VersionDTLS12:
		return "d2"
	case VersionDTLS13:
		return "d3"
	}
	return "00"
}
