// Package ssh reads the plain-text beginning of a Secure Shell connection: the
// identification strings and the algorithm negotiation of both sides (RFC 4253
// sections 4.2 and 7.1), from which it computes HASSH fingerprints.
package ssh

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// maxBanner is the longest identification string, CR LF included
	// (RFC 4253 section 4.2).
	maxBanner = 255
	// maxPreLines is how many lines a server may send before its
	// identification string, each at most maxPreLine bytes.
	maxPreLines = 32
	maxPreLine  = 1024
	// maxPacket is the longest binary packet kept whole, its length field
	// included. RFC 4253 section 6.1 asks for 35000 bytes; OpenSSH sends about
	// 1600.
	maxPacket = 35004
	// maxPlain bounds how many bytes of one direction are followed after the
	// identification string in the hope of NEWKEYS. A key exchange with
	// post-quantum keys and certificates needs less than 10 kB.
	maxPlain = 128 << 10
)

// Type is the event_type of a handshake.
const Type event.Type = "ssh"

// Protocol describes SSH.
var Protocol = proto.Protocol{
	Name:  "ssh",
	Event: Type,
	Doc:   "Secure Shell: software versions and algorithm lists (HASSH)",
	On:    proto.TCP,
	Ports: []uint16{22, 2222},
	Limit: maxPacket,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "ssh.proto", Doc: "protocol version of the client, such as 2.0", Dir: packet.ToServer, Get: side(packet.ToServer, getProto)},
		{Name: "ssh.proto", Doc: "protocol version of the server", Dir: packet.ToClient, Get: side(packet.ToClient, getProto)},
		{Name: "ssh.software", Doc: "software version of the client, such as OpenSSH_9.2p1", Dir: packet.ToServer, Get: side(packet.ToServer, getSoftware)},
		{Name: "ssh.software", Doc: "software version of the server", Dir: packet.ToClient, Get: side(packet.ToClient, getSoftware)},
		{Name: "ssh.hassh", Doc: "MD5 of ssh.hassh.string, hexadecimal", Dir: packet.ToServer, Get: side(packet.ToServer, getHASSH)},
		{Name: "ssh.hassh.string", Doc: "the client's algorithms: key exchange;encryption;MAC;compression", Dir: packet.ToServer, Get: side(packet.ToServer, getHASSHString)},
		{Name: "ssh.hassh.server", Doc: "MD5 of ssh.hassh.server.string, hexadecimal", Dir: packet.ToClient, Get: side(packet.ToClient, getHASSH)},
		{Name: "ssh.hassh.server.string", Doc: "the server's algorithms: key exchange;encryption;MAC;compression", Dir: packet.ToClient, Get: side(packet.ToClient, getHASSHString)},
	},
}

// Tx is the handshake of a connection; there is one in each. It is emitted
// each time one side has said something new, and as done when both sides'
// algorithms are known or nothing more can be learnt.
type Tx struct {
	Hello [2]Hello // by direction: what the client and what the server sent
}

// Hello is what one side says of itself. Slices are empty until seen.
type Hello struct {
	Proto    []byte // "2.0", "1.99", "1.5"
	Software []byte // "OpenSSH_9.2p1"
	Comment  []byte // after the software version and a space, such as "Debian-2"

	// Lists are the ten comma-separated name-lists of KEXINIT in the order of
	// RFC 4253 section 7.1; see the List constants.
	Lists       [10][]byte
	KexInit     bool // Lists are set
	GuessFollow bool // first_kex_packet_follows

	HASSH       [32]byte // hexadecimal MD5, when KexInit
	HASSHString []byte

	ident []byte // memory behind Proto, Software, Comment
	kex   []byte // memory behind Lists
}

// Indexes of Hello.Lists.
const (
	ListKex = iota
	ListHostKey
	ListEncryptionToServer
	ListEncryptionToClient
	ListMACToServer
	ListMACToClient
	ListCompressionToServer
	ListCompressionToClient
	ListLanguageToServer
	ListLanguageToClient
)

// EventType returns Type once a side has identified itself.
func (t *Tx) EventType() event.Type {
	for i := range t.Hello {
		if h := &t.Hello[i]; len(h.Proto) > 0 || h.KexInit {
			return Type
		}
	}
	return ""
}

// EncodeEVE appends "ssh":{…} in Suricata's shape.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("ssh")
	for d, key := range [2]string{"client", "server"} {
		h := &t.Hello[d]
		if len(h.Proto) == 0 && !h.KexInit {
			continue
		}
		e.Obj(key)
		e.OptBytes("proto_version", h.Proto)
		e.OptBytes("software_version", h.Software)
		if h.KexInit {
			e.Obj("hassh")
			e.Bytes("hash", h.HASSH[:])
			e.Bytes("string", h.HASSHString)
			e.EndObj()
		}
		e.EndObj()
	}
	e.EndObj()
}

func side(d packet.Dir, get func(*Hello) []byte) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i != 0 {
			return nil, false
		}
		b := get(&t.Hello[d])
		return b, len(b) > 0
	}
}

func getProto(h *Hello) []byte       { return h.Proto }
func getSoftware(h *Hello) []byte    { return h.Software }
func getHASSHString(h *Hello) []byte { return h.HASSHString }
func getHASSH(h *Hello) []byte {
	if !h.KexInit {
		return nil
	}
	return h.HASSH[:]
}

// reset empties h and keeps its memory.
func (h *Hello) reset() {
	*h = Hello{ident: h.ident[:0], kex: proto.Keep(h.kex, keptLists), HASSHString: proto.Keep(h.HASSHString, keptLists)}
}
