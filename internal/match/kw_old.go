package match

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// oldKeywords are those that few rules still use.
var oldKeywords = []Keyword{
	{Name: "l3_proto", Family: "ip", Doc: "version of IP: ipv4 or ipv6", Example: `l3_proto:ipv4;`, Setup: func(c *compiler, o rules.Option) error {
		switch v := lowerTrim(unquote(o.Value)); v {
		case "ipv4", "ip4", "ip_v4":
			c.out.on &^= onV6
		case "ipv6", "ip6", "ip_v6":
			c.out.on &^= onV4
		default:
			return fail("l3_proto knows ipv4 and ipv6, not %q", v)
		}
		if c.out.on&(onV4|onV6) == 0 {
			return fail("the rule's protocol has no such packets")
		}
		c.notPlain()
		return nil
	}},
	{Name: "rpc", Family: "payload", Doc: "call of ONC RPC: program, version and procedure, * for any", Example: `rpc:100000,2,*;`, Setup: setupRPC},
	{Name: "flowvar", Family: "flow", Doc: "a variable that a pcre kept of the flow holds these bytes", Example: `flowvar:user,"root";`, Setup: func(c *compiler, o rules.Option) error {
		name, text, ok := strings.Cut(o.Value, ",")
		if !ok {
			return fail("flowvar needs a name and a text")
		}
		p, err := rules.ParseContent(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		name = c.b.keep(strings.TrimSpace(name))
		want := string(p.Bytes)
		c.notPlain()
		c.out.flags |= needFlow
		c.cond(func(c *ctx) bool { return c.fs != nil && c.fs.varHolds(name, want) != p.Negated })
		return nil
	}},
	{Name: "nfq_set_mark", Family: "meta", Doc: "accepted: packets are not marked by rules", Example: `content:"x"; nfq_set_mark:0x1/0xff;`, Setup: nothing, Inert: "packets are not marked by rules"},
}

// setupRPC reads "program,version,procedure" (RFC 5531 section 9); over TCP a
// record mark of four bytes comes before the call (section 11).
func setupRPC(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) > 3 {
		return fail("rpc takes a program, a version and a procedure")
	}
	var want [3]uint32
	var any [3]bool
	for i := range want {
		if any[i] = i >= len(p) || p[i] == "*"; any[i] {
			continue
		}
		n, err := strconv.ParseUint(p[i], 10, 32)
		if err != nil || n > math.MaxUint32 {
			return fail("%q is no number of RPC", p[i])
		}
		want[i] = uint32(n)
	}
	if any[0] {
		return fail("rpc needs a program")
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p == nil {
			return false
		}
		b := c.p.Payload
		switch c.proto {
		case packet.ProtoTCP:
			if len(b) < 4 {
				return false
			}
			b = b[4:]
		case packet.ProtoUDP:
		default:
			return false
		}
		if len(b) < 28 || binary.BigEndian.Uint32(b[4:]) != 0 {
			return false
		}
		for i := range want {
			if !any[i] && binary.BigEndian.Uint32(b[12+4*i:]) != want[i] {
				return false
			}
		}
		return true
	})
	return nil
}

// varHolds reports whether a variable of the flow holds these bytes.
func (f *Flow) varHolds(name, text string) bool {
	for i := range f.vars {
		if f.vars[i].name == name && strings.Contains(f.vars[i].value, text) {
			return true
		}
	}
	return false
}

// ipChecksum is ipv4-csum: of the header, RFC 791 section 3.1.
var ipChecksum = Keyword{Name: "ipv4-csum", Family: "ip", Doc: "the checksum is valid or invalid", Example: `ipv4-csum:invalid;`, Setup: func(c *compiler, o rules.Option) error {
	v := lowerTrim(unquote(o.Value))
	if v != "valid" && v != "invalid" {
		return fail("ipv4-csum knows valid and invalid, not %q", v)
	}
	good := v == "valid"
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p == nil || c.p.Version != 4 || c.p.IPHdr < 20 || c.p.IPHdr > len(c.p.IP) {
			return false
		}
		sum := uint32(0)
		for b := c.p.IP[:c.p.IPHdr]; len(b) >= 2; b = b[2:] {
			sum += uint32(binary.BigEndian.Uint16(b))
		}
		for sum > math.MaxUint16 {
			sum = sum>>16 + sum&math.MaxUint16
		}
		return (sum == math.MaxUint16) == good
	})
	return nil
}}
