package tls

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Buffers lists what rules may inspect of TLS and DTLS. What both sides can
// send stands once for each direction.
var Buffers = []proto.Buffer{
	{Name: "tls.sni", Doc: "server name the client asks for", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.Hello.SNI })},
	{Name: "tls.alpn", Doc: "application protocols the client offers", Dir: packet.ToServer, Get: getClientALPN},
	{Name: "tls.alpn", Doc: "application protocol the server chose", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return t.Server.ALPN })},
	{Name: "tls.version", Doc: "highest version the client offers, as text: \"TLS 1.2\"", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.versionText(t.Hello.MaxVersion()) })},
	{Name: "tls.version", Doc: "version the server chose, as text", Dir: packet.ToClient, Get: serverVersion},
	{Name: "tls.state", Doc: "one byte: bits of the client's messages that were seen", Dir: packet.ToServer, Get: state(packet.ToServer)},
	{Name: "tls.state", Doc: "one byte: bits of the server's messages that were seen", Dir: packet.ToClient, Get: state(packet.ToClient)},
	{Name: "tls.cert_validity", Doc: "start and end of the server's certificate, \"2006-01-02T15:04:05\" each", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).Validity)},
	{Name: "tls.cert_notbefore", Doc: "start of the server's certificate, \"2006-01-02T15:04:05\"", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).NotBefore)},
	{Name: "tls.cert_notafter", Doc: "end of the server's certificate", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).NotAfter)},
	{Name: "tls.cert_chain_len", Doc: "number of the server's certificates, decimal", Dir: packet.ToClient, Get: chainLen(packet.ToClient)},
	{Name: "tls.random", Doc: "32 bytes of the client's random", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.Hello.Random })},
	{Name: "tls.random", Doc: "32 bytes of the server's random", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return t.Server.Random })},
	{Name: "tls.random_time", Doc: "first 4 bytes of the client's random", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return head(t.Hello.Random) })},
	{Name: "tls.random_time", Doc: "first 4 bytes of the server's random", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return head(t.Server.Random) })},
	{Name: "tls.random_bytes", Doc: "last 28 bytes of the client's random", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return tail(t.Hello.Random) })},
	{Name: "tls.random_bytes", Doc: "last 28 bytes of the server's random", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return tail(t.Server.Random) })},
	{Name: "tls.cert_subject", Doc: "subject of the server's certificate", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).Subject)},
	{Name: "tls.cert_subject", Doc: "subject of the client's certificate", Dir: packet.ToServer, Get: chain(packet.ToServer, (*Chain).Subject)},
	{Name: "tls.cert_issuer", Doc: "issuer of the server's certificate", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).Issuer)},
	{Name: "tls.cert_issuer", Doc: "issuer of the client's certificate", Dir: packet.ToServer, Get: chain(packet.ToServer, (*Chain).Issuer)},
	{Name: "tls.cert_serial", Doc: "serial number of the server's certificate, \"0A:1B\"", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).Serial)},
	{Name: "tls.cert_serial", Doc: "serial number of the client's certificate", Dir: packet.ToServer, Get: chain(packet.ToServer, (*Chain).Serial)},
	{Name: "tls.cert_fingerprint", Doc: "SHA-1 of the server's certificate, \"0a:1b\"", Dir: packet.ToClient, Get: chain(packet.ToClient, (*Chain).Fingerprint)},
	{Name: "tls.cert_fingerprint", Doc: "SHA-1 of the client's certificate", Dir: packet.ToServer, Get: chain(packet.ToServer, (*Chain).Fingerprint)},
	{Name: "tls.certs", Doc: "each certificate of the server, DER", Dir: packet.ToClient, Get: certs(packet.ToClient)},
	{Name: "tls.certs", Doc: "each certificate of the client, DER", Dir: packet.ToServer, Get: certs(packet.ToServer)},
	{Name: "tls.subjectaltname", Doc: "each alternative name of the server's certificate", Dir: packet.ToClient, Get: getSAN},
	{Name: "ja3.hash", Doc: "MD5 of the JA3 text", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.JA3Hash(&t.Hello) })},
	{Name: "ja3.string", Doc: "JA3 text", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.JA3(&t.Hello) })},
	{Name: "ja3s.hash", Doc: "MD5 of the JA3S text", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return t.JA3SHash(&t.Server) })},
	{Name: "ja3s.string", Doc: "JA3S text", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return t.JA3S(&t.Server) })},
	{Name: "ja4.hash", Doc: "JA4 of the client", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.JA4(&t.Hello, t.Over) })},
}

// hello makes the getter of a single value of the ClientHello.
func hello(f func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || !t.HasHello {
			return nil, false
		}
		b := f(t)
		return b, b != nil
	}
}

// server makes the getter of a single value of the ServerHello.
func server(f func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || !t.HasSH || t.Server.Version == VersionSSL2 {
			return nil, false
		}
		b := f(t)
		return b, b != nil
	}
}

// chain makes the getter of a text of the leaf that d sent.
func chain(d packet.Dir, f func(*Chain) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		b := f(&t.Certs[d])
		return b, b != nil
	}
}

func certs(d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i < 0 || i >= t.Certs[d].N {
			return nil, false
		}
		return t.Certs[d].DER(i), true
	}
}

func getSAN(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*Tx)
	if !ok {
		return nil, false
	}
	return t.Certs[packet.ToClient].SAN(i)
}

func getClientALPN(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*Tx)
	if !ok || !t.HasHello {
		return nil, false
	}
	return ALPNAt(t.Hello.ALPN, i)
}

// versionText is the name of a version, nil when it has none.
func (t *Tx) versionText(v uint16) []byte {
	name := VersionName(v)
	if name == "" {
		return nil
	}
	t.version = append(t.version[:0], name...)
	return t.version
}

func serverVersion(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*Tx)
	if !ok || i != 0 || !t.HasSH {
		return nil, false
	}
	b := t.versionText(t.Server.Selected)
	return b, b != nil
}

// Bits of the buffer tls.state.
const (
	stateClientHello = 1 << iota
	stateClientKey
	stateServerHello
	stateServerKey
)

// states are the values of tls.state.
var states = [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

func state(d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		n := 0
		for _, s := range [...]struct {
			seen bool
			from packet.Dir
			bit  int
		}{{t.HasHello, packet.ToServer, stateClientHello}, {t.KeyExchange[packet.ToServer], packet.ToServer, stateClientKey},
			{t.HasSH, packet.ToClient, stateServerHello}, {t.KeyExchange[packet.ToClient], packet.ToClient, stateServerKey}} {
			if s.seen && s.from == d {
				n |= s.bit
			}
		}
		return states[n : n+1], n > 0
	}
}

func chainLen(d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 || !t.Certs[d].Seen {
			return nil, false
		}
		t.version = strconv.AppendInt(t.version[:0], int64(t.Certs[d].N), 10)
		return t.version, true
	}
}

func head(random []byte) []byte { return random[:min(4, len(random))] }

func tail(random []byte) []byte { return random[min(4, len(random)):] }
