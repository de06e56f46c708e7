package mining

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http2"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// http2 judges a request over HTTP/2 as http does one over HTTP/1, and calls of
// gRPC for work.
func (in *inline) http2(f *flow.Flow, c *proto.Conn, t *http2.Tx) (out event.Finding, ok bool) {
	if !t.RequestHead {
		return out, false
	}
	miner := stratum.IsMiner(t.UserAgent)
	request := t.Body(packet.ToServer)
	g := grpcOf(t.Path)
	calls := g == grpcNone && body(request)
	v := visit{tx: t.Number(), request: t.RequestDone, answer: t.ResponseDone, poll: height(t.Path)}
	if !miner && !calls && !v.poll && g == grpcNone {
		return out, false
	}
	s := &in.session
	*s = stratum.Session{}
	s.Seen(c.Time)
	switch {
	case calls:
		v.looks = in.messages(packet.ToServer, request)
	case g != grpcNone:
		v.request = v.request || g == kaspaStream // which ends with the connection
		v.asks = in.grpc(g, request, t.Body(packet.ToClient))
	}
	if miner {
		s.Agent.Set(t.UserAgent)
		s.Mark(stratum.MarkAgent)
		if v.poll {
			s.Mark(stratum.MarkHeightPoll)
			s.Is(stratum.DialectTemplate)
		}
	}
	if !miner && s.Marks == 0 {
		return in.judge(f, c, &v, s)
	}
	for i := range t.RequestHeaders {
		if name(t.RequestHeaders[i].Name, "x-mining-extensions") {
			s.Mark(stratum.MarkExtensions)
			s.Is(stratum.DialectGetwork)
		}
	}
	for i := range t.ResponseHeaders {
		if n := t.ResponseHeaders[i].Name; name(n, "x-stratum") || name(n, "x-long-polling") {
			s.Mark(stratum.MarkPoolHeader)
			s.Is(stratum.DialectGetwork)
		}
	}
	if b := t.Body(packet.ToClient); g == grpcNone && body(b) {
		in.messages(packet.ToClient, b)
	}
	if s.Marks&^(1<<stratum.MarkAgent) == 0 {
		return out, false
	}
	v.h2 = t
	return in.judge(f, c, &v, s)
}
