package smb

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// part returns b[off:off+n] as far as it is there, or nil when off is beyond b.
func part(b []byte, off, n int) []byte {
	if off < 0 || n < 0 || off > len(b) {
		return nil
	}
	return b[off:min(len(b), off+min(n, len(b)))]
}

// utf16 keeps UTF-16LE text as UTF-8, up to a NUL and to maxText.
func (t *Tx) utf16(b []byte) []byte {
	start := len(t.buf)
	for len(b) >= 2 && len(t.buf)-start < maxText-utf8.UTFMax {
		r := rune(le16(b))
		b = b[2:]
		if r == 0 {
			break
		}
		if utf16.IsSurrogate(r) {
			var low rune
			if len(b) >= 2 {
				low = rune(le16(b))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				b = b[2:]
			}
		}
		t.buf = utf8.AppendRune(t.buf, r)
	}
	return t.buf[start:len(t.buf):len(t.buf)]
}

// oem keeps text in an 8-bit character set as it is, up to a NUL and to
// maxText.
func (t *Tx) oem(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	start := len(t.buf)
	t.buf = append(t.buf, b[:min(len(b), maxText)]...)
	return t.buf[start:len(t.buf):len(t.buf)]
}

// text keeps b, whose encoding the message's flags tell.
func (t *Tx) text(unicode bool, b []byte) []byte {
	if unicode {
		return t.utf16(b)
	}
	return t.oem(b)
}

// cutText splits the NUL-terminated string off b, which begins at offset off
// of the message: Unicode strings are aligned to two bytes ([MS-CIFS] 2.2.1.1).
// The last string may lack its NUL.
func cutText(unicode bool, b []byte, off int) (s, rest []byte, next int) {
	if !unicode {
		if i := bytes.IndexByte(b, 0); i >= 0 {
			return b[:i], b[i+1:], off + i + 1
		}
		return b, nil, off + len(b)
	}
	if off&1 != 0 && len(b) > 0 {
		b, off = b[1:], off+1
	}
	for i := 0; i+1 < len(b); i += 2 {
		if b[i]|b[i+1] == 0 {
			return b[:i], b[i+2:], off + i + 2
		}
	}
	return b, nil, off + len(b)
}
