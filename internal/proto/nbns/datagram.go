package nbns

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
)

// DatagramProtocol is the NetBIOS datagram service.
var DatagramProtocol = proto.Protocol{
	Name:  "nbdgm",
	Event: "nbdgm",
	Doc:   "NetBIOS datagram service, RFC 1002 section 4.4, with browser announcements",
	On:    proto.UDP,
	Ports: []uint16{138},
	Probe: probeDatagram,
	New:   func() proto.Parser { return new(datagramParser) },
	Buffers: []proto.Buffer{
		{Name: "nbdgm.source", Doc: "name of the sender", Dir: packet.ToServer, Get: sourceBuffer},
	},
}

// Datagram is one datagram.
type Datagram struct {
	Type        byte // 0x10 direct unique, 0x11 direct group, 0x12 broadcast, 0x13 error, 0x14… query
	ID          uint16
	SourceIP    packet.Addr
	Source      Name
	Destination Name
	Mailslot    []byte // `\MAILSLOT\BROWSE`, nil when the payload is no mailslot write
	Browser     Browser
}

// Browser is an announcement on the browse mailslot ([MS-BRWS] section 2.2).
type Browser struct {
	Command    byte // 0: none; 1 host, 12 domain, 15 local master announcement…
	Server     []byte
	Major      byte // version of the system as it names itself
	Minor      byte
	ServerType uint32 // bits of [MS-BRWS] section 2.2.1
	Comment    []byte
}

// EventType returns "nbdgm".
func (d *Datagram) EventType() event.Type { return "nbdgm" }

func (d *Datagram) kind() string {
	switch d.Type {
	case 0x10:
		return "direct_unique"
	case 0x11:
		return "direct_group"
	case 0x12:
		return "broadcast"
	case 0x13:
		return "error"
	}
	return "query"
}

// EncodeEVE appends "nbdgm":{…}.
func (d *Datagram) EncodeEVE(e *event.Encoder) {
	e.Obj("nbdgm")
	e.Str("type", d.kind())
	e.Uint("id", uint64(d.ID))
	e.Addr("source_ip", d.SourceIP)
	if d.Type <= 0x12 {
		text(e, "source", d.Source.Bytes())
		e.Hex("source_suffix", []byte{d.Source.Suffix})
		text(e, "destination", d.Destination.Bytes())
		e.Hex("destination_suffix", []byte{d.Destination.Suffix})
	}
	if d.Mailslot != nil {
		text(e, "mailslot", d.Mailslot)
	}
	if b := &d.Browser; b.Command != 0 {
		e.Obj("browser")
		e.Uint("command", uint64(b.Command))
		if b.Server != nil {
			text(e, "server", b.Server)
			var v [8]byte
			s := append(strconv.AppendUint(v[:0], uint64(b.Major), 10), '.')
			e.Bytes("os_version", strconv.AppendUint(s, uint64(b.Minor), 10))
			e.Uint("server_type", uint64(b.ServerType))
			text(e, "comment", b.Comment)
		}
		e.EndObj()
	}
	e.EndObj()
}

// text appends octets of an 8-bit character set; those above 127 are not
// UTF-8 and are shown as the encoder shows such.
func text(e *event.Encoder, key string, b []byte) { e.Bytes(key, b) }

// Parse reads b; what is nested deeper than it can be read is left out. ok is
// false when not even the header is one.
func (d *Datagram) Parse(b []byte) (ok bool) {
	*d = Datagram{}
	if len(b) < 10 || b[0] < 0x10 || b[0] > 0x16 {
		return false
	}
	d.Type, d.ID, d.SourceIP = b[0], binary.BigEndian.Uint16(b[2:]), packet.AddrFrom4(b[4:])
	if d.Type > 0x12 {
		return true
	}
	if len(b) < 14 || !d.Source.decode(b[14:]) {
		return false
	}
	at, ok := dns.SkipName(b, 14)
	if !ok || !d.Destination.decode(b[at:]) {
		return false
	}
	if at, ok = dns.SkipName(b, at); ok {
		d.smb(b[at:])
	}
	return true
}

// smb reads the mailslot write in an SMB_COM_TRANSACTION ([MS-MAIL] section 2.2.1).
func (d *Datagram) smb(b []byte) {
	const header, words = 32, 17
	if len(b) < header+1+2*words+2 || string(b[:4]) != "\xffSMB" || b[4] != 0x25 || b[header] != words {
		return
	}
	le := binary.LittleEndian
	par := b[header+1:]
	size, off := int(le.Uint16(par[22:])), int(le.Uint16(par[24:]))
	name := par[2*words+2:]
	end := bytes.IndexByte(name, 0)
	if end < 0 {
		return
	}
	d.Mailslot = name[:end]
	if !bytes.EqualFold(d.Mailslot, []byte(`\MAILSLOT\BROWSE`)) || off+size > len(b) {
		return
	}
	f := b[off : off+size]
	if len(f) == 0 {
		return
	}
	w := &d.Browser
	w.Command = f[0]
	switch w.Command {
	case 1, 12, 15:
		if len(f) < 32 {
			return
		}
		w.Server, _, _ = bytes.Cut(f[6:22], []byte{0})
		w.Major, w.Minor, w.ServerType = f[22], f[23], le.Uint32(f[24:])
		w.Comment, _, _ = bytes.Cut(f[32:], []byte{0})
	}
}

func sourceBuffer(tx proto.Tx, i int) ([]byte, bool) {
	d, ok := tx.(*Datagram)
	if !ok || i != 0 || d.Type > 0x12 {
		return nil, false
	}
	return d.Source.Bytes(), true
}

type datagramParser struct{ d Datagram }

func (p *datagramParser) Parse(c *proto.Conn, _ packet.Dir, data []byte) (int, error) {
	if !p.d.Parse(data) {
		c.Anomaly("malformed_data")
		return len(data), nil
	}
	c.Emit(&p.d, true)
	p.d.Mailslot, p.d.Browser = nil, Browser{}
	return len(data), nil
}

func (p *datagramParser) Gap(*proto.Conn, packet.Dir, int) error { return nil }
func (p *datagramParser) End(*proto.Conn)                        {}
func (p *datagramParser) Reset()                                 { p.d = Datagram{} }

// probeDatagram asks for both names in half-ASCII; the kinds of datagram
// without names wait for port 138.
func probeDatagram(_ packet.Dir, b []byte) proto.Match {
	var d Datagram
	switch {
	case !d.Parse(b) || b[1]&0xf0 != 0: // reserved flag bits, RFC 1002 section 4.4.1
		return proto.No
	case d.Type <= 0x12:
		return proto.Yes
	case d.Type == 0x13 && len(b) == 11, d.Type > 0x13 && len(b) > 43:
		return proto.Weak
	}
	return proto.No
}
