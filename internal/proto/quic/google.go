package quic

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/yamori-net/yamori/internal/proto"
)

// maxTags bounds the entries read of a CHLO; Chromium sends about 25.
const maxTags = 128

// GoogleHello is the CHLO message of Google's own handshake, "QUIC Crypto"
// (Langley, Chang 2016). Its slices are copies.
type GoogleHello struct {
	Seen bool
	SNI  []byte
	UA   []byte // user agent, UAID
	// Text lists version and tags, "46,PAD-SNI-…": the CYU fingerprint.
	Text []byte

	hash [32]byte
	buf  []byte
}

func (g *GoogleHello) reset() {
	*g = GoogleHello{buf: proto.Keep(g.buf, maxKept), Text: proto.Keep(g.Text, maxKept)}
}

// Hash returns the MD5 of Text, 32 digits, nil when there was no CHLO.
func (g *GoogleHello) Hash() []byte {
	if !g.Seen {
		return nil
	}
	sum := md5.Sum(g.Text)
	return hex.AppendEncode(g.hash[:0], sum[:])
}

// chlo reads a CHLO message: tag, number of entries, two bytes of padding,
// entries of tag and end offset, all little-endian, then the values. It
// returns false when b is not one or is cut before its index ends.
func (g *GoogleHello) chlo(version uint32, b []byte) bool {
	if len(b) < 8 || string(b[:4]) != "CHLO" {
		return false
	}
	n := int(binary.LittleEndian.Uint16(b[4:]))
	if n > maxTags || len(b) < 8+8*n {
		return false
	}
	g.Seen = true
	g.Text = strconv.AppendUint(g.Text[:0], uint64(byte(version>>8)-'0')*10+uint64(byte(version)-'0'), 10)
	g.buf = append(g.buf[:0], b[8+8*n:]...)
	start := uint32(0)
	for i := range n {
		e := b[8+8*i:]
		sep := byte('-')
		if i == 0 {
			sep = ','
		}
		g.Text = append(g.Text, sep)
		g.Text = append(g.Text, bytes.TrimRight(e[:4], "\x00")...)
		end := binary.LittleEndian.Uint32(e[4:])
		if end < start || uint64(end) > uint64(len(g.buf)) {
			break
		}
		switch v := g.buf[start:end:end]; string(e[:4]) {
		case "SNI\x00":
			g.SNI = v
		case "UAID":
			g.UA = v
		}
		start = end
	}
	return true
}

// publicHeader reads Google's header of Q043 and before: flags, connection id,
// version, packet number. Only packets of the client that carry a version are
// of interest. It returns the version and the offset behind the header, 0 if b
// is nothing of the kind.
func publicHeader(b []byte) (version uint32, n int) {
	// Bit 0: version present; bit 1: public reset; bit 3: 8-byte connection
	// id; bits 4 and 5: length of the packet number; 6 and 7 must be zero.
	if len(b) < 14 || b[0]&0xc3 != 0x01 || b[0]&0x08 == 0 {
		return 0, 0
	}
	version = binary.BigEndian.Uint32(b[9:])
	if !isGoogle(version) || longGoogle(version) {
		return 0, 0
	}
	n = 13 + [4]int{1, 2, 4, 6}[b[0]>>4&3]
	if n > len(b) {
		return 0, 0
	}
	return version, n
}

// longQ046 reads the long header of Q044 to Q046, whose connection ids have
// their lengths in one byte. It returns the offset behind it, or 0.
func longQ046(b []byte) int {
	if len(b) < 6 {
		return 0
	}
	n := 6
	for _, nib := range [2]byte{b[5] >> 4, b[5] & 15} {
		if nib != 0 {
			n += int(nib) + 3
		}
	}
	n += int(b[0]&3) + 1 // packet number
	if n > len(b) {
		return 0
	}
	return n
}

// hashLength is what stands before the frames of an unencrypted packet: half
// of a 128-bit FNV-1a and four bytes.
const hashLength = 12

// nullFrames looks for a CHLO in the frames of an unencrypted packet: it
// stands at offset 0 of stream 1 (QUIC Wire Layout, "STREAM frame": 1fdooossB).
func (g *GoogleHello) nullFrames(version uint32, b []byte) bool {
	if len(b) < hashLength {
		return false
	}
	b = b[hashLength:]
	for len(b) > 0 {
		t := b[0]
		if t == framePadding {
			b = b[1:]
			continue
		}
		if t&0x80 == 0 {
			return false
		}
		n := 1 + int(t&3) + 1
		if o := int(t >> 2 & 7); o > 0 {
			n += o + 1
		}
		size := -1
		if t&0x20 != 0 {
			if len(b) < n+2 {
				return false
			}
			size = int(binary.BigEndian.Uint16(b[n:]))
			n += 2
		}
		if n > len(b) {
			return false
		}
		data := b[n:]
		if size >= 0 && size < len(data) {
			data = data[:size]
		}
		if g.chlo(version, data) {
			return true
		}
		b = b[n+len(data):]
	}
	return false
}
