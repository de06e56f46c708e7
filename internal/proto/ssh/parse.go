package ssh

import (
	"bytes"
	"crypto/md5" // HASSH is defined over MD5; nothing here relies on its strength
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Message numbers, RFC 4253 section 12.
const (
	msgKexInit = 20
	msgNewKeys = 21
)

// Errors that end the parsing of a flow.
var (
	errIdent  = errors.New("ssh: no identification string")
	errPacket = errors.New("ssh: impossible packet length")
	errKex    = errors.New("ssh: malformed KEXINIT")
	errGap    = errors.New("ssh: bytes missing in the handshake")
)

// probe recognises the identification string and, for flows picked up after
// it, a KEXINIT packet.
func probe(d packet.Dir, b []byte) proto.Match {
	const magic = "SSH-"
	if n := min(len(b), len(magic)); string(b[:n]) == magic[:n] {
		switch {
		case len(b) <= len(magic):
			return proto.More
		case b[4] == '1' || b[4] == '2':
			return proto.Yes
		}
		return proto.No
	}
	return probeKexInit(b)
}

// probeKexInit judges by the fixed fields and by the first algorithm list,
// which has to be text.
func probeKexInit(b []byte) proto.Match {
	const fixed = 4 + 1 + 1 + 16 + 4 // lengths, message, cookie, length of the list
	if b[0] != 0 || len(b) > 1 && b[1] != 0 || len(b) > 5 && b[5] != msgKexInit {
		return proto.No
	}
	if len(b) < fixed+8 {
		return proto.More
	}
	size, list := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[fixed-4:])
	if size < 100 || size > maxPacket-4 || b[4] < 4 || list < 8 || list > size {
		return proto.No
	}
	for _, c := range b[fixed : fixed+8] {
		if !isName(c) {
			return proto.No
		}
	}
	return proto.Yes
}

// isName tells whether c may stand in a name-list: printable US-ASCII
// (RFC 4251 sections 5 and 6).
func isName(c byte) bool { return c > ' ' && c < 0x7f }

type stage uint8

const (
	ident  stage = iota // identification string awaited
	plain               // binary packets in clear
	closed              // encrypted, or not understood: everything is skipped
)

type parser struct {
	tx   Tx
	done bool // emitted as done
	half [2]half
}

// half is one direction.
type half struct {
	stage stage
	lines int // before the identification string
	skip  int // bytes of the packet at hand still to pass over
	seen  int // bytes in stage plain
}

func (p *parser) Reset() {
	for d := range p.tx.Hello {
		p.tx.Hello[d].reset()
	}
	p.half, p.done = [2]half{}, false
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	h := &p.half[d]
	for n < len(data) {
		if h.skip > 0 {
			used := min(h.skip, len(data)-n)
			h.skip -= used
			n += used
			continue
		}
		var used int
		wait := false
		switch h.stage {
		case ident:
			used, wait, err = p.ident(c, d, data[n:])
		case plain:
			used, wait, err = p.packet(c, d, data[n:])
		default:
			used = len(data) - n
		}
		n += used
		if err != nil {
			p.finish(c)
			return n, err
		}
		if wait {
			break
		}
	}
	if p.half[0].stage == closed && p.half[1].stage == closed {
		p.finish(c)
		c.Finish()
	}
	return n, nil
}

// ident reads one line at the beginning of a direction. It says whether it has
// to wait for more bytes.
func (p *parser) ident(c *proto.Conn, d packet.Dir, b []byte) (n int, wait bool, err error) {
	h := &p.half[d]
	if c.Midstream && b[0] == 0 && h.lines == 0 { // picked up after the line
		h.stage = plain
		return 0, false, nil
	}
	end := bytes.IndexByte(b, '\n')
	isIdent := bytes.HasPrefix(b, []byte("SSH-"))
	if end < 0 {
		switch {
		case isIdent && len(b) < maxBanner, !isIdent && len(b) < maxPreLine && maybeLine(d, b):
			return 0, true, nil
		case isIdent:
			c.Anomaly("ssh_banner_too_long")
		}
		return 0, false, errIdent
	}
	if !isIdent {
		// Only a server may send other lines first.
		if h.lines++; d == packet.ToServer || h.lines > maxPreLines || end >= maxPreLine {
			return 0, false, errIdent
		}
		return end + 1, false, nil
	}
	if end >= maxBanner {
		c.Anomaly("ssh_banner_too_long")
		return 0, false, errIdent
	}
	hello := &p.tx.Hello[d]
	hello.setIdent(bytes.TrimSuffix(b[:end], []byte("\r")))
	h.stage = plain
	if bytes.HasPrefix(hello.Proto, []byte("1.")) && string(hello.Proto) != "1.99" {
		h.stage = closed // SSH 1 packets say nothing that is wanted here
	}
	p.emit(c)
	return end + 1, false, nil
}

// maybeLine tells whether an unfinished b of direction d can still become a
// line that is allowed.
func maybeLine(d packet.Dir, b []byte) bool {
	const magic = "SSH-"
	return d == packet.ToClient || len(b) < len(magic) && string(b) == magic[:len(b)]
}

// setIdent takes apart "SSH-protoversion-softwareversion SP comments".
func (h *Hello) setIdent(line []byte) {
	h.ident = append(h.ident[:0], line...)
	h.Proto = h.ident[len("SSH-"):]
	if i := bytes.IndexByte(h.Proto, '-'); i >= 0 {
		h.Proto, h.Software = h.Proto[:i], h.Proto[i+1:]
	}
	if i := bytes.IndexByte(h.Software, ' '); i >= 0 {
		h.Software, h.Comment = h.Software[:i], h.Software[i+1:]
	}
}

// packet reads one binary packet, RFC 4253 section 6: uint32 length of what
// follows, one byte length of the padding, payload, padding. There is no MAC
// before NEWKEYS.
func (p *parser) packet(c *proto.Conn, d packet.Dir, b []byte) (n int, wait bool, err error) {
	h := &p.half[d]
	if len(b) < 6 {
		return 0, true, nil
	}
	size := int(binary.BigEndian.Uint32(b))
	if size < 2 || size > maxPacket-4 {
		return 0, false, errPacket
	}
	hello := &p.tx.Hello[d]
	if b[5] == msgKexInit && !hello.KexInit {
		if len(b) < size+4 {
			return 0, true, nil
		}
		pad := int(b[4])
		if pad > size-2 || !hello.setKexInit(d, b[6:4+size-pad]) {
			return 0, false, errKex
		}
		p.emit(c)
	}
	h.skip = size + 4
	if h.seen += size + 4; h.seen > maxPlain {
		c.Anomaly("ssh_handshake_too_long")
		h.stage = closed
	}
	if b[5] == msgNewKeys {
		h.stage = closed
	}
	return 0, false, nil
}

// setKexInit reads the payload after the message number: 16 bytes cookie, ten
// name-lists, boolean first_kex_packet_follows, uint32 reserved.
func (h *Hello) setKexInit(d packet.Dir, b []byte) bool {
	if len(b) < 16 {
		return false
	}
	h.kex = append(h.kex[:0], b[16:]...)
	b = h.kex
	for i := range h.Lists {
		if len(b) < 4 {
			return false
		}
		n := binary.BigEndian.Uint32(b)
		if b = b[4:]; uint64(n) > uint64(len(b)) {
			return false
		}
		h.Lists[i], b = b[:n:n], b[n:]
	}
	if len(b) > 0 {
		h.GuessFollow = b[0] != 0
	}
	h.KexInit = true
	h.fingerprint(d)
	return true
}

// fingerprint computes HASSH: each side is described by the algorithms it
// offers for what it sends (https://github.com/salesforce/hassh).
func (h *Hello) fingerprint(d packet.Dir) {
	s := append(h.HASSHString[:0], h.Lists[ListKex]...)
	for _, i := range [3]int{ListEncryptionToServer, ListMACToServer, ListCompressionToServer} {
		s = append(s, ';')
		s = append(s, h.Lists[i+int(d)]...) // the list to the client follows
	}
	h.HASSHString = s
	sum := md5.Sum(s)
	hex.Encode(h.HASSH[:], sum[:])
}

func (p *parser) emit(c *proto.Conn) {
	if p.done {
		return
	}
	p.done = p.tx.Hello[0].KexInit && p.tx.Hello[1].KexInit
	c.Emit(&p.tx, p.done)
}

// finish emits the transaction as done when that has not happened.
func (p *parser) finish(c *proto.Conn) {
	if !p.done && p.tx.EventType() != "" {
		p.done = true
		c.Emit(&p.tx, true)
	}
}

// Gap passes over bytes lost inside a packet that is skipped anyway; anything
// else makes the rest of the handshake unreadable.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	h := &p.half[d]
	if h.stage == closed {
		return nil
	}
	if h.skip >= n {
		h.skip -= n
		return nil
	}
	p.finish(c)
	return errGap
}

func (p *parser) End(c *proto.Conn) { p.finish(c) }
