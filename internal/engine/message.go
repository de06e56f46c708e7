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
		in := &inner{c: c, cand: c.w.e.msg.all}
		in.pc = proto.Conn{
			Transport: proto.Message, OnTx: in.onTx, OnAnomaly: c.onAnomaly,
			OnMessage: func(packet.Dir, []byte) {}, // one level of carried messages is looked into
			Client:    c.pc.Client, ClientPort: c.pc.ClientPort,
			Server: c.pc.Server, ServerPort: c.pc.ServerPort, Midstream: c.pc.Midstream,
		}
		c.inner = in
	}
	c.inner.message(d, msg)
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

func (in *inner) onTx(tx proto.Tx, done bool) { in.c.judge(&in.pc, tx, done) }

func (in *inner) end(w *Worker) {
	if in.parser != nil {
		in.parser.End(&in.pc)
		w.putParser(in.idx, in.parser)
		in.parser = nil
	}
	in.over = true
}
