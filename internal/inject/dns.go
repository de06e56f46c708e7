package inject

import "encoding/binary"

// Rcode is a DNS response code, RFC 1035 section 4.1.1.
type Rcode uint8

// Codes that refuse a name.
const (
	NXDomain Rcode = 3
	Refused  Rcode = 5
)

// DNSRefusal appends the answer that refuses query: its header and question
// with the code, nothing else. Nil for what is no query with one question.
func DNSRefusal(dst, query []byte, code Rcode) []byte {
	if len(query) < 12 || query[2]&0x80 != 0 || binary.BigEndian.Uint16(query[4:]) != 1 {
		return nil
	}
	at := 12
	for { // the name has no pointers in a question
		if at >= len(query) {
			return nil
		}
		n := int(query[at])
		at++
		if n == 0 {
			break
		}
		if n > 63 || at-12+n > 254 {
			return nil
		}
		at += n
	}
	if at += 4; at > len(query) {
		return nil
	}
	start := len(dst)
	dst = append(dst, query[:at]...)
	b := dst[start:]
	b[2] = 0x80 | b[2]&0x79                   // an answer; operation and "recursion desired" as asked
	b[3] = 0x80 | b[3]&0x10 | byte(code)&0x0f // recursion available; "checking disabled" as asked
	clear(b[6:12])
	return b
}
