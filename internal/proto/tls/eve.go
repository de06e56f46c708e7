package tls

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// maxListed bounds the names of one list in an event; buffers for rules hold
// all of them.
const maxListed = 256

// EncodeEVE appends "tls":{…} in the shape of Suricata's EVE.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("tls")
	if t.Resumed {
		e.Bool("session_resumed", true)
	}
	srv := &t.Certs[packet.ToClient]
	encodeChain(e, srv)
	if t.HasHello {
		e.OptBytes("sni", t.Hello.SNI)
	}
	if t.HasSH {
		if name := VersionName(t.Server.Selected); name != "" {
			e.Str("version", name)
		}
	}
	if srv.Seen {
		e.OptBytes("notbefore", srv.NotBefore())
		e.OptBytes("notafter", srv.NotAfter())
	}
	t.encodePrints(e)
	if t.HasHello {
		EncodeALPN(e, "client_alpns", t.Hello.ALPN)
	}
	if t.HasSH && len(t.Server.ALPN) > 0 {
		e.Arr("server_alpns")
		e.Bytes("", t.Server.ALPN)
		e.EndArr()
	}
	encodeSANs(e, srv)
	if cl := &t.Certs[packet.ToServer]; cl.N > 0 {
		e.Obj("client")
		encodeChain(e, cl)
		e.OptBytes("notbefore", cl.NotBefore())
		e.OptBytes("notafter", cl.NotAfter())
		encodeSANs(e, cl)
		e.EndObj()
	}
	e.EndObj()
}

func (t *Tx) encodePrints(e *event.Encoder) {
	if t.HasHello {
		t.EncodeClient(e, &t.Hello, t.Over)
	}
	if t.HasSH && t.Server.Version != VersionSSL2 {
		e.Obj("ja3s")
		e.Bytes("hash", t.JA3SHash(&t.Server))
		e.Bytes("string", t.JA3S(&t.Server))
		e.EndObj()
	}
}

// EncodeClient appends the members ja3 and ja4 of a ClientHello.
func (p *Prints) EncodeClient(e *event.Encoder, ch *ClientHello, over byte) {
	e.Obj("ja3")
	e.Bytes("hash", p.JA3Hash(ch))
	e.Bytes("string", p.JA3(ch))
	e.EndObj()
	e.Bytes("ja4", p.JA4(ch, over))
}

// EncodeALPN appends a list of protocol names as an array, left out when empty.
func EncodeALPN(e *event.Encoder, key string, list []byte) {
	r := reader{b: list}
	for i := 0; len(r.b) > 0 && i < maxListed; i++ {
		v := r.vec8()
		if i == 0 {
			e.Arr(key)
		}
		e.Bytes("", v)
	}
	if len(list) > 0 {
		e.EndArr()
	}
}

func encodeChain(e *event.Encoder, c *Chain) {
	e.OptBytes("subject", c.Subject())
	e.OptBytes("issuerdn", c.Issuer())
	e.OptBytes("serial", c.Serial())
	e.OptBytes("fingerprint", c.Fingerprint())
}

func encodeSANs(e *event.Encoder, c *Chain) {
	for i := 0; i < maxListed; i++ {
		v, ok := c.SAN(i)
		if !ok {
			if i > 0 {
				e.EndArr()
			}
			return
		}
		if i == 0 {
			e.Arr("subjectaltname")
		}
		e.Bytes("", v)
	}
	e.EndArr()
}
