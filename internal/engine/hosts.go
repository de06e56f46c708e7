package engine

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/verdict"
)

// hostBuffers are the buffers in which a client names the server it wants.
var hostBuffers = [...]string{"tls.sni", "quic.sni", "http.host"}

// maxHost is the longest host name, RFC 1035 section 2.3.4.
const maxHost = 253

// hostGetter returns how to read that name from the transactions of p; nil: p
// has none.
func hostGetter(p *proto.Protocol) func(proto.Tx, int) ([]byte, bool) {
	for _, b := range p.Buffers {
		for _, name := range hostBuffers {
			if b.Name == name {
				return b.Get
			}
		}
	}
	return nil
}

// seeHost remembers the name that the client of c claims to talk to, and asks
// whether the owner blocks it.
func (c *conn) seeHost(app int, tx proto.Tx) {
	w := c.w
	if w.hosts[app] == nil {
		return
	}
	h, ok := w.hosts[app](tx, 0)
	if !ok || len(h) == 0 || len(h) > maxHost || bytes.Equal(h, c.host) {
		return
	}
	c.host = append(c.host[:0], h...)
	s := w.e.cfg.Judge.Load()
	if s == nil || !w.e.cfg.Inline || !s.BlocksHosts() {
		return
	}
	fl := c.flow
	q := w.query(fl, true, c.pc.Time)
	if !w.devices.Home(q.Local) || q.RemotePort == 0 {
		return
	}
	d := s.Decide(q)
	if d.Verdict.Action < verdict.Drop {
		return
	}
	if d.Verdict.Action > w.judged.v.Action {
		w.judged.v = d.Verdict
	}
	// The name stays that of the flow: no later packet takes it back.
	fl.Stopped, fl.Condemned, fl.Action = d.Verdict.Action, true, "drop"
}

// claim adds the name that the flow's client asked for, where the query's other
// end is the server.
func claim(q *policy.Query, fl *flow.Flow) {
	if c, ok := fl.App.(*conn); ok && len(c.host) > 0 && q.RemotePort != 0 {
		q.Host, q.HostClaimed = string(c.host), true
	}
}

// poolHost returns the name in "name:port"; empty: it is an address.
func poolHost(pool string) string {
	h, _, _ := strings.Cut(pool, ":")
	if strings.HasPrefix(pool, "[") || strings.Trim(h, "0123456789.") == "" || strings.Count(pool, ":") > 1 {
		return ""
	}
	return h
}
