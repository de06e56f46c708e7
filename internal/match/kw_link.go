package match

import (
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

var linkKeywords = []Keyword{
	{Name: "vlan.id", Family: "ip", Doc: "identifier of a VLAN tag (0 to 4095), of any layer or of one: 0 is the outermost, -1 the innermost", Example: `vlan.id:200,0;`, Setup: setupVLANID},
	{Name: "vlan.layers", Family: "ip", Doc: "number of VLAN tags", Example: `vlan.layers:2;`, Setup: packetNumber(math.MaxUint8, func(p *packet.Packet) (uint64, bool) {
		return uint64(p.VLANs), true
	})},
	{Name: "igmp.type", Family: "igmp", Doc: "type of an IGMP message", Example: `igmp.type:0x11;`, Setup: packetNumber(math.MaxUint8, func(p *packet.Packet) (uint64, bool) {
		if !isIGMP(p) {
			return 0, false
		}
		return uint64(p.L4[0]), true
	})},
	{Name: "igmp-csum", Family: "igmp", Doc: "the checksum of an IGMP message is valid or invalid", Example: `igmp-csum:invalid;`, Setup: setupIGMPChecksum},
	{Name: "sctp.vtag", Family: "sctp", Doc: "verification tag", Example: `sctp.vtag:0;`, Setup: packetNumber(math.MaxUint32, func(p *packet.Packet) (uint64, bool) {
		if !isSCTP(p) {
			return 0, false
		}
		return uint64(p.L4[4])<<24 | uint64(p.L4[5])<<16 | uint64(p.L4[6])<<8 | uint64(p.L4[7]), true
	})},
	{Name: "sctp.chunk_cnt", Family: "sctp", Doc: "number of chunks", Example: `sctp.chunk_cnt:>1;`, Setup: packetNumber(math.MaxUint8, func(p *packet.Packet) (uint64, bool) {
		if !isSCTP(p) {
			return 0, false
		}
		n := uint64(0)
		for range chunksOf(p) {
			n++
		}
		return n, true
	})},
	{Name: "sctp.chunk_type", Family: "sctp", Doc: "type of a chunk, by number or name", Example: `sctp.chunk_type:init_ack;`, Setup: setupChunkType},
}

// setupVLANID reads "id[,layer]".
func setupVLANID(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 1 || len(p) > 2 {
		return fail("vlan.id needs an identifier and, if need be, a layer")
	}
	u, err := rules.ParseUintRange(p[0], 4095)
	if err != nil {
		return err
	}
	layer, any, all := int64(0), true, false
	if len(p) == 2 {
		switch strings.ToLower(p[1]) {
		case "any":
		case "all":
			all = true
		default:
			any = false
			// Three tags are the most that Suricata reads.
			if layer, err = rules.ParseInt(p[1], -3, 2); err != nil {
				return err
			}
		}
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p == nil || c.p.VLANs == 0 {
			return false
		}
		// Of three tags and more the outermost and the innermost are known.
		n := int64(c.p.VLANs)
		ids := c.p.VLAN[:min(n, 2)]
		if any {
			hits := 0
			for _, id := range ids {
				if u.Match(uint64(id)) {
					hits++
				}
			}
			return hits == len(ids) || hits > 0 && !all
		}
		at := layer
		if at < 0 {
			at += n
		}
		switch {
		case at == 0:
			return u.Match(uint64(ids[0]))
		case at == n-1 && at > 0:
			return u.Match(uint64(ids[1]))
		}
		return false
	})
	return nil
}

func isIGMP(p *packet.Packet) bool {
	return p.Version == 4 && p.Proto == packet.ProtoIGMP && !p.Fragment && len(p.L4) >= 8
}

// setupIGMPChecksum asks for the checksum over the whole message (RFC 3376
// section 4.1.2).
func setupIGMPChecksum(c *compiler, o rules.Option) error {
	want := false
	switch v := lowerTrim(unquote(o.Value)); v {
	case "valid":
		want = true
	case "invalid":
	default:
		return fail("igmp-csum knows valid and invalid, not %q", v)
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p == nil || !isIGMP(c.p) || c.p.Missing > 0 {
			return false
		}
		sum := uint32(0)
		for i, b := range c.p.L4 {
			if i&1 == 0 {
				sum += uint32(b) << 8
			} else {
				sum += uint32(b)
			}
		}
		for sum > 0xffff {
			sum = sum>>16 + sum&0xffff
		}
		return (sum == 0xffff) == want
	})
	return nil
}

func isSCTP(p *packet.Packet) bool { return p.Proto == packet.ProtoSCTP && len(p.L4) >= 12 }

// chunksOf walks the chunks of an SCTP packet (RFC 9260 section 3.2): their
// type and value. The last one may be cut off.
func chunksOf(p *packet.Packet) func(yield func(typ uint8, value []byte) bool) {
	return func(yield func(uint8, []byte) bool) {
		if !isSCTP(p) {
			return
		}
		for b := p.L4[12:]; len(b) >= 4; {
			n := int(b[2])<<8 | int(b[3])
			if n < 4 || !yield(b[0], b[4:max(4, min(n, len(b)))]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// chunkTypes are the names of RFC 9260 section 3.2, and those of RFC 4895,
// RFC 5061, RFC 6525, RFC 3758 and RFC 8260.
var chunkTypes = map[string]uint64{"data": 0, "init": 1, "init_ack": 2, "sack": 3, "heartbeat": 4, "hb_req": 4, "heartbeat_ack": 5, "hb_ack": 5, "abort": 6,
	"shutdown": 7, "shutdown_ack": 8, "error": 9, "cookie_echo": 10, "cookie_ack": 11, "ecne": 12, "cwr": 13, "shutdown_complete": 14,
	"auth": 15, "i_data": 64, "asconf_ack": 128, "re_config": 130, "pad": 132, "forward_tsn": 192, "asconf": 193, "i_forward_tsn": 194}

func setupChunkType(c *compiler, o rules.Option) error {
	v := lowerTrim(unquote(o.Value))
	var fits func(uint64) bool
	if n, ok := chunkTypes[strings.TrimPrefix(v, "!")]; ok {
		not := strings.HasPrefix(v, "!")
		fits = func(x uint64) bool { return (x == n) != not }
	} else {
		u, err := rules.ParseUintRange(v, math.MaxUint8)
		if err != nil {
			return err
		}
		fits = u.Match
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.p != nil {
			for typ := range chunksOf(c.p) {
				if fits(uint64(typ)) {
					return true
				}
			}
		}
		return false
	})
	return nil
}

// linkHeader takes the protocols below IP: arp and ether.
func (c *compiler) linkHeader(name string) bool {
	switch name {
	case "arp":
		// An ARP message is no IP packet: only linkRules sees it.
		c.cond(func(c *ctx) bool { return c.p != nil && c.p.EtherType == 0x0806 })
	case "ether":
		c.out.on = onV4 | onV6 | onAll
		c.cond(func(c *ctx) bool { return c.p != nil && len(etherHeader(c.p)) > 0 })
	default:
		return false
	}
	c.link = true
	c.notPlain()
	return true
}

// etherHeader is the outermost Ethernet header, nil when there is none.
func etherHeader(p *packet.Packet) []byte {
	if p.Frame == nil || p.Frame.Link != packet.LinkEthernet || len(p.Frame.Data) < 14 {
		return nil
	}
	return p.Frame.Data[:14]
}

// WantsLinks reports that rules look at frames without IP.
func (w *Worker) WantsLinks() bool { return len(w.set.links) > 0 }

// linkRules tries the rules on frames without IP.
func (w *Worker) linkRules() {
	c := &w.c
next:
	for _, id := range w.set.links {
		r := &w.set.rules[id]
		for _, f := range r.conds {
			if !f(c) {
				continue next
			}
		}
		if r.payload == nil && len(r.bufs) == 0 {
			w.found(id)
		}
	}
}
