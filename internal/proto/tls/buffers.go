package tls

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Buffers lists what rules may inspect of TLS and DTLS. What both sides can
// send stands once for each direction.
var Buffers = []proto.Buffer{
	{Name: "tls.sni", Doc: "server name the client asks for", Dir: packet.ToServer, Get: hello(func(t *Tx) []byte { return t.Hello.SNI })},
	{Name: "tls.alpn", Doc: "application protocols the client offers", Dir: packet.ToServer, Get: getClientALPN},
	{Name: "tls.alpn", Doc: "application protocol the server chose", Dir: packet.ToClient, Get: server(func(t *Tx) []byte { return t.Server.ALPN })},
	{Name: "tls.version", Doc: "version as text: \"TLS 1.2\"", Dir: packet.ToServer, Get: getVersion},
	{Name: "tls.version", Doc: "version as text: \"TLS 1.2\"", Dir: packet.ToClient, Get: getVersion},
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

func getVersion(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*Tx)
	if !ok || i != 0 {
		return nil, false
	}
	name := VersionName(t.Version())
	if name == "" {
		return nil, false
	}
	t.version = append(t.version[:0], name...)
	return t.version, true
}

func head(random []byte) []byte { return random[:min(4, len(random))] }

func tail(random []byte) []byte { return random[min(4, len(random)):] }
