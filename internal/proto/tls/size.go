package tls

import "unsafe"

// Size returns the bytes that the session holds beyond its fixed size.
func (s *Session) Size() int {
	return cap(s.hello) + cap(s.server) + s.Tx.Certs[0].size() + s.Tx.Certs[1].size() + s.Tx.Prints.Size() + cap(s.Tx.version)
}

func (c *Chain) size() int { return cap(c.buf) + cap(c.text) + cap(c.ips) }

// Size returns the bytes that the fingerprints hold beyond their fixed size.
func (p *Prints) Size() int {
	return cap(p.ja3) + cap(p.ja3s) + cap(p.scratch.text) + cap(p.scratch.list)*int(unsafe.Sizeof(uint16(0)))
}

// Size implements proto.Sizer.
func (p *parser) Size() int { return cap(p.dir[0].msg) + cap(p.dir[1].msg) + p.session.Size() }
