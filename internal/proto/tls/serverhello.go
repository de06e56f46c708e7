package tls

import "bytes"

// ServerHello is one parsed ServerHello or HelloRetryRequest. Its slices point
// into the message it was read from.
type ServerHello struct {
	Version     uint16 // legacy_version of the message
	Selected    uint16 // version of the session: supported_versions if there, else Version
	Random      []byte // 32 bytes
	SessionID   []byte
	Cipher      uint16
	Compression uint8
	Extensions  []byte // the whole block, without its length: see ExtIter
	ALPN        []byte // protocol chosen (up to TLS 1.2; later it is encrypted)
	Group       uint16 // of the key share; 0: none
	PSK         bool   // a pre-shared key was accepted: resumption in TLS 1.3
	Ticket      bool   // announces a new session ticket
	Retry       bool   // is a HelloRetryRequest, RFC 8446 section 4.1.3
	Malformed   bool   // the extensions contradict themselves
}

// retryRandom marks a HelloRetryRequest: SHA-256 of "HelloRetryRequest",
// RFC 8446 section 4.1.3.
var retryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// ParseServerHello reads the body of a ServerHello message (without its
// handshake header), RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3, and the
// shorter form of TLS 1.3 drafts 18 to 21, which had no session id and no
// compression. It overwrites sh, which then points into body.
func ParseServerHello(body []byte, sh *ServerHello) error {
	*sh = ServerHello{}
	r := reader{b: body}
	sh.Version = uint16(r.u16())
	sh.Selected = sh.Version
	sh.Random = r.take(32)
	if sh.Version&0xff00 == draft13 && sh.Version < draft13|22 {
		sh.Cipher = uint16(r.u16())
	} else {
		sh.SessionID = r.vec8()
		sh.Cipher = uint16(r.u16())
		sh.Compression = uint8(r.u8())
	}
	if r.bad || len(sh.SessionID) > 32 {
		return ErrHello
	}
	sh.Retry = bytes.Equal(sh.Random, retryRandom)
	if len(r.b) == 0 {
		return nil
	}
	n := r.u16()
	if n > len(r.b) || r.bad {
		sh.Malformed = true
		n = len(r.b)
	}
	sh.Extensions = r.b[:n:n]
	it := ExtIter{B: sh.Extensions}
	for i := 0; i < MaxExtensions && it.Next(); i++ {
		x := reader{b: it.Data}
		switch it.Type {
		case ExtSupportedVersions:
			if v := x.u16(); !x.bad {
				sh.Selected = uint16(v)
			}
		case ExtALPN:
			list := reader{b: x.vec16()}
			sh.ALPN = list.vec8()
			x.bad = x.bad || list.bad
		case ExtKeyShare:
			sh.Group = uint16(x.u16())
		case ExtPreSharedKey:
			sh.PSK = true
		case ExtSessionTicket:
			sh.Ticket = true
		}
		sh.Malformed = sh.Malformed || x.bad
	}
	if it.Short {
		sh.Malformed = true
	}
	sh.Extensions = sh.Extensions[:len(sh.Extensions)-len(it.B)]
	return nil
}
