package engine

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// inner is the protocol inside a flow's carried messages (WebSocket payloads).
type inner struct {
	c      *conn
	pc     proto.Conn
	parser proto.Parser
	idx    int
	cand   uint64
	seen   int
	over   bool
}

func (c *conn) onMessage(d packet.Dir, msg []byte) {
	if c.inner == nil {
		c.inner = c.w.newInner(c)
	}
	c.inner.message(d, msg)
}

func (w *Worker) newInner(c *conn) *inner {
	var in *inner
	if n := len(w.inners); n > 0 {
		in = w.inners[n-1]
		w.inners = w.inners[:n-1]
	} else {
		in = &inner{}
		in.pc.OnTx = in.onTx
		in.pc.OnAnomaly = func(name string) { in.c.anomaly(name) }
		in.pc.OnFile = func(*proto.File) {}
		in.pc.OnExpect = func(*proto.Expected) {}
		in.pc.OnMessage = func(packet.Dir, []byte) {} // one level of carried messages is looked into
	}
	in.c, in.cand, in.seen, in.over = c, w.e.msg.all, 0, false
	in.pc.Reset()
	in.pc.Transport = proto.Message
	in.pc.Client, in.pc.ClientPort = c.pc.Client, c.pc.ClientPort
	in.pc.Server, in.pc.ServerPort = c.pc.Server, c.pc.ServerPort
	in.pc.Midstream = c.pc.Midstream
	in.pc.TakeTarget(&c.pc)
	return in
}

func (in *inner) message(d packet.Dir, msg []byte) {
	if in.over {
		return
	}
	in.pc.Time = in.c.pc.Time
	w := in.c.w
	if in.parser == nil {
		t := &w.e.msg
		yes, weak, more := probe(t, in.cand, 0, d, msg)
		if yes < 0 {
			in.seen++
			in.over = in.seen >= ProbeDatagrams
			_, _ = weak, more // a whole message that is not telling tells nothing
			return
		}
		in.idx = t.idx[yes]
		in.parser = w.getParser(in.idx)
		in.pc.AppProto = w.e.cfg.Protocols[in.idx].Name
	}
	if _, err := in.parser.Parse(&in.pc, d, msg); err != nil || in.pc.Finished() {
		in.over = true
	}
	in.pc.Woken()
	in.pc.Switched()
}

func (in *inner) onTx(tx proto.Tx, done bool) { in.c.judge(&in.pc, in.idx, tx, done) }

func (in *inner) end(w *Worker) {
	if in.parser != nil {
		in.parser.End(&in.pc)
		w.putParser(in.idx, in.parser)
		in.parser = nil
	}
	in.over, in.c = true, nil
	w.inners = append(w.inners, in)
}
