// Package rfb reads the beginning of the Remote Framebuffer protocol of VNC (RFC
// 6143): versions, authentication, and what screen is shown. The picture itself
// is passed over.
package rfb

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxText bounds the name of a desktop and the reason of a refusal; more is
// passed over.
const maxText = 256

// Security types, RFC 6143 section 8.1.2.
const (
	SecInvalid = 0
	SecNone    = 1
	SecVNC     = 2
)

// Protocol is RFB.
var Protocol = proto.Protocol{
	Name:  "rfb",
	Event: "rfb",
	Doc:   "Remote Framebuffer of VNC: a screen seen and operated from afar",
	On:    proto.TCP,
	Ports: []uint16{5900, 5901},
	Limit: 1 << 10,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "rfb.name", Doc: "name of the desktop", Dir: packet.ToClient, Get: get(func(s *Session) ([]byte, bool) { return s.Name(), s.HasInit })},
		{Name: "rfb.sectype", Doc: "security type agreed on, a decimal number", Dir: packet.ToServer, Get: get(func(s *Session) ([]byte, bool) { return s.number(s.Security), s.HasSecurity })},
		{Name: "rfb.secresult", Doc: "result of the authentication, 0 for success, a decimal number", Dir: packet.ToClient, Get: get(func(s *Session) ([]byte, bool) { return s.number(s.Result), s.HasResult })},
	},
}

func get(f func(*Session) ([]byte, bool)) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		s, ok := tx.(*Session)
		if !ok || i != 0 {
			return nil, false
		}
		return f(s)
	}
}

// Session is what the two sides say before the picture.
type Session struct {
	Version             [2][6]byte // digits of major and minor, by sender
	HasVersion          [2]bool
	Security            uint32 // type agreed on
	HasSecurity         bool
	Challenge, Response [16]byte // of SecVNC
	HasChallenge        bool
	HasResponse         bool
	Result              uint32 // 0 success
	HasResult           bool
	Shared              bool
	HasShared           bool
	Width, Height       uint16
	Pixel               [16]byte // format, RFC 6143 section 7.4
	HasInit             bool

	text    [maxText]byte // name of the desktop or reason of the refusal
	textLen int
	digits  [10]byte
}

// Name returns the name of the desktop.
func (s *Session) Name() []byte {
	if !s.HasInit {
		return nil
	}
	return s.text[:s.textLen]
}

// Reason returns why the server refused.
func (s *Session) Reason() []byte {
	if s.HasInit {
		return nil
	}
	return s.text[:s.textLen]
}

func (s *Session) number(n uint32) []byte { return strconv.AppendUint(s.digits[:0], uint64(n), 10) }

// EventType returns "rfb".
func (s *Session) EventType() event.Type { return "rfb" }

// EncodeEVE appends "rfb":{…} in Suricata's shape.
func (s *Session) EncodeEVE(e *event.Encoder) {
	e.Obj("rfb")
	for _, x := range [...]struct {
		d   packet.Dir
		key string
	}{{packet.ToClient, "server_protocol_version"}, {packet.ToServer, "client_protocol_version"}} {
		if s.HasVersion[x.d] {
			e.Obj(x.key)
			e.Bytes("major", s.Version[x.d][:3])
			e.Bytes("minor", s.Version[x.d][3:])
			e.EndObj()
		}
	}
	if s.HasSecurity {
		e.Obj("authentication")
		e.Uint("security_type", uint64(s.Security))
		if s.HasChallenge {
			e.Obj("vnc")
			e.Hex("challenge", s.Challenge[:])
			if s.HasResponse {
				e.Hex("response", s.Response[:])
			}
			e.EndObj()
		}
		if s.HasResult {
			switch s.Result {
			case 0:
				e.Str("security_result", "OK")
			case 1:
				e.Str("security_result", "FAIL")
			case 2:
				e.Str("security_result", "TOOMANY")
			default:
				e.Str("security_result", "UNKNOWN")
			}
		}
		e.EndObj()
	}
	e.OptBytes("server_security_failure_reason", s.Reason())
	if s.HasShared {
		e.Bool("screen_shared", s.Shared)
	}
	if s.HasInit {
		s.encodeScreen(e)
	}
	e.EndObj()
}

func (s *Session) encodeScreen(e *event.Encoder) {
	p := &s.Pixel
	e.Obj("framebuffer")
	e.Uint("width", uint64(s.Width))
	e.Uint("height", uint64(s.Height))
	e.Bytes("name", s.Name())
	e.Obj("pixel_format")
	e.Uint("bits_per_pixel", uint64(p[0]))
	e.Uint("depth", uint64(p[1]))
	e.Bool("big_endian", p[2] != 0)
	e.Bool("true_color", p[3] != 0)
	for i, key := range [...]string{"red_max", "green_max", "blue_max"} {
		e.Uint(key, uint64(p[4+2*i])<<8|uint64(p[5+2*i]))
	}
	for i, key := range [...]string{"red_shift", "green_shift", "blue_shift"} {
		e.Uint(key, uint64(p[10+i]))
	}
	e.EndObj()
	e.EndObj()
}

// probe asks for "RFB 003.008\n", any digits.
func probe(_ packet.Dir, b []byte) proto.Match {
	const form = "RFB ddd.ddd\n"
	for i := range min(len(b), len(form)) {
		if form[i] == 'd' && b[i]-'0' > 9 || form[i] != 'd' && b[i] != form[i] {
			return proto.No
		}
	}
	if len(b) < len(form) {
		return proto.More
	}
	return proto.Yes
}
