package match

import (
	"math"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

var partKeywords = []Keyword{
	{Name: "subslice", Family: "transform", Doc: "a part: offset, number of bytes, truncate; negative numbers count from the end", Example: `http.uri; subslice:1,8; content:"x";`, Setup: transforming(subslice)},
	ipChecksum, checksum("tcpv4-csum", packet.ProtoTCP, 4), checksum("tcpv6-csum", packet.ProtoTCP, 6),
	checksum("udpv4-csum", packet.ProtoUDP, 4), checksum("udpv6-csum", packet.ProtoUDP, 6),
	checksum("icmpv4-csum", packet.ProtoICMP, 4), checksum("icmpv6-csum", packet.ProtoICMPv6, 6),
}

// subslice reads "offset[,number[,truncate]]" of Suricata 8. Without truncate
// a part that does not lie within the buffer is empty.
func subslice(v string) (transform, error) {
	p := split(v)
	if len(p) > 3 || len(p) == 3 && !strings.EqualFold(p[2], "truncate") {
		return nil, fail("subslice knows an offset, a number of bytes and truncate, not %q", v)
	}
	var n [2]int
	n[1] = math.MaxInt
	for i, s := range p[:min(len(p), 2)] {
		x, err := strconv.ParseInt(s, 10, 32)
		if err != nil || x > math.MaxUint16 || x < -math.MaxUint16 {
			return nil, fail("%q is no number from -65535 to 65535", s)
		}
		n[i] = int(x)
	}
	off, count, cut := n[0], n[1], len(p) == 3
	return func(dst, in []byte, _ *Worker) []byte {
		lo, hi := off, len(in)
		if lo < 0 {
			lo += len(in)
		}
		switch {
		case count == math.MaxInt:
		case count < 0:
			hi += count
		default:
			hi = lo + count
		}
		if cut {
			lo, hi = max(lo, 0), min(hi, len(in))
		}
		if lo < 0 || hi > len(in) || lo >= hi {
			return dst
		}
		return append(dst, in[lo:hi]...)
	}, nil
}

// checksum makes a keyword that asks whether the checksums of a packet of one
// transport are right. Those that the sender left to its network card are
// neither valid nor invalid.
func checksum(name string, proto, version uint8) Keyword {
	return Keyword{Name: name, Family: "ip", Doc: "the packet's checksums are valid or invalid", Example: name + ":invalid;", Setup: func(c *compiler, o rules.Option) error {
		var want bool
		switch v := lowerTrim(unquote(o.Value)); v {
		case "valid":
			want = true
		case "invalid":
		default:
			return fail("%s knows valid and invalid, not %q", o.Name, v)
		}
		c.notPlain()
		c.cond(func(c *ctx) bool {
			if c.p == nil || c.p.Proto != proto || c.p.Version != version {
				return false
			}
			ok, known := packet.VerifyChecksum(c.p)
			return known && ok == want
		})
		return nil
	}}
}
