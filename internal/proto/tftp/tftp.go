// Package tftp reads the Trivial File Transfer Protocol (RFC 1350): which file
// somebody fetches from or puts on a machine that starts over the network, a
// telephone or a router.
package tftp

import (
	"bytes"
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Operations, RFC 1350 section 5.
const (
	Read  = 1
	Write = 2
)

// maxName bounds a file's name; longer ones are no request. Servers refuse what
// their file system does not allow, which is 255 or 4096 octets.
const maxName = 512

// Protocol is TFTP. The transfer itself goes between other ports (RFC 1350
// section 4), in flows that name nothing and are not recognised.
var Protocol = proto.Protocol{
	Name:  "tftp",
	Event: "tftp",
	Doc:   "Trivial File Transfer Protocol: requests for files",
	On:    proto.UDP,
	Ports: []uint16{69},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "tftp.file", Doc: "name of the file asked for", Dir: packet.ToServer, Get: get(func(r *Request) []byte { return r.File })},
		{Name: "tftp.mode", Doc: "mode of the transfer, such as octet", Dir: packet.ToServer, Get: get(func(r *Request) []byte { return r.Mode })},
	},
}

// Request asks for a transfer. Its slices lie in the datagram.
type Request struct {
	Op         uint8 // Read or Write
	File, Mode []byte
	Options    []byte // names and values, each with a zero octet behind it (RFC 2347)
}

// Parse reads the datagram b and returns false when it is no request.
func (r *Request) Parse(b []byte) bool {
	*r = Request{}
	if len(b) < 4 {
		return false
	}
	op := binary.BigEndian.Uint16(b)
	if op != Read && op != Write {
		return false
	}
	file, rest, ok := bytes.Cut(b[2:], zero)
	if !ok || len(file) == 0 || len(file) > maxName {
		return false
	}
	mode, rest, ok := bytes.Cut(rest, zero)
	if !ok || !isMode(mode) {
		return false
	}
	*r = Request{Op: uint8(op), File: file, Mode: mode, Options: rest}
	return true
}

var zero = []byte{0}

// modes are those of RFC 1350 section 1, in any case of letters.
var modes = [...][]byte{[]byte("octet"), []byte("netascii"), []byte("mail")}

func isMode(b []byte) bool {
	for _, m := range modes {
		if len(b) == len(m) && bytes.EqualFold(b, m) {
			return true
		}
	}
	return false
}

// EventType returns "tftp".
func (r *Request) EventType() event.Type { return "tftp" }

// EncodeEVE appends "tftp":{…} in Suricata's shape.
func (r *Request) EncodeEVE(e *event.Encoder) {
	e.Obj("tftp")
	if r.Op == Read {
		e.Str("packet", "read")
	} else {
		e.Str("packet", "write")
	}
	e.Bytes("file", r.File)
	e.Bytes("mode", r.Mode)
	e.EndObj()
}

func get(f func(*Request) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		r, ok := tx.(*Request)
		if !ok || i != 0 {
			return nil, false
		}
		return f(r), true
	}
}

type parser struct{ r Request }

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	switch {
	case p.r.Parse(data):
		c.Emit(&p.r, true)
	case d == packet.ToServer && !transfer(data):
		c.Anomaly("malformed_data")
	}
	return len(data), nil
}

// transfer reports whether b is a message of a transfer under way: data,
// acknowledgement, error, option acknowledgement. Some servers answer from the
// port that was asked.
func transfer(b []byte) bool {
	return len(b) >= 4 && b[0] == 0 && b[1] >= 3 && b[1] <= 6
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *parser) End(*proto.Conn)                        {}
func (p *parser) Reset()                                 { p.r = Request{} }

// probe asks for a whole request, and for options in pairs that end with the
// datagram.
func probe(_ packet.Dir, b []byte) proto.Match {
	var r Request
	if !r.Parse(b) {
		return proto.No
	}
	if n := bytes.Count(r.Options, zero); n%2 != 0 || len(r.Options) > 0 && r.Options[len(r.Options)-1] != 0 {
		return proto.Weak
	}
	return proto.Yes
}
