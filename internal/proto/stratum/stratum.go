// Package stratum reads streams and messages of JSON objects that are calls
// and answers, and tells from their meaning whether they are mining: Stratum
// and its many dialects, and what looks like them. See README.md.
package stratum

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// MaxMessage bounds one message in bytes. Of a longer one the beginning is
// judged, and the rest is followed to its end without being kept: block
// templates have megabytes.
const MaxMessage = 64 << 10

// Protocol is the table entry of this protocol. Flows that speak JSON-RPC
// about something other than mining are given the name "jsonrpc".
var Protocol = proto.Protocol{
	Name:  "stratum",
	Doc:   "Stratum and other mining protocols of JSON messages",
	On:    proto.TCP | proto.Message,
	Ports: []uint16{3333, 4444, 5555, 7777, 8888, 9999, 14444},
	Limit: MaxMessage,
	Event: "stratum",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "stratum.method", Doc: "method of a message sent by the client", Dir: packet.ToServer, Get: getMethod(packet.ToServer)},
		{Name: "stratum.server_method", Doc: "method of a message sent by the server", Dir: packet.ToClient, Get: getMethod(packet.ToClient)},
		{Name: "stratum.agent", Doc: "miner software as it named itself so far", Dir: packet.ToServer, Get: getAgent},
		{Name: "stratum.login", Doc: "account, payout address and worker as logged in so far", Dir: packet.ToServer, Get: getLogin},
	},
}

// Tx is the flow's one transaction: the latest message and what all of them
// have shown. It is emitted after every message and, as done, at the end.
type Tx struct {
	Session
	Msg  *Message   // nil when the flow has ended
	Dir  packet.Dir // of Msg
	Done bool       // the flow has ended
}

// EventType returns "stratum" for a flow that mines; other JSON-RPC is for
// rules and detectors only.
func (t *Tx) EventType() event.Type {
	if t.Mining() {
		return "stratum"
	}
	return ""
}

// EncodeEVE appends the summary of the flow.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("stratum")
	t.Session.EncodeMembers(e)
	e.EndObj()
}

// EncodeMembers appends what the session has shown to the open object.
func (s *Session) EncodeMembers(e *event.Encoder) {
	e.Str("dialect", s.Dialect.String())
	e.OptStr("coin", s.Coin())
	e.OptBytes("algorithm", s.Algorithm.Bytes())
	e.OptBytes("agent", s.Agent.Bytes())
	wallet, worker := s.Account()
	e.OptBytes("wallet", wallet)
	e.OptBytes("worker", worker)
	e.OptBytes("pool", s.Pool.Bytes())
	e.OptBytes("difficulty", s.Diff.Bytes())
	e.Uint("messages_toserver", uint64(s.Messages[packet.ToServer]))
	e.Uint("messages_toclient", uint64(s.Messages[packet.ToClient]))
	e.Uint("jobs", uint64(s.Jobs))
	e.Uint("shares", uint64(s.Shares))
	e.Uint("accepted", uint64(s.Accepted))
	e.Uint("rejected", uint64(s.Rejected))
}

func getMethod(d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i > 0 || t.Dir != d || t.Msg == nil {
			return nil, false
		}
		b := t.Msg.MethodName()
		return b, b != nil
	}
}

func getAgent(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*Tx)
	if !ok || i > 0 || t.Agent.n == 0 {
		return nil, false
	}
	return t.Agent.Bytes(), true
}

func getLogin(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*Tx)
	if !ok || i > 0 || t.Login.n == 0 {
		return nil, false
	}
	return t.Login.Bytes(), true
}
