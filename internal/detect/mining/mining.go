// Package mining finds cryptocurrency mining in clear text: Stratum and its
// dialects on any port and inside WebSocket, getwork and getblocktemplate over
// HTTP. It judges what messages mean, never words in them: two independent
// marks in one message, or a message and its answer. See README.md.
package mining

import (
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// Detector is the table entry of this detector.
var Detector = detect.Detector{
	Name: "mining",
	Doc:  "cryptocurrency mining in clear text, whatever the dialect and port",
	New:  func() detect.Inline { return new(inline) },
}

// inline is one worker's detector. The session and message are scratch memory
// for bodies of HTTP; streams and WebSocket messages bring their own.
type inline struct {
	session stratum.Session
	msg     stratum.Message
	update  event.MiningUpdate
}

// Inspect judges a transaction of stratum or http.
func (in *inline) Inspect(_ *flow.Flow, c *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	switch t := tx.(type) {
	case *stratum.Tx:
		return in.stream(c, t)
	case *http.Tx:
		return in.http(c, t)
	}
	return event.Finding{}, false
}

// stream judges what a flow's messages have shown so far.
func (in *inline) stream(c *proto.Conn, t *stratum.Tx) (f event.Finding, ok bool) {
	switch {
	case t.Reported:
		return f, false
	case t.Mining():
		t.Reported = true
		return finding(&t.Session, c, event.Confirmed, ""), true
	case t.Done && t.Marks.Has(stratum.MarkMethod):
		// A miner's call that nobody answered, or too little of a conversation:
		// worth a note, no more.
		t.Reported = true
		return finding(&t.Session, c, event.Suspect, ""), true
	}
	return f, false
}
