package dtls

import "encoding/binary"

// Record types, RFC 6347 section 4.1, and the header of records that are
// encrypted in DTLS 1.3, RFC 9147 section 4.
const (
	recChangeCipher = 20
	recAlert        = 21
	recHandshake    = 22
	recData         = 23
	recACK          = 26 // RFC 9147 section 7
	recCID          = 25 // with a connection id, RFC 9146
	unifiedMask     = 0xe0
	unifiedBits     = 0x20
)

const (
	recordHeader  = 13
	messageHeader = 12
	// maxRecord is the longest record body, as in TLS.
	maxRecord = 1<<14 + 2048
)

// record is one record of a datagram.
type record struct {
	typ   byte
	epoch uint16 // 0: in the clear
	body  []byte
	size  int // of the record with its header
}

// parseRecord reads the record at the front of b. It returns false when b does
// not start with one that is readable: the datagram's rest is then of no use.
func parseRecord(b []byte, r *record) bool {
	if len(b) < recordHeader || b[0] < recChangeCipher || b[0] > recACK || !version(b[1], b[2]) {
		return false
	}
	n := int(binary.BigEndian.Uint16(b[11:]))
	if n > maxRecord || n > len(b)-recordHeader || b[0] == recCID {
		return false
	}
	*r = record{
		typ:   b[0],
		epoch: binary.BigEndian.Uint16(b[3:]),
		body:  b[recordHeader : recordHeader+n],
		size:  recordHeader + n,
	}
	return true
}

// version reports whether the bytes are a version of DTLS: feff, fefd, fefc,
// or 0100 of OpenSSL before 0.9.8f.
func version(hi, lo byte) bool {
	return hi == 0xfe && (lo == 0xff || lo == 0xfd || lo == 0xfc) || hi == 1 && lo == 0
}

// message is one fragment of a handshake message, RFC 6347 section 4.2.2.
type message struct {
	typ    byte
	length int // of the whole message
	seq    uint16
	off    int // of this fragment
	body   []byte
	size   int // of the fragment with its header
}

// parseMessage reads the fragment at the front of b.
func parseMessage(b []byte, m *message) bool {
	if len(b) < messageHeader {
		return false
	}
	n := u24(b[9:])
	*m = message{typ: b[0], length: u24(b[1:]), seq: binary.BigEndian.Uint16(b[4:]), off: u24(b[6:])}
	if n > len(b)-messageHeader || m.off+n > m.length {
		return false
	}
	m.body = b[messageHeader : messageHeader+n]
	m.size = messageHeader + n
	return true
}

func u24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
