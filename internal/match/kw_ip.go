package match

import (
	"math"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// packetNumber makes the Setup of a keyword that compares a number of the
// packet; ok is false when the packet has none.
func packetNumber(most uint64, get func(*packet.Packet) (v uint64, ok bool)) func(*compiler, rules.Option) error {
	return numberSetup(most, false, get)
}

func numberSetup(most uint64, inclusive bool, get func(*packet.Packet) (uint64, bool)) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if err := require(o); err != nil {
			return err
		}
		parse := rules.ParseUintRange
		if inclusive {
			parse = rules.ParseUintRangeInclusive
		}
		u, err := parse(unquote(o.Value), most)
		if err != nil {
			return err
		}
		c.notPlain()
		c.cond(func(c *ctx) bool {
			if c.p == nil {
				return false
			}
			v, ok := get(c.p)
			return ok && u.Match(v)
		})
		return nil
	}
}

var ipKeywords = []Keyword{
	{Name: "ttl", Family: "ip", Doc: "time to live or hop limit", Example: `ttl:<10;`, Setup: packetNumber(255, func(p *packet.Packet) (uint64, bool) {
		return uint64(p.TTL), p.Version != 0
	})},
	{Name: "tos", Family: "ip", Doc: "type of service", Example: `tos:8;`, Setup: func(c *compiler, o rules.Option) error {
		v := unquote(o.Value)
		neg := strings.HasPrefix(v, "!")
		v = strings.TrimSpace(strings.TrimPrefix(v, "!"))
		v = strings.Replace(strings.ToLower(v), "x", "0x", 1)
		v = strings.Replace(v, "00x", "0x", 1)
		n, err := rules.ParseUint(v, 255)
		if err != nil {
			return err
		}
		c.notPlain()
		c.cond(func(c *ctx) bool { return c.p != nil && c.p.Version == 4 && (uint64(c.p.TOS) == n) != neg })
		return nil
	}},
	{Name: "id", Family: "ip", Doc: "identification of the IPv4 header", Example: `id:0;`, Setup: packetNumber(65535, func(p *packet.Packet) (uint64, bool) {
		return uint64(p.IPID), p.Version == 4
	})},
	{Name: "ip_proto", Family: "ip", Doc: "protocol number or name", Example: `ip_proto:17;`, Setup: setupIPProto},
	{Name: "sameip", Family: "ip", Doc: "source and destination are equal", Example: `sameip;`, Setup: func(c *compiler, o rules.Option) error {
		c.notPlain()
		c.cond(func(c *ctx) bool { return c.src == c.dst })
		return nil
	}},
	{Name: "fragbits", Family: "ip", Doc: "M, D and R bits of the IPv4 header", Example: `fragbits:M;`, Setup: setupFragbits},
	{Name: "fragoffset", Family: "ip", Doc: "fragment offset in units of 8 bytes", Example: `fragoffset:>0;`, Setup: packetNumber(8191, func(p *packet.Packet) (uint64, bool) {
		return uint64(p.FragOff / 8), p.Version != 0
	})},
	{Name: "ipopts", Family: "ip", Doc: "an option of the IPv4 header: rr, eol, nop, ts, sec, esec, lsrr, lsrre, ssrr, satid, any", Example: `ipopts:lsrr;`, Setup: setupIPOpts},
}

var protoNames = map[string]uint64{"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmp6": 58, "ospf": 89, "pim": 103, "sctp": 132}

func setupIPProto(c *compiler, o rules.Option) error {
	v := unquote(o.Value)
	op := byte('=')
	if v != "" && strings.IndexByte("!<>=", v[0]) >= 0 {
		op, v = v[0], strings.TrimSpace(v[1:])
	}
	n, ok := protoNames[strings.ToLower(v)]
	if !ok {
		x, err := strconv.ParseUint(v, 10, 8)
		if err != nil {
			return fail("%q is no IP protocol", v)
		}
		n = x
	}
	c.cond(func(c *ctx) bool {
		switch x := uint64(c.proto); op {
		case '!':
			return x != n
		case '<':
			return x < n
		case '>':
			return x > n
		default:
			return x == n
		}
	})
	c.notPlain()
	return nil
}

func setupFragbits(c *compiler, o rules.Option) error {
	var mask uint8
	mode := byte('=')
	for _, ch := range unquote(o.Value) {
		switch ch {
		case '+', '*', '!':
			mode = byte(ch)
		case 'M':
			mask |= 1
		case 'D':
			mask |= 2
		case 'R':
			mask |= 4
		case ' ':
		default:
			return fail("fragbits knows M, D and R, not %q", ch)
		}
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p == nil || c.p.Version != 4 {
			return false
		}
		f := c.p.IPFlags & 7
		// p.IPFlags holds reserved, DF, MF from the top.
		x := f&1 | f&2 | f&4
		switch mode {
		case '+':
			return x&mask == mask && x != 0
		case '*':
			return x&mask != 0
		case '!':
			return x&mask == 0
		}
		return x == mask
	})
	return nil
}

// optionTypes are the numbers of IPv4 options (RFC 791, 1108) by Suricata's
// name for them.
var optionTypes = map[string]int{"rr": 7, "eol": 0, "nop": 1, "ts": 68, "sec": 130, "esec": 133, "lsrr": 131, "lsrre": 131, "ssrr": 137, "satid": 136, "cipso": 134, "rtralt": 148, "any": -1}

func setupIPOpts(c *compiler, o rules.Option) error {
	n, ok := optionTypes[lowerTrim(unquote(o.Value))]
	if !ok {
		return fail("ipopts does not know %q", o.Value)
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p == nil || c.p.Version != 4 || c.p.IPHdr <= 20 || c.p.IPHdr > len(c.p.IP) {
			return false
		}
		opts := c.p.IP[20:c.p.IPHdr]
		for len(opts) > 0 {
			t := int(opts[0])
			if t == n || n < 0 {
				return true
			}
			switch {
			case t == 0:
				return false
			case t == 1:
				opts = opts[1:]
			case len(opts) < 2 || opts[1] < 2 || int(opts[1]) > len(opts):
				return false
			default:
				opts = opts[opts[1]:]
			}
		}
		return false
	})
	return nil
}

var tcpKeywords = []Keyword{
	{Name: "flags", Aliases: []string{"tcp.flags"}, Family: "tcp", Doc: "TCP flags, exact or with + * !, and flags to ignore", Example: `flags:S,12;`, Setup: setupFlags},
	{Name: "seq", Aliases: []string{"tcp.seq"}, Family: "tcp", Doc: "sequence number", Example: `seq:0;`, Setup: packetNumber(math.MaxUint32, func(p *packet.Packet) (uint64, bool) {
		return uint64(p.Seq), isTCP(p)
	})},
	{Name: "ack", Aliases: []string{"tcp.ack"}, Family: "tcp", Doc: "acknowledgement number", Example: `ack:0;`, Setup: packetNumber(math.MaxUint32, func(p *packet.Packet) (uint64, bool) {
		return uint64(p.Ack), isTCP(p)
	})},
	{Name: "window", Aliases: []string{"tcp.window"}, Family: "tcp", Doc: "window as in the header", Example: `window:1024;`, Setup: func(c *compiler, o rules.Option) error {
		v := unquote(o.Value)
		neg := strings.HasPrefix(v, "!")
		n, err := rules.ParseUint(strings.TrimSpace(strings.TrimPrefix(v, "!")), 65535)
		if err != nil {
			return err
		}
		c.notPlain()
		c.cond(func(c *ctx) bool { return c.p != nil && isTCP(c.p) && (uint64(c.p.Window) == n) != neg })
		return nil
	}},
	{Name: "tcp.mss", Family: "tcp", Doc: "maximum segment size of the SYN", Example: `tcp.mss:<536;`, Setup: packetNumber(65535, tcpMSS)},
	{Name: "tcp.wscale", Family: "tcp", Doc: "window scale of the SYN", Example: `tcp.wscale:>7;`, Setup: packetNumber(255, tcpScale)},
}

func isTCP(p *packet.Packet) bool { return p.Proto == packet.ProtoTCP && p.L4 != nil && !p.Fragment }

// tcpOption finds an option of the TCP header.
func tcpOption(p *packet.Packet, kind byte) []byte {
	if !isTCP(p) {
		return nil
	}
	opts := p.TCPOpts
	for len(opts) > 0 && opts[0] != 0 {
		if opts[0] == 1 {
			opts = opts[1:]
			continue
		}
		if len(opts) < 2 || opts[1] < 2 || int(opts[1]) > len(opts) {
			return nil
		}
		if opts[0] == kind {
			return opts[2:opts[1]]
		}
		opts = opts[opts[1]:]
	}
	return nil
}

func tcpMSS(p *packet.Packet) (uint64, bool) {
	o := tcpOption(p, 2)
	if len(o) != 2 {
		return 0, false
	}
	return uint64(o[0])<<8 | uint64(o[1]), true
}

func tcpScale(p *packet.Packet) (uint64, bool) {
	o := tcpOption(p, 3)
	if len(o) != 1 {
		return 0, false
	}
	return uint64(o[0]), true
}

var flagBits = map[rune]uint8{'F': packet.FIN, 'S': packet.SYN, 'R': packet.RST, 'P': packet.PSH, 'A': packet.ACK, 'U': packet.URG,
	'E': packet.ECE, 'C': packet.CWR, '1': packet.CWR, '2': packet.ECE, '0': 0}

func setupFlags(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	var want uint8
	mode := byte('=')
	for _, ch := range strings.ToUpper(p[0]) {
		switch ch {
		case '+', '*', '!', '=':
			mode = byte(ch)
		case ' ':
		default:
			b, ok := flagBits[ch]
			if !ok {
				return fail("flags does not know %q", ch)
			}
			want |= b
		}
	}
	ignore := uint8(0)
	if len(p) > 1 {
		for _, ch := range strings.ToUpper(p[1]) {
			b, ok := flagBits[ch]
			if !ok {
				return fail("flags does not know %q", ch)
			}
			ignore |= b
		}
	}
	c.notPlain()
	if (mode == '=' || mode == '+') && want&packet.SYN != 0 {
		c.syn = true
	}
	c.cond(func(c *ctx) bool {
		if c.p == nil || !isTCP(c.p) {
			return false
		}
		f := c.p.TCPFlags &^ ignore
		switch mode {
		case '+':
			return f&want == want && f != 0
		case '*':
			return f&want != 0
		case '!':
			return f&want != want || want == 0 && f != 0
		}
		return f == want
	})
	return nil
}

var icmpKeywords = []Keyword{
	{Name: "itype", Family: "icmp", Doc: "ICMP type", Example: `itype:8;`, Setup: numberSetup(255, true, func(p *packet.Packet) (uint64, bool) { return uint64(p.ICMPType), isICMP(p) })},
	{Name: "icode", Family: "icmp", Doc: "ICMP code", Example: `icode:0;`, Setup: numberSetup(255, true, func(p *packet.Packet) (uint64, bool) { return uint64(p.ICMPCode), isICMP(p) })},
	{Name: "icmp_id", Family: "icmp", Doc: "identifier of echo", Example: `icmp_id:1;`, Setup: packetNumber(65535, func(p *packet.Packet) (uint64, bool) { return echoField(p, 4) })},
	{Name: "icmp_seq", Family: "icmp", Doc: "sequence number of echo", Example: `icmp_seq:1;`, Setup: packetNumber(65535, func(p *packet.Packet) (uint64, bool) { return echoField(p, 6) })},
	{Name: "icmpv6.mtu", Family: "icmp", Doc: "MTU of packet too big", Example: `icmpv6.mtu:<1280;`, Setup: packetNumber(math.MaxUint32, func(p *packet.Packet) (uint64, bool) {
		if p.Proto != packet.ProtoICMPv6 || p.ICMPType != 2 || len(p.L4) < 8 {
			return 0, false
		}
		return uint64(p.L4[4])<<24 | uint64(p.L4[5])<<16 | uint64(p.L4[6])<<8 | uint64(p.L4[7]), true
	})},
}

func isICMP(p *packet.Packet) bool {
	return (p.Proto == packet.ProtoICMP || p.Proto == packet.ProtoICMPv6) && len(p.L4) >= 2 && !p.Fragment
}

// echoField reads identifier and sequence of the messages that have them:
// echo, timestamp, information and address mask (RFC 792, RFC 950, RFC 4443).
func echoField(p *packet.Packet, at int) (uint64, bool) {
	if !isICMP(p) || len(p.L4) < at+2 {
		return 0, false
	}
	if p.Proto == packet.ProtoICMP {
		switch p.ICMPType {
		case 0, 8, 13, 14, 15, 16, 17, 18:
		default:
			return 0, false
		}
	} else if p.ICMPType != 128 && p.ICMPType != 129 {
		return 0, false
	}
	return uint64(p.L4[at])<<8 | uint64(p.L4[at+1]), true
}
