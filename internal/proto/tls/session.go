package tls

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Handshake message types, RFC 8446 section 4 and the older registry.
const (
	msgHelloRequest       = 0
	MsgClientHello        = 1
	MsgServerHello        = 2
	MsgHelloVerifyRequest = 3
	msgNewSessionTicket   = 4
	msgHelloRetry         = 6 // TLS 1.3 up to draft 21
	MsgCertificate        = 11
	msgServerKeyExchange  = 12
	msgServerHelloDone    = 14
	msgClientKeyExchange  = 16
	msgNextProtocol       = 67
)

// MaxHandshake bounds one handshake message, in bytes without its header. The
// largest seen in practice are certificate chains of about 20 kB. A longer one
// is the anomaly "handshake_too_long" and is skipped, not kept.
const MaxHandshake = 64 << 10

// maxKeptMessage bounds the memory of one buffer that Reset keeps: a ClientHello
// with post-quantum keys fits.
const maxKeptMessage = 4 << 10

// Wanted reports whether Session.Message looks into messages of this type:
// others need not be put together.
func Wanted(typ byte) bool {
	return typ == MsgClientHello || typ == MsgServerHello || typ == MsgCertificate
}

// known reports whether typ is a handshake message that travels in the clear.
func known(typ byte) bool {
	switch {
	case typ <= msgHelloRetry, typ == 8, typ >= MsgCertificate && typ <= 16, typ >= 20 && typ <= 25, typ == msgNextProtocol:
		return true
	}
	return false
}

// Session follows one handshake, message by message, whatever carried them,
// and emits its transaction.
type Session struct {
	Tx Tx

	hello, server []byte // copies of the hellos that Tx points into
	flip          bool   // the peers' roles are not those of the flow
	secure        [2]bool
	noResume      bool // the server sent its part of a full handshake, or some of it is lost
	again         bool // a retry was asked for: the next ServerHello counts
	done          bool
}

// Reset prepares s for another handshake; over is the transport as in JA4.
func (s *Session) Reset(over byte) {
	s.Tx.reset(over)
	s.hello, s.server = proto.Keep(s.hello, maxKeptMessage), proto.Keep(s.server, maxKeptMessage)
	s.flip, s.noResume, s.again, s.done = false, false, false, false
	s.secure = [2]bool{}
}

// role returns which side of the handshake speaks in direction d.
func (s *Session) role(d packet.Dir) packet.Dir {
	if s.flip {
		return d.Reverse()
	}
	return d
}

// spoke reports whether the sender of direction d has sent its hello.
func (s *Session) spoke(d packet.Dir) bool {
	if s.role(d) == packet.ToClient {
		return s.Tx.HasSH
	}
	return s.Tx.HasHello
}

// Message takes one whole handshake message, without its header. It copies
// what it keeps.
func (s *Session) Message(c *proto.Conn, d packet.Dir, typ byte, body []byte) {
	if s.done {
		return
	}
	switch typ {
	case MsgClientHello:
		s.clientHello(c, d, body)
	case MsgServerHello:
		s.serverHello(c, d, body)
	case MsgHelloVerifyRequest, msgHelloRetry:
		s.Tx.Retried = true
	case MsgCertificate:
		ch := &s.Tx.Certs[s.role(d)]
		if ch.Seen {
			return
		}
		ch.read(body)
		if ch.Bad {
			c.Anomaly("malformed_certificate")
		}
		if ch.Dropped {
			c.Anomaly("too_many_certificates")
		}
		c.Emit(&s.Tx, false)
	case msgServerKeyExchange:
		s.noResume, s.Tx.KeyExchange[packet.ToClient] = true, true
	case msgServerHelloDone:
		s.noResume = true
	case msgClientKeyExchange:
		s.Tx.KeyExchange[packet.ToServer] = true
	}
}

func (s *Session) clientHello(c *proto.Conn, d packet.Dir, body []byte) {
	t := &s.Tx
	if t.HasHello {
		// A second one answers a HelloRetryRequest or HelloVerifyRequest, or
		// is a datagram sent again. The first has what was first offered.
		if !t.Retried && t.Over == OverTCP {
			c.Anomaly("client_hello_repeated")
		}
		return
	}
	if !t.HasSH {
		s.flip = d == packet.ToClient
	}
	s.hello = append(s.hello[:0], body...)
	if ParseClientHello(s.hello, &t.Hello) != nil {
		c.Anomaly("malformed_client_hello")
		return
	}
	if t.Hello.Malformed {
		c.Anomaly("malformed_extension")
	}
	if t.Hello.TooMany {
		c.Anomaly("too_many_extensions")
	}
	if t.Hello.LongList {
		c.Anomaly("list_too_long")
	}
	t.HasHello = true
	c.Emit(t, false)
}

func (s *Session) serverHello(c *proto.Conn, d packet.Dir, body []byte) {
	t := &s.Tx
	if t.HasSH {
		if t.Over == OverTCP {
			c.Anomaly("server_hello_repeated")
		}
		return
	}
	if !t.HasHello {
		s.flip = d == packet.ToServer
	}
	s.server = append(s.server[:0], body...)
	if ParseServerHello(s.server, &t.Server) != nil {
		c.Anomaly("malformed_server_hello")
		return
	}
	if t.Server.Malformed {
		c.Anomaly("malformed_extension")
	}
	if t.Server.Retry {
		// Both sides may already have sent the ChangeCipherSpec that TLS 1.3
		// keeps for appearance (RFC 8446 appendix D.4); hellos still follow.
		t.Retried, s.again = true, true
		t.Server = ServerHello{}
		return
	}
	s.again = false
	t.HasSH = true
	if is13(t.Server.Selected) {
		t.Resumed = t.Server.PSK
	}
	c.Emit(t, false)
}

// Secure says that direction d is encrypted from here on. It reports whether
// that is believed: while a second hello is due it is not.
func (s *Session) Secure(c *proto.Conn, d packet.Dir) bool {
	if s.again {
		return false
	}
	t := &s.Tx
	if s.role(d) == packet.ToClient && t.HasSH && !is13(t.Server.Selected) &&
		!s.noResume && !t.Certs[packet.ToClient].Seen && t.offered() {
		t.Resumed = true // RFC 5246 section 7.3, figure 2: ServerHello, ChangeCipherSpec
	}
	s.secure[d] = true
	if s.secure[0] && s.secure[1] {
		s.End(c)
		c.Finish()
	}
	return true
}

// offered reports whether the client asked for an earlier session, by its
// number, which the server then repeats, or by a ticket. Without the client's
// side the server's word has to do.
func (t *Tx) offered() bool {
	if !t.HasHello {
		return true
	}
	return len(t.Hello.Ticket) > 0 || len(t.Hello.SessionID) > 0 && bytes.Equal(t.Hello.SessionID, t.Server.SessionID)
}

// Lost says that part of direction d was not seen, so that nothing may be
// concluded from what is missing.
func (s *Session) Lost() { s.noResume = true }

// Alert takes an alert that came in the clear. A fatal one ends the handshake.
func (s *Session) Alert(c *proto.Conn, d packet.Dir, level, description uint8) {
	a := &s.Tx.Alert[s.role(d)]
	if a.Level == 0 {
		*a = Alert{Level: level, Description: description}
	}
	if level == 2 && !s.done {
		s.End(c)
		c.Finish()
	}
}

// End emits the transaction as complete, once, if it holds anything.
func (s *Session) End(c *proto.Conn) {
	if s.done {
		return
	}
	s.done = true
	if !s.Tx.empty() {
		c.Emit(&s.Tx, true)
	}
}

// Done reports whether the transaction was emitted as complete.
func (s *Session) Done() bool { return s.done }
