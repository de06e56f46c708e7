package match

import (
	"bytes"
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/rules"
)

var hostKeywords = []Keyword{
	{Name: "xbits", Family: "host", Doc: "marks on hosts or pairs of hosts, with expiry", Example: `content:"x"; xbits:set,bad,track ip_src,expire 60;`, Setup: setupXbits},
	{Name: "hostbits", Family: "host", Doc: "marks on hosts", Example: `content:"x"; hostbits:set,bad,src;`, Setup: setupHostbits},
}

// defaultExpire is how long an xbit lives that says nothing (Suricata's
// DETECT_XBITS_EXPIRE_DEFAULT).
const defaultExpire = 30

// trackers of bits.
const (
	trackSrc = iota
	trackDst
	trackPair
	trackTx
)

func (c *ctx) bitKey(kind uint8, id uint32, track int) bitKey {
	k := bitKey{id: id, kind: kind}
	switch track {
	case trackSrc:
		k.a = c.src
	case trackDst:
		k.a = c.dst
	default:
		k.a, k.b = c.src, c.dst
		if bytes.Compare(k.a[:], k.b[:]) > 0 {
			k.a, k.b = k.b, k.a
		}
	}
	return k
}

func setupXbits(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	op := strings.ToLower(p[0])
	if op == "noalert" {
		c.out.flags |= noAlert
		return nil
	}
	if len(p) < 3 {
		return fail("xbits needs an operation, a name and track")
	}
	track, expire := -1, int64(defaultExpire)
	for _, m := range p[2:] {
		f := strings.Fields(m)
		if len(f) != 2 {
			return fail("xbits does not know %q", m)
		}
		switch f[0] {
		case "track":
			switch strings.ToLower(f[1]) {
			case "ip_src":
				track = trackSrc
			case "ip_dst":
				track = trackDst
			case "ip_pair":
				track = trackPair
			default:
				return fail("xbits tracks ip_src, ip_dst or ip_pair, not %q", f[1])
			}
		case "expire":
			n, err := rules.ParseUint(f[1], math.MaxInt32)
			if err != nil {
				return err
			}
			if n == 0 {
				return fail("xbits cannot expire at once")
			}
			expire = int64(n)
		default:
			return fail("xbits does not know %q", f[0])
		}
	}
	if track < 0 {
		return fail("xbits needs track ip_src, ip_dst or ip_pair")
	}
	return c.bits(op, kindXbit, p[1], track, expire)
}

func setupHostbits(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	op := strings.ToLower(p[0])
	if op == "noalert" {
		c.out.flags |= noAlert
		return nil
	}
	if len(p) < 2 {
		return fail("hostbits needs an operation and a name")
	}
	track := trackSrc
	if len(p) > 2 {
		switch strings.ToLower(p[2]) {
		case "src":
		case "dst":
			track = trackDst
		default:
			return fail("hostbits knows src and dst, not %q", p[2])
		}
	}
	return c.bits(op, kindHostbit, p[1], track, 300)
}

func (c *compiler) bits(op string, kind int, name string, track int, expire int64) error {
	c.notPlain()
	op = strings.Clone(op)
	id := c.b.set.names.id(kind, name)
	hosts := c.b.set.hosts
	k := uint8(kind)
	switch op {
	case "set", "unset", "toggle":
		c.xsets = true
		c.out.posts = append(c.out.posts, func(c *ctx) {
			key := c.bitKey(k, id, track)
			switch {
			case op == "unset", op == "toggle" && hosts.bit(key, c.now):
				hosts.clearBit(key)
			default:
				hosts.setBit(key, c.now, c.now+expire*1e9)
			}
		})
	case "isset", "isnotset":
		want := op == "isset"
		c.xreads = true
		c.cond(func(c *ctx) bool { return hosts.bit(c.bitKey(k, id, track), c.now) == want })
	default:
		return fail("%q is no operation on bits", op)
	}
	c.order.xbits = rank(c.xsets, c.xreads)
	return nil
}
