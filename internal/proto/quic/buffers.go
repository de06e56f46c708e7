package quic

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

var buffers = []proto.Buffer{
	{Name: "quic.version", Doc: "version as sent, four bytes: |00 00 00 01|, \"Q046\"", Dir: packet.ToServer, Get: one((*Tx).wireVersion)},
	{Name: "quic.version", Doc: "the same, once the server has answered with a hello", Dir: packet.ToClient, Get: one(func(t *Tx) []byte {
		if !t.HasSH {
			return nil
		}
		return t.wireVersion()
	})},
	{Name: "quic.sni", Doc: "server name the client asks for", Dir: packet.ToServer, Get: one((*Tx).SNI)},
	{Name: "quic.ua", Doc: "user agent (Google's versions only)", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Google.UA })},
	{Name: "quic.cyu.hash", Doc: "MD5 of the CYU text (Google's versions only)", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Google.Hash() })},
	{Name: "quic.cyu.string", Doc: "CYU text: version and tags of the CHLO", Dir: packet.ToServer, Get: one(func(t *Tx) []byte { return t.Google.Text })},
	{Name: "ja3.hash", Doc: "MD5 of the JA3 text", Dir: packet.ToServer, Get: one(func(t *Tx) []byte {
		if !t.HasHello {
			return nil
		}
		return t.JA3Hash(&t.Hello)
	})},
	{Name: "ja3.string", Doc: "JA3 text", Dir: packet.ToServer, Get: one(func(t *Tx) []byte {
		if !t.HasHello {
			return nil
		}
		return t.JA3(&t.Hello)
	})},
	{Name: "ja3s.hash", Doc: "MD5 of the JA3S text", Dir: packet.ToClient, Get: one(func(t *Tx) []byte {
		if !t.HasSH {
			return nil
		}
		return t.JA3SHash(&t.Server)
	})},
	{Name: "ja3s.string", Doc: "JA3S text", Dir: packet.ToClient, Get: one(func(t *Tx) []byte {
		if !t.HasSH {
			return nil
		}
		return t.JA3S(&t.Server)
	})},
	{Name: "ja4.hash", Doc: "JA4 of the client", Dir: packet.ToServer, Get: one(func(t *Tx) []byte {
		if !t.HasHello {
			return nil
		}
		return t.JA4(&t.Hello, tls.OverQUIC)
	})},
	{Name: "tls.alpn", Doc: "application protocols the client offers", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok {
			return nil, false
		}
		return tls.ALPNAt(t.Hello.ALPN, i)
	}},
}

// one makes the getter of a single value; nil means that there is none.
func one(f func(*Tx) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		b := f(t)
		return b, len(b) > 0
	}
}
