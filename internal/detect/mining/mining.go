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
	"github.com/yamori-net/yamori/internal/proto/duinocoin"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/http2"
	"github.com/yamori-net/yamori/internal/proto/p2pool"
	"github.com/yamori-net/yamori/internal/proto/stratum"
	"github.com/yamori-net/yamori/internal/proto/stratumv2"
)

// Detector is the table entry of this detector.
// Its workers share nothing; those of Detectors share what was asked for over HTTP.
var Detector = detect.Detector{
	Name: "mining",
	Doc:  "cryptocurrency mining in clear text, whatever the dialect and port",
	New:  func() detect.Inline { return &inline{asker: newAsker()} },
}

// detectorWith returns the detector whose workers share a table.
func detectorWith(a *asker) detect.Detector {
	d := Detector
	d.New = func() detect.Inline { return &inline{asker: a} }
	return d
}

// inline is one worker's detector. The session and message are scratch memory
// for bodies of HTTP; streams and WebSocket messages bring their own.
type inline struct {
	session stratum.Session
	msg     stratum.Message
	update  event.MiningUpdate
	asker   *asker
	last    lastTold

	unpacker *unpacker // made when it is first needed
}

// Inspect judges a transaction of stratum, of its binary kin, or of http.
func (in *inline) Inspect(f *flow.Flow, c *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	switch t := tx.(type) {
	case *http.Tx:
		return in.http(f, c, t)
	case *http2.Tx:
		return in.http2(f, c, t)
	}
	if s, done := sessionOf(tx); s != nil {
		return in.stream(c, s, done, level(tx))
	}
	return event.Finding{}, false
}

// level is how sure a session that mines can be.
func level(tx proto.Tx) event.Level {
	if t, ok := tx.(*stratumv2.Tx); ok && t.Noise {
		return event.Likely // lengths alone
	}
	return event.Confirmed
}

// stream judges what a flow's messages have shown so far.
func (in *inline) stream(c *proto.Conn, s *stratum.Session, done bool, sure event.Level) (f event.Finding, ok bool) {
	switch {
	case s.Reported:
		return f, false
	case s.Mining():
		s.Reported = true
		return finding(s, c, sure, ""), true
	case done && s.Marks.Has(stratum.MarkMethod):
		// A miner's call that nobody answered, or too little of a conversation:
		// worth a note, no more.
		s.Reported = true
		return finding(s, c, event.Suspect, ""), true
	}
	return f, false
}

// Hold lets a miner be judged by the account it logs in with, which most name
// some messages after those that show what they are. Who has logged in by
// another name, or hands in work, will not name one.
func (in *inline) Hold(tx proto.Tx) bool {
	s, done := sessionOf(tx)
	if s == nil || done || s.Shares > 0 {
		return false
	}
	if _, worker := s.Account(); len(worker) > 0 {
		return false
	}
	s.Reported = false
	return true
}

// sessionOf returns the session behind a transaction, nil where there is none,
// and whether its flow has ended.
func sessionOf(tx proto.Tx) (s *stratum.Session, done bool) {
	switch t := tx.(type) {
	case *stratum.Tx:
		return &t.Session, t.Done
	case *stratumv2.Tx:
		return &t.Session, t.Done
	case *duinocoin.Tx:
		return &t.Session, t.Done
	case *p2pool.Tx:
		return &t.Session, t.Done
	}
	return nil, false
}
