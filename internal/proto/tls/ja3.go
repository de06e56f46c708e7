package tls

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// AppendJA3 appends the JA3 text of a ClientHello: version, ciphers,
// extensions, groups and point formats in decimal, in the client's order,
// GREASE left out (https://github.com/salesforce/ja3).
func AppendJA3(dst []byte, ch *ClientHello) []byte {
	dst = strconv.AppendUint(dst, uint64(ch.Version), 10)
	dst = append(dst, ',')
	dst = appendList(dst, ch.Ciphers)
	dst = append(dst, ',')
	dst = appendExtTypes(dst, ch.Extensions)
	dst = append(dst, ',')
	dst = appendList(dst, ch.Groups)
	dst = append(dst, ',')
	for i, f := range ch.PointFormats {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = strconv.AppendUint(dst, uint64(f), 10)
	}
	return dst
}

// AppendJA3S appends the JA3S text of a ServerHello: version, cipher and
// extensions in decimal.
func AppendJA3S(dst []byte, sh *ServerHello) []byte {
	dst = strconv.AppendUint(dst, uint64(sh.Version), 10)
	dst = append(dst, ',')
	dst = strconv.AppendUint(dst, uint64(sh.Cipher), 10)
	dst = append(dst, ',')
	return appendExtTypes(dst, sh.Extensions)
}

func appendList(dst, list []byte) []byte {
	first := true
	for ; len(list) >= 2; list = list[2:] {
		dst, first = appendValue(dst, binary.BigEndian.Uint16(list), first)
	}
	return dst
}

func appendExtTypes(dst, block []byte) []byte {
	first := true
	for it := (ExtIter{B: block}); it.Next(); {
		dst, first = appendValue(dst, it.Type, first)
	}
	return dst
}

func appendValue(dst []byte, v uint16, first bool) ([]byte, bool) {
	if IsGREASE(v) {
		return dst, first
	}
	if !first {
		dst = append(dst, '-')
	}
	return strconv.AppendUint(dst, uint64(v), 10), false
}

// appendMD5 appends the lower-case hexadecimal MD5 of text.
func appendMD5(dst, text []byte) []byte {
	sum := md5.Sum(text)
	return hex.AppendEncode(dst, sum[:])
}
