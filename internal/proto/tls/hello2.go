package tls

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxHello2 bounds an SSLv2-compatible ClientHello, in bytes after its
// two-byte length. Those of old Windows and OpenSSL have 60 to 200.
const maxHello2 = 1024

// hello2 reads an SSLv2 message at the start of a stream: the ClientHello in
// the old form that clients sent to be understood by old servers (RFC 5246
// appendix E.2), or an SSLv2 server's answer to one. It returns how many bytes
// it took, 0 if there are not enough yet.
func (p *parser) hello2(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	if len(b) < 3 {
		return 0, nil
	}
	n := int(b[0]&0x7f)<<8 | int(b[1])
	t := &p.session.Tx
	if b[2] == 4 && t.HasHello { // SSLv2 SERVER-HELLO
		t.Server = ServerHello{Version: VersionSSL2, Selected: VersionSSL2}
		t.HasSH = true
		c.Emit(t, false)
		p.session.End(c)
		c.Finish()
		return len(b), nil
	}
	if b[2] != 1 || n > maxHello2 {
		return 0, errRecord
	}
	if len(b) < 2+n {
		return 0, nil
	}
	p.dir[d].started = true
	if !p.session.clientHello2(c, d, b[2:2+n]) {
		return 0, errRecord
	}
	return 2 + n, nil
}

// clientHello2 takes the body of an SSLv2 ClientHello. It reports whether the
// body's lengths agree with one another.
func (s *Session) clientHello2(c *proto.Conn, d packet.Dir, b []byte) bool {
	specs, sid, challenge, ok := hello2Lengths(b)
	if !ok || 9+specs+sid+challenge != len(b) {
		return false
	}
	t := &s.Tx
	if t.HasHello {
		return true
	}
	s.flip = d == packet.ToClient
	s.hello = append(s.hello[:0], b[9:]...)
	for i := 0; i+2 < specs; i += 3 {
		// Suites of SSL 3.0 and later start with a zero byte; the others are
		// SSLv2's own kinds and have no number in the later registry.
		if s.hello[i] == 0 {
			s.hello = append(s.hello, s.hello[i+1], s.hello[i+2])
		}
	}
	h := s.hello
	t.Hello = ClientHello{
		Version:   binary.BigEndian.Uint16(b[1:]),
		SSL2:      true,
		SessionID: h[specs : specs+sid],
		Random:    h[specs+sid : specs+sid+challenge],
		Ciphers:   h[specs+sid+challenge:],
	}
	t.HasHello = true
	c.Emit(t, false)
	return true
}

// hello2Lengths reads the three lengths of an SSLv2 ClientHello and reports
// whether they are possible.
func hello2Lengths(b []byte) (specs, sid, challenge int, ok bool) {
	if len(b) < 9 {
		return 0, 0, 0, false
	}
	v := binary.BigEndian.Uint16(b[1:])
	specs = int(binary.BigEndian.Uint16(b[3:]))
	sid = int(binary.BigEndian.Uint16(b[5:]))
	challenge = int(binary.BigEndian.Uint16(b[7:]))
	ok = (v == VersionSSL2 || v>>8 == 3 && v&0xff <= 4) && specs > 0 && specs%3 == 0 &&
		(sid == 0 || sid == 16 || sid == 32) && challenge >= 16 && challenge <= 32
	return specs, sid, challenge, ok
}
