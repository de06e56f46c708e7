package mining

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http2"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// http2 judges a request by its header fields: bodies are not kept there. What
// tells is software that names itself together with what it asks for.
func (in *inline) http2(c *proto.Conn, t *http2.Tx) (f event.Finding, ok bool) {
	if !t.RequestHead || !stratum.IsMiner(t.UserAgent) {
		return f, false
	}
	s := &in.session
	*s = stratum.Session{}
	s.Seen(c.Time)
	s.Agent.Set(t.UserAgent)
	s.Mark(stratum.MarkAgent)
	if p := string(t.Path); p == heightPath || p == infoPath {
		s.Mark(stratum.MarkHeightPoll)
		s.Is(stratum.DialectTemplate)
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
	if !s.Mining() {
		return f, false
	}
	pool := ""
	if len(t.Host) > 0 {
		pool = string(t.Host) + ":" + strconv.Itoa(int(c.ServerPort))
	}
	return finding(s, c, event.Confirmed, pool), true
}
