package nfqueue

import "encoding/binary"

// Wire format of nfnetlink_queue: linux/netfilter/nfnetlink.h,
// nfnetlink_queue.h, netlink.h. Netlink headers are in the machine's order, the
// values in netfilter's attributes in the network's.
var (
	host = binary.NativeEndian
	net  = binary.BigEndian
)

const (
	nlHeader  = 16 // struct nlmsghdr
	nfHeader  = 4  // struct nfgenmsg
	attHeader = 4  // struct nlattr

	subsysQueue = 3 // NFNL_SUBSYS_QUEUE

	msgPacket       = subsysQueue << 8 // NFQNL_MSG_PACKET is 0
	msgVerdict      = subsysQueue<<8 | 1
	msgConfig       = subsysQueue<<8 | 2
	msgVerdictBatch = subsysQueue<<8 | 3
	msgError        = 2 // NLMSG_ERROR
	msgOverrun      = 4 // NLMSG_OVERRUN

	flagRequest = 1
	flagAck     = 4

	attPacketHeader  = 1
	attVerdictHeader = 2
	attMark          = 3
	attTimestamp     = 4
	attInDev         = 5
	attHWAddr        = 9
	attPayload       = 10
	attCapLen        = 13
	attVLAN          = 19

	cfgCommand   = 1
	cfgParams    = 2
	cfgMaxLength = 3
	cfgMask      = 4
	cfgFlags     = 5

	cmdBind    = 1
	copyPacket = 2

	flagFailOpen = 1
	flagGSO      = 4

	nfDrop   = 0
	nfAccept = 1
	nfRepeat = 4 // through the hook's function again
)

// message is one packet as the kernel tells of it. Its slices point into the
// buffer.
type message struct {
	id      uint32
	proto   uint16 // EtherType
	hook    uint8
	mark    uint32
	in      uint32 // index of the interface the packet came in by
	time    int64  // ns; 0: not said
	hw      []byte // hardware address of the sender; nil: not said
	payload []byte
	at      int // of the payload in the buffer
	full    int // length of the packet, of which payload may be a part
	vlan    uint16
	tpid    uint16
}

// parse reads the attributes of a packet message that begins at b[0]. It
// reports false for what it cannot understand.
func (m *message) parse(b []byte) bool {
	*m = message{}
	if len(b) < nlHeader+nfHeader {
		return false
	}
	has := false
	for at := nlHeader + nfHeader; at+attHeader <= len(b); {
		n := int(host.Uint16(b[at:]))
		typ := host.Uint16(b[at+2:]) &^ 0xc000 // without NLA_F_NESTED, NLA_F_NET_BYTEORDER
		if n < attHeader || at+n > len(b) {
			return false
		}
		v := b[at+attHeader : at+n]
		switch {
		case typ == attPacketHeader && len(v) >= 7:
			m.id, m.proto, m.hook, has = net.Uint32(v), net.Uint16(v[4:]), v[6], true
		case typ == attMark && len(v) >= 4:
			m.mark = net.Uint32(v)
		case typ == attTimestamp && len(v) >= 16:
			m.time = int64(net.Uint64(v))*1e9 + int64(net.Uint64(v[8:]))*1e3
		case typ == attInDev && len(v) >= 4:
			m.in = net.Uint32(v)
		case typ == attHWAddr && len(v) >= 12:
			if l := int(net.Uint16(v)); l == 6 {
				m.hw = v[4:10]
			}
		case typ == attPayload:
			m.payload, m.at = v, at+attHeader
		case typ == attCapLen && len(v) >= 4:
			m.full = int(net.Uint32(v))
		case typ == attVLAN:
			m.parseVLAN(v)
		}
		at += (n + 3) &^ 3
	}
	m.full = max(m.full, len(m.payload))
	return has
}

// parseVLAN reads the nested attribute NFQA_VLAN: protocol (1) and tag (2).
func (m *message) parseVLAN(b []byte) {
	for len(b) >= attHeader {
		n := int(host.Uint16(b))
		if n < attHeader+2 || n > len(b) {
			return
		}
		switch v := net.Uint16(b[attHeader:]); host.Uint16(b[2:]) &^ 0xc000 {
		case 1:
			m.tpid = v
		case 2:
			m.vlan = v
		}
		b = b[min((n+3)&^3, len(b)):]
	}
}

// begin appends the headers of a message to queue; end writes its length.
func begin(b []byte, typ, flags uint16, seq uint32, queue uint16) []byte {
	b = host.AppendUint32(b, 0)
	b = host.AppendUint16(b, typ)
	b = host.AppendUint16(b, flags)
	b = host.AppendUint32(b, seq)
	b = host.AppendUint32(b, 0)
	b = append(b, 0, 0) // AF_UNSPEC, NFNETLINK_V0
	return net.AppendUint16(b, queue)
}

func end(b []byte, start int) []byte {
	host.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

func attribute(b []byte, typ uint16, v ...byte) []byte {
	b = host.AppendUint16(b, uint16(attHeader+len(v)))
	b = host.AppendUint16(b, typ)
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func attribute32(b []byte, typ uint16, v uint32) []byte {
	b = host.AppendUint16(b, attHeader+4)
	b = host.AppendUint16(b, typ)
	return net.AppendUint32(b, v)
}

// verdictMessage appends a verdict for packet id, or with the batch type for
// all packets up to it.
func verdictMessage(b []byte, typ, queue uint16, id, verdict, mark uint32, setMark bool) []byte {
	start := len(b)
	b = begin(b, typ, flagRequest, 0, queue)
	b = host.AppendUint16(b, attHeader+8)
	b = host.AppendUint16(b, attVerdictHeader)
	b = net.AppendUint32(b, verdict)
	b = net.AppendUint32(b, id)
	if setMark {
		b = attribute32(b, attMark, mark)
	}
	return end(b, start)
}

// configMessages returns the messages that bind to a queue and set it up, each
// to be acknowledged.
func configMessages(c *Config) [][]byte {
	one := func(att func([]byte) []byte) []byte {
		return end(att(begin(nil, msgConfig, flagRequest|flagAck, 1, c.Queue)), 0)
	}
	return [][]byte{
		one(func(b []byte) []byte { return attribute(b, cfgCommand, cmdBind, 0, 0, 0) }),
		one(func(b []byte) []byte {
			return attribute(b, cfgParams, append(net.AppendUint32(nil, c.Range), copyPacket)...)
		}),
		one(func(b []byte) []byte { return attribute32(b, cfgMaxLength, c.Length) }),
		one(func(b []byte) []byte {
			return attribute32(attribute32(b, cfgFlags, flagFailOpen|flagGSO), cfgMask, flagFailOpen|flagGSO)
		}),
	}
}

// OnlyVerdicts reports whether b holds verdicts for packets of the queue, that
// accept, drop or repeat, and nothing else: what a privileged process may send to the
// kernel for one that is not.
func OnlyVerdicts(b []byte, queue uint16) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		const short = nlHeader + nfHeader + attHeader + 8
		if len(b) < short {
			return false
		}
		n := int(host.Uint32(b))
		typ := host.Uint16(b[4:])
		switch {
		case n != short && n != short+attHeader+4 || n > len(b),
			typ != msgVerdict && typ != msgVerdictBatch,
			host.Uint16(b[6:]) != flagRequest,
			b[nlHeader] != 0 || b[nlHeader+1] != 0 || net.Uint16(b[nlHeader+2:]) != queue:
			return false
		}
		a := b[nlHeader+nfHeader:]
		if host.Uint16(a) != attHeader+8 || host.Uint16(a[2:]) != attVerdictHeader {
			return false
		}
		if v := net.Uint32(a[attHeader:]); v != nfAccept && v != nfDrop && v != nfRepeat {
			return false
		}
		if n != short && (host.Uint16(b[short:]) != attHeader+4 || host.Uint16(b[short+2:]) != attMark) {
			return false
		}
		b = b[n:]
	}
	return true
}
