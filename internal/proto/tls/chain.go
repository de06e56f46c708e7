package tls

import (
	"crypto/sha1"

	"github.com/yamori-net/yamori/internal/proto"
)

// MaxCerts bounds the certificates kept of one chain. Real chains have two to
// five.
const MaxCerts = 16

// maxKeptChain bounds the memory of a chain that Reset keeps: two or three
// certificates.
const maxKeptChain = 8 << 10

// Chain is what one side showed of itself: its certificates, leaf first.
type Chain struct {
	Seen    bool // a Certificate message came, perhaps an empty one
	N       int  // certificates kept
	Dropped bool // there were more than MaxCerts
	Leaf    Cert // zero but for Raw when malformed
	Bad     bool // the leaf or the list is malformed

	buf  []byte // the message's list of certificates
	span [MaxCerts]struct{ from, to int }

	text                    []byte // all texts, one after another
	sub, iss, ser, fpr, bfr piece
	aft, val                piece

	// Walk over the alternative names: those left, the number of the next and
	// how many of those before are addresses, whose texts are kept.
	sanRest         []byte
	sanNext, sanIPs int
	ips             []byte
}

// ipSlot holds the text of one address: its length, and at most 39 characters.
const ipSlot = 1 + 39

// piece is a text computed when first asked for.
type piece struct {
	have     bool
	from, to int
}

func (c *Chain) reset() {
	*c = Chain{buf: proto.Keep(c.buf, maxKeptChain), text: proto.Keep(c.text, maxKeptText), ips: proto.Keep(c.ips, maxKeptText)}
}

// read takes the body of a Certificate message of TLS up to 1.2 (RFC 5246
// section 7.4.2) and keeps a copy of it.
func (c *Chain) read(body []byte) {
	c.reset()
	c.Seen = true
	c.buf = append(c.buf, body...)
	if len(c.buf) < 3 {
		c.Bad = true
		return
	}
	end := 3 + u24(c.buf)
	if end > len(c.buf) {
		c.Bad = true
		end = len(c.buf)
	}
	for off := 3; off < end; {
		if off+3 > end || off+3+u24(c.buf[off:]) > end {
			c.Bad = true
			break
		}
		n := u24(c.buf[off:])
		if c.N == MaxCerts {
			c.Dropped = true
			break
		}
		c.span[c.N].from, c.span[c.N].to = off+3, off+3+n
		c.N++
		off += 3 + n
	}
	if c.N > 0 && ParseCert(c.DER(0), &c.Leaf) != nil {
		c.Bad = true
	}
}

func u24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// DER returns the i-th certificate as it was sent, i < N.
func (c *Chain) DER(i int) []byte { return c.buf[c.span[i].from:c.span[i].to] }

// fill computes p once with f, into the chain's text.
func (c *Chain) fill(p *piece, f func(c *Chain, dst []byte) []byte) []byte {
	if c.N == 0 || c.Leaf.Serial == nil {
		return nil
	}
	if !p.have {
		p.from = len(c.text)
		c.text = f(c, c.text)
		p.to = len(c.text)
		p.have = true
	}
	return c.text[p.from:p.to]
}

// Subject returns the leaf's subject as text, nil if there is no leaf.
func (c *Chain) Subject() []byte {
	return c.fill(&c.sub, func(c *Chain, dst []byte) []byte { return AppendName(dst, c.Leaf.Subject) })
}

// Issuer returns the leaf's issuer as text.
func (c *Chain) Issuer() []byte {
	return c.fill(&c.iss, func(c *Chain, dst []byte) []byte { return AppendName(dst, c.Leaf.Issuer) })
}

// Serial returns the leaf's serial number, "0A:1B:…".
func (c *Chain) Serial() []byte {
	return c.fill(&c.ser, func(c *Chain, dst []byte) []byte { return appendColons(dst, c.Leaf.Serial, true) })
}

// Fingerprint returns the SHA-1 of the leaf, "0a:1b:…". Rules and lists of bad
// certificates are keyed by SHA-1; nothing is trusted because of it.
func (c *Chain) Fingerprint() []byte {
	return c.fill(&c.fpr, func(c *Chain, dst []byte) []byte {
		sum := sha1.Sum(c.Leaf.Raw)
		return appendColons(dst, sum[:], false)
	})
}

// NotBefore returns the start of the leaf's validity, "2006-01-02T15:04:05".
func (c *Chain) NotBefore() []byte {
	return c.fill(&c.bfr, func(c *Chain, dst []byte) []byte { return c.Leaf.NotBefore.AppendTo(dst) })
}

// NotAfter returns the end of the leaf's validity.
func (c *Chain) NotAfter() []byte {
	return c.fill(&c.aft, func(c *Chain, dst []byte) []byte { return c.Leaf.NotAfter.AppendTo(dst) })
}

// Validity returns both, one after the other.
func (c *Chain) Validity() []byte {
	return c.fill(&c.val, func(c *Chain, dst []byte) []byte { return c.Leaf.NotAfter.AppendTo(c.Leaf.NotBefore.AppendTo(dst)) })
}

// SAN returns the i-th alternative name of the leaf. Asking in rising order
// costs one step each.
func (c *Chain) SAN(i int) ([]byte, bool) {
	if c.N == 0 || c.Leaf.SAN == nil || i < 0 {
		return nil, false
	}
	if c.sanNext == 0 || i < c.sanNext {
		c.sanRest, c.sanNext, c.sanIPs = c.Leaf.SAN, 0, 0
	}
	for {
		name, ip := nextSAN(&c.sanRest)
		if name == nil {
			return nil, false
		}
		c.sanNext++
		if ip {
			c.sanIPs++
		}
		if c.sanNext > i {
			if ip {
				name = c.ipText(c.sanIPs-1, name)
			}
			return name, true
		}
	}
}

// ipText returns the text of the k-th address among the alternative names. It
// is written once, so that it stays valid as long as the chain.
func (c *Chain) ipText(k int, ip []byte) []byte {
	for len(c.ips) < (k+1)*ipSlot {
		c.ips = append(c.ips, make([]byte, ipSlot)...)
	}
	slot := c.ips[k*ipSlot : (k+1)*ipSlot]
	if slot[0] == 0 {
		slot[0] = byte(len(appendIP(slot[1:1], ip)))
	}
	return slot[1 : 1+slot[0]]
}
