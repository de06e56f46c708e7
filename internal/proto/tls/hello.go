package tls

import (
	"encoding/binary"
	"errors"
)

// MaxExtensions bounds the extensions read of one hello. Browsers send about
// twenty; the registry holds fewer than a hundred.
const MaxExtensions = 256

// MaxList bounds the entries read of one list in a hello: ciphers, groups,
// signature algorithms, versions. The registries hold fewer than 400 of any
// kind; the fingerprints of a list as long as a message can be would take
// milliseconds.
const MaxList = 1024

// ErrHello says that a hello ends before its fixed part is complete.
var ErrHello = errors.New("tls: malformed hello")

// Extension numbers that the parsers look into (IANA TLS ExtensionType).
const (
	ExtServerName        = 0
	ExtGroups            = 10
	ExtPointFormats      = 11
	ExtSignatureAlgs     = 13
	ExtALPN              = 16
	ExtPadding           = 21
	ExtExtendedMaster    = 23
	ExtSessionTicket     = 35
	ExtPreSharedKey      = 41
	ExtEarlyData         = 42
	ExtSupportedVersions = 43
	ExtCookie            = 44
	ExtPSKModes          = 45
	ExtKeyShare          = 51
	ExtQUICParameters    = 57
	ExtQUICParametersOld = 0xffa5 // drafts before RFC 9001
	ExtECH               = 0xfe0d // RFC 9849
	ExtESNI              = 0xffce // draft-ietf-tls-esni-02
)

// ClientHello is one parsed ClientHello of TLS, DTLS or QUIC. Its slices point
// into the message it was read from, so reading one costs no memory.
type ClientHello struct {
	Version     uint16 // legacy_version of the message
	Random      []byte // 32 bytes; of an SSLv2 hello its challenge, 16 to 32 bytes
	SessionID   []byte // at most 32 bytes
	Cookie      []byte // DTLS only
	Ciphers     []byte // cipher suites, two bytes each, in the client's order
	Compression []byte // compression methods, one byte each
	Extensions  []byte // the whole block, without its length: see ExtIter
	NumExt      int    // extensions in the block, GREASE included
	HasExt      bool   // the block is there, even if empty

	SNI          []byte // first host_name, RFC 6066 section 3; nil if none
	HasSNI       bool   // the extension is there, even if empty
	ALPN         []byte // protocol names, each after a length byte, RFC 7301: see ALPNAt
	Groups       []byte // supported groups, two bytes each
	PointFormats []byte // one byte each
	SigAlgs      []byte // signature algorithms, two bytes each
	Versions     []byte // supported_versions, two bytes each
	KeyShares    []byte // key share entries: group, length, key: see KeyShareAt
	Ticket       []byte // session ticket offered, RFC 5077; nil if none
	PSKModes     []byte // one byte each
	QUICParams   []byte // transport parameters, RFC 9000 section 18

	DTLS      bool // read as DTLS: has a cookie
	SSL2      bool // came as an SSLv2 compatible hello
	PSK       bool // offers a pre-shared key
	EarlyData bool // announces 0-RTT data
	ECH       bool // carries an encrypted inner hello, or GREASE for one
	ESNI      bool // carries an encrypted server name of the early drafts
	Padding   int  // bytes of the padding extension
	GREASE    bool // a GREASE value among ciphers or extensions

	// Malformed says that an extension contradicts itself or the block ends
	// within one. Everything readable before that is kept.
	Malformed bool
	// TooMany says that the block holds more than MaxExtensions, LongList that
	// a list has more entries than MaxList. What is beyond is left out.
	TooMany, LongList bool
}

// reader takes fields off the front of b. Once a field is missing, bad stays
// set and every further field is empty, so that callers check once.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8() int {
	if v := r.take(1); v != nil {
		return int(v[0])
	}
	return 0
}

func (r *reader) u16() int {
	if v := r.take(2); v != nil {
		return int(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (r *reader) vec8() []byte  { return r.take(r.u8()) }
func (r *reader) vec16() []byte { return r.take(r.u16()) }

// ParseClientHello reads the body of a ClientHello message (without its
// handshake header), RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2, or of
// DTLS (RFC 6347 section 4.2.1: a cookie after the session id), told apart by
// the version. It overwrites ch, which then points into body. Only a message
// that ends before its compression methods is an error.
func ParseClientHello(body []byte, ch *ClientHello) error {
	*ch = ClientHello{}
	r := reader{b: body}
	ch.Version = uint16(r.u16())
	ch.DTLS = ch.Version>>8 == 0xfe || ch.Version == VersionDTLS0
	ch.Random = r.take(32)
	ch.SessionID = r.vec8()
	if ch.DTLS {
		ch.Cookie = r.vec8()
	}
	ch.Ciphers = r.vec16()
	ch.Compression = r.vec8()
	if r.bad || len(ch.SessionID) > 32 {
		return ErrHello
	}
	if len(ch.Ciphers)%2 != 0 {
		ch.Malformed = true
	}
	ch.Ciphers = ch.list(ch.Ciphers)
	for i := 0; i+1 < len(ch.Ciphers); i += 2 {
		if IsGREASE(binary.BigEndian.Uint16(ch.Ciphers[i:])) {
			ch.GREASE = true
			break
		}
	}
	if len(r.b) == 0 { // no extensions at all: legal before TLS 1.3
		return nil
	}
	ch.HasExt = true
	n := r.u16()
	if n > len(r.b) || r.bad {
		ch.Malformed = true
		n = len(r.b)
	}
	ch.Extensions = r.b[:n:n]
	ch.readExtensions()
	return nil
}

// ExtIter walks an extension block: call Next until it returns false.
type ExtIter struct {
	B     []byte // the block, then what is left of it
	Type  uint16
	Data  []byte
	Short bool // the block ended within an extension
}

// Next moves to the next extension.
func (it *ExtIter) Next() bool {
	if len(it.B) < 4 {
		it.Short = len(it.B) > 0
		return false
	}
	n := int(binary.BigEndian.Uint16(it.B[2:]))
	if 4+n > len(it.B) {
		it.Short = true
		return false
	}
	it.Type = binary.BigEndian.Uint16(it.B)
	it.Data = it.B[4 : 4+n : 4+n]
	it.B = it.B[4+n:]
	return true
}

func (ch *ClientHello) readExtensions() {
	it := ExtIter{B: ch.Extensions}
	for it.Next() {
		if ch.NumExt == MaxExtensions {
			// What follows is left out of every list, so that the work a
			// hello causes stays bounded.
			ch.TooMany = true
			ch.Extensions = ch.Extensions[:len(ch.Extensions)-len(it.B)-4-len(it.Data)]
			return
		}
		ch.NumExt++
		if IsGREASE(it.Type) {
			ch.GREASE = true
			continue
		}
		if !ch.readExtension(it.Type, it.Data) {
			ch.Malformed = true
		}
	}
	if it.Short {
		ch.Malformed = true
		ch.Extensions = ch.Extensions[:len(ch.Extensions)-len(it.B)]
	}
}

// readExtension reads one extension and reports whether it was well formed.
// When one comes twice the first stands, as in OpenSSL's order of evaluation
// before it refuses the hello.
func (ch *ClientHello) readExtension(typ uint16, b []byte) bool {
	r := reader{b: b}
	switch typ {
	case ExtServerName:
		ch.HasSNI = true
		list := reader{b: r.vec16()}
		for len(list.b) > 0 {
			kind := list.u8()
			name := list.vec16()
			if kind == 0 && ch.SNI == nil && len(name) > 0 {
				ch.SNI = name
			}
		}
		return !r.bad && !list.bad
	case ExtALPN:
		v := r.vec16()
		for l := (reader{b: v}); len(l.b) > 0; {
			if l.vec8(); l.bad {
				return false
			}
		}
		return set(&ch.ALPN, v, r.bad)
	case ExtGroups:
		return set(&ch.Groups, ch.list(r.vec16()), r.bad)
	case ExtPointFormats:
		return set(&ch.PointFormats, r.vec8(), r.bad)
	case ExtSignatureAlgs:
		return set(&ch.SigAlgs, ch.list(r.vec16()), r.bad)
	case ExtSupportedVersions:
		return set(&ch.Versions, ch.list(r.vec8()), r.bad)
	case ExtKeyShare:
		return set(&ch.KeyShares, r.vec16(), r.bad)
	case ExtSessionTicket:
		return set(&ch.Ticket, b, false)
	case ExtPSKModes:
		return set(&ch.PSKModes, r.vec8(), r.bad)
	case ExtQUICParameters, ExtQUICParametersOld:
		return set(&ch.QUICParams, b, false)
	case ExtPadding:
		ch.Padding = len(b)
	case ExtPreSharedKey:
		ch.PSK = true
	case ExtEarlyData:
		ch.EarlyData = true
	case ExtECH:
		ch.ECH = true
	case ExtESNI:
		ch.ESNI = true
	}
	return true
}

func set(dst *[]byte, v []byte, bad bool) bool {
	if bad {
		return false
	}
	if *dst == nil {
		*dst = v
	}
	return true
}

// list cuts a list of two-byte values to whole ones and to MaxList.
func (ch *ClientHello) list(b []byte) []byte {
	if len(b) > 2*MaxList {
		ch.LongList = true
		return b[:2*MaxList]
	}
	return b[:len(b)&^1]
}

// ALPNAt returns the i-th protocol name of a list as in ClientHello.ALPN.
func ALPNAt(list []byte, i int) ([]byte, bool) {
	r := reader{b: list}
	for ; len(r.b) > 0; i-- {
		v := r.vec8()
		if r.bad {
			break
		}
		if i == 0 {
			return v, true
		}
	}
	return nil, false
}

// KeyShareAt returns the group of the i-th key share and the length of its key.
func (ch *ClientHello) KeyShareAt(i int) (group uint16, n int, ok bool) {
	r := reader{b: ch.KeyShares}
	for ; len(r.b) > 0; i-- {
		g := r.u16()
		k := r.vec16()
		if r.bad {
			break
		}
		if i == 0 {
			return uint16(g), len(k), true
		}
	}
	return 0, 0, false
}

// MaxVersion returns the highest version the client offers: of
// supported_versions if it has them, GREASE aside, else the message's own.
func (ch *ClientHello) MaxVersion() uint16 {
	var top uint16
	for b := ch.Versions; len(b) >= 2; b = b[2:] {
		v := binary.BigEndian.Uint16(b)
		if IsGREASE(v) {
			continue
		}
		if ch.DTLS { // counts downwards
			if top == 0 || v < top {
				top = v
			}
		} else if v > top {
			top = v
		}
	}
	if top == 0 {
		return ch.Version
	}
	return top
}
