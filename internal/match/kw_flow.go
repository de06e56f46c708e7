package match

import (
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

var flowKeywords = []Keyword{
	{Name: "flow", Family: "flow", Doc: "direction and state: to_server, to_client, established, not_established, stateless, only_stream, no_stream, only_frag, no_frag",
		Example: `flow:established,to_server; content:"x";`, Setup: setupFlow},
	{Name: "stream_size", Family: "flow", Doc: "bytes of the stream: server, client, both or either", Example: `stream_size:client,<,100;`, Setup: setupStreamSize},
	{Name: "flow.age", Family: "flow", Doc: "age of the flow: seconds of the clock since it began", Example: `flow.age:>3600;`, Setup: flowNumber(func(c *ctx) uint64 { return uint64(max(0, c.f.Last/1e9-c.f.Start/1e9)) })},
	{Name: "flow.pkts", Family: "flow", Doc: "packets of a side: toserver, toclient, either or both", Example: `flow.pkts:toserver,>3;`, Setup: flowSides(func(c *ctx, d packet.Dir) uint64 { return c.f.Side[d].Packets })},
	{Name: "flow.bytes", Family: "flow", Doc: "bytes of a side: toserver, toclient, either or both", Example: `flow.bytes:toclient,>3;`, Setup: flowSides(func(c *ctx, d packet.Dir) uint64 { return c.f.Side[d].Bytes })},
	{Name: "flow.pkts_toserver", Family: "flow", Doc: "packets of the client", Example: `flow.pkts_toserver:>3;`, Setup: flowNumber(func(c *ctx) uint64 { return c.f.Side[packet.ToServer].Packets })},
	{Name: "flow.pkts_toclient", Family: "flow", Doc: "packets of the server", Example: `flow.pkts_toclient:>3;`, Setup: flowNumber(func(c *ctx) uint64 { return c.f.Side[packet.ToClient].Packets })},
	{Name: "flow.bytes_toserver", Family: "flow", Doc: "bytes of the client", Example: `flow.bytes_toserver:>3;`, Setup: flowNumber(func(c *ctx) uint64 { return c.f.Side[packet.ToServer].Bytes })},
	{Name: "flow.bytes_toclient", Family: "flow", Doc: "bytes of the server", Example: `flow.bytes_toclient:>3;`, Setup: flowNumber(func(c *ctx) uint64 { return c.f.Side[packet.ToClient].Bytes })},
}

// flowSides reads "side,number".
func flowSides(get func(*ctx, packet.Dir) uint64) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		side, v, ok := strings.Cut(unquote(o.Value), ",")
		if !ok {
			return fail("%s needs a side and a number", o.Name)
		}
		u, err := rules.ParseUintRange(strings.TrimPrefix(strings.TrimSpace(v), "="), math.MaxUint64)
		if err != nil {
			return err
		}
		var test func(up, down bool) bool
		switch lowerTrim(side) {
		case "toserver":
			test = func(up, _ bool) bool { return up }
		case "toclient":
			test = func(_, down bool) bool { return down }
		case "either":
			test = func(up, down bool) bool { return up || down }
		case "both":
			test = func(up, down bool) bool { return up && down }
		default:
			return fail("%s knows toserver, toclient, either and both, not %q", o.Name, side)
		}
		c.notPlain()
		c.out.flags |= needFlow
		c.cond(func(c *ctx) bool {
			return c.f != nil && test(u.Match(get(c, packet.ToServer)), u.Match(get(c, packet.ToClient)))
		})
		return nil
	}
}

func flowNumber(get func(*ctx) uint64) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		u, err := rules.ParseUintRange(unquote(o.Value), math.MaxUint64)
		if err != nil {
			return err
		}
		c.notPlain()
		c.out.flags |= needFlow
		c.cond(func(c *ctx) bool { return c.f != nil && u.Match(get(c)) })
		return nil
	}
}

func setupFlow(c *compiler, o rules.Option) error {
	if err := require(o); err != nil {
		return err
	}
	if c.flowSeen {
		return fail("flow stands twice")
	}
	c.flowSeen = true
	c.notPlain()
	var seen uint32
	for _, p := range split(unquote(o.Value)) {
		var f uint32
		switch strings.ToLower(p) {
		case "established":
			f = established | needFlow
		case "not_established":
			f = notEstablish | needFlow
		case "stateless":
		case "to_server", "from_client":
			f = toServer | needFlow
		case "to_client", "from_server":
			f = toClient | needFlow
		case "only_stream":
			f = onlyStream
		case "no_stream":
			f = noStream
		case "only_frag":
			f = onlyFrag
		case "no_frag":
			f = noFrag
		default:
			return fail("flow does not know %q", p)
		}
		if f&^needFlow != 0 && seen&f&^needFlow != 0 {
			return fail("flow names %s twice", p)
		}
		seen |= f
	}
	for _, both := range [][2]uint32{{toServer, toClient}, {established, notEstablish}, {onlyStream, noStream}, {onlyFrag, noFrag}} {
		if seen&both[0] != 0 && seen&both[1] != 0 {
			return fail("flow:%s contradicts itself", o.Value)
		}
	}
	c.out.flags |= seen
	return nil
}

// setupStreamSize compares the bytes sent by one side, from its initial
// sequence number to the highest one seen.
func setupStreamSize(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) != 3 {
		return fail("stream_size needs a side, an operator and a number")
	}
	n, err := rules.ParseUint(p[2], math.MaxUint32)
	if err != nil {
		return err
	}
	var cmp func(v uint64) bool
	switch p[1] {
	case "=":
		cmp = func(v uint64) bool { return v == n }
	case "!=", "!":
		cmp = func(v uint64) bool { return v != n }
	case "<":
		cmp = func(v uint64) bool { return v < n }
	case ">":
		cmp = func(v uint64) bool { return v > n }
	case "<=":
		cmp = func(v uint64) bool { return v <= n }
	case ">=":
		cmp = func(v uint64) bool { return v >= n }
	default:
		return fail("stream_size does not know the operator %q", p[1])
	}
	side := strings.Clone(strings.ToLower(p[0]))
	switch side {
	case "client", "server", "both", "either":
	default:
		return fail("stream_size knows client, server, both and either, not %q", p[0])
	}
	c.notPlain()
	c.cond(func(c *ctx) bool {
		if c.f == nil || c.f.Midstream || c.proto != packet.ProtoTCP {
			return false
		}
		cl, sv := cmp(uint64(c.f.Sent(packet.ToServer))), cmp(uint64(c.f.Sent(packet.ToClient)))
		switch side {
		case "client":
			return cl
		case "server":
			return sv
		case "both":
			return cl && sv
		}
		return cl || sv
	})
	return nil
}
