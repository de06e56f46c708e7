package http

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

func (p *parser) newTx() *Tx {
	t := txs.Get().(*Tx)
	t.num = p.made
	p.made++
	return t
}

func (t *Tx) release() {
	t.reset()
	txs.Put(t)
}

// requestLine begins a request.
func (p *parser) requestLine(c *proto.Conn, line, raw []byte) {
	s := &p.side[packet.ToServer]
	if _, ok := parseRequestLine(trim(line)); !ok {
		if !c.Midstream || p.answered {
			p.anomaly(c, anRequestLine)
		}
		s.state = stResync
		return
	}
	p.settleAnswer(c)
	t := p.newTx()
	p.push(c, t)
	s.tx, s.state = t, stHeaders
	m := &t.msg[packet.ToServer]
	r, _ := parseRequestLine(trim(m.startLine(line, raw)))
	t.Method, t.URI, t.Version = r.method, r.uri, r.version
	if len(r.version) == 0 {
		s.state = stHeaders09
	}
}

// settleAnswer uses what a new request says about the answer before it: a 204
// or 304 had no body, and an answer lost in a gap is over.
func (p *parser) settleAnswer(c *proto.Conn) {
	s := &p.side[packet.ToClient]
	switch s.state {
	case stMaybeBody:
		p.messageEnd(c, packet.ToClient)
	case stResync:
		for len(p.queue) > 0 && p.queue[0].RequestDone {
			p.finish(c, p.queue[0])
		}
	}
}

// push queues a request, within the limits.
func (p *parser) push(c *proto.Conn, t *Tx) {
	held := 0
	for _, q := range p.queue {
		held += len(q.msg[0].head) + len(q.msg[0].body)
	}
	for len(p.queue) >= MaxPending || held > maxPendingBytes && len(p.queue) > 1 {
		p.anomaly(c, anPending)
		old := p.queue[0]
		if old.started {
			old = p.queue[1]
		}
		held -= len(old.msg[0].head) + len(old.msg[0].body)
		p.lost++
		p.finish(c, old)
	}
	p.queue = append(p.queue, t)
}

// requestHead completes the head of the request being read.
func (p *parser) requestHead(c *proto.Conn) {
	s := &p.side[packet.ToServer]
	t := s.tx
	t.requestFields()
	t.RequestHead = true
	chunked, length := p.framingOf(c, packet.ToServer)
	if chunked || length > 0 {
		p.startBody(c, packet.ToServer, chunked, length)
		c.Emit(t, false)
		return
	}
	p.requestDone(c, t, false)
}

// requestFields fills in what is read from the request's head.
func (t *Tx) requestFields() {
	t.msg[packet.ToServer].read = true
	hs := t.msg[packet.ToServer].headers
	t.RequestHeaders = hs
	t.UserAgent = find(hs, "user-agent")
	t.Referer = find(hs, "referer")
	t.HostRaw = authority(t.URI)
	connect := textline.Is(t.Method, "connect")
	if connect && t.HostRaw == nil && !bytes.HasPrefix(t.URI, []byte{'/'}) {
		t.HostRaw = t.URI // host and port, RFC 9110 section 9.3.6; not a path
	}
	t.inTarget = len(t.HostRaw) > 0
	if !t.inTarget {
		t.HostRaw = find(hs, "host")
	}
	t.Host, t.Port = t.splitHost(t.HostRaw)
	if t.path, t.Path = normalise(t.path, t.URI); connect && t.inTarget {
		t.Path = t.URI[:0] // an authority has no path
	}
}

// splitHost separates a port and lowers the name.
func (t *Tx) splitHost(raw []byte) (host []byte, port uint16) {
	host = raw
	if i := bytes.LastIndexByte(raw, ':'); i >= 0 && bytes.IndexByte(raw[i:], ']') < 0 {
		if v, n := number(raw[i+1:]); n == len(raw)-i-1 && v < 1<<16 {
			host, port = raw[:i], uint16(v)
		}
	}
	if n := len(host); n > 1 && host[n-1] == '.' {
		host = host[:n-1]
	}
	lower := true
	for _, b := range host {
		lower = lower && (b < 'A' || b > 'Z')
	}
	if lower {
		return host, port
	}
	t.host = t.host[:0]
	for _, b := range host {
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		t.host = append(t.host, b)
	}
	return t.host, port
}

// requestDone notes that a request is complete; body says that it had one.
func (p *parser) requestDone(c *proto.Conn, t *Tx, body bool) {
	s := &p.side[packet.ToServer]
	t.RequestDone = true
	s.state, s.tx, s.scan = stStart, nil, 0
	if t.ResponseDone {
		p.finish(c, t)
		return
	}
	if t.started && t.ResponseHead && !body {
		c.Emit(t, false)
		return
	}
	if textline.Is(t.Method, "connect") || len(t.Header(packet.ToServer, "upgrade")) > 0 {
		s.state, s.tx = stWait, t
	}
	c.Emit(t, false)
}

// wait holds back what the client sends after CONNECT or an Upgrade until the
// answer says whose bytes they are.
func (p *parser) wait(c *proto.Conn, b []byte) (n int, more bool) {
	s := &p.side[packet.ToServer]
	connect := textline.Is(s.tx.Method, "connect")
	if !connect && probe(packet.ToServer, b) == proto.Yes {
		// The next request: who meant to change the protocol would wait.
		s.state, s.tx = stStart, nil
		return 0, true
	}
	if len(b) > maxTunnelWait {
		if connect {
			c.SetTarget(s.tx.Host, s.tx.Port)
		}
		p.switchTo(c, protocolOf(s.tx.Header(packet.ToServer, "upgrade"), connect))
	}
	return 0, false
}

// protocolOf names the protocol that an Upgrade field asks for.
func protocolOf(upgrade []byte, connect bool) string {
	switch {
	case connect:
	case hasToken(upgrade, "websocket"):
		return "websocket"
	case hasToken(upgrade, "h2c"):
		return "http2"
	}
	return ""
}

func (p *parser) switchTo(c *proto.Conn, name string) {
	p.switched = true
	c.Switch(name)
}

// settle09 completes a request of one line when the server begins to answer.
func (p *parser) settle09(c *proto.Conn) {
	if s := &p.side[packet.ToServer]; s.state == stHeaders09 {
		s.state = stHeaders
		p.requestHead(c)
	}
}

// finish emits a transaction for the last time and forgets it.
func (p *parser) finish(c *proto.Conn, t *Tx) {
	for i, q := range p.queue {
		if q == t {
			copy(p.queue[i:], p.queue[i+1:])
			p.queue[len(p.queue)-1] = nil
			p.queue = p.queue[:len(p.queue)-1]
			break
		}
	}
	for i := range p.side {
		if s := &p.side[i]; s.tx == t {
			s.tx = nil
			if s.state != stResync {
				s.state = stStart
			}
		}
	}
	p.closeFile(c, t, packet.ToServer, true)
	p.closeFile(c, t, packet.ToClient, true)
	c.Emit(t, true)
	t.release()
}
