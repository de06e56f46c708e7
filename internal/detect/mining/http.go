package mining

import (
	"bytes"
	"encoding/base64"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// maxBatch bounds the calls of one body that are judged. Wallets batch some
// tens; a miner asks for one thing at a time.
const maxBatch = 64

// http judges one request with its answer: getwork (long polling included),
// getblocktemplate of Bitcoin and of Monero daemons, *_getWork. What it shows is
// added to what the client has asked the server for before.
func (in *inline) http(f *flow.Flow, c *proto.Conn, t *http.Tx) (out event.Finding, ok bool) {
	if !t.RequestDone && t.RequestBody == nil {
		return out, false // the head may tell that a miner asks, the body what for
	}
	s := &in.session
	calls := body(t.RequestBody)
	v := visit{tx: t.Number(), request: t.RequestDone, answer: t.ResponseDone, poll: height(t.URI)}
	miner := stratum.IsMiner(t.UserAgent)
	rest := restOf(t.Method, t.URI)
	wait := longPoll(t)
	if !calls && !miner && !v.poll && !wait && rest == restNone {
		return out, false
	}
	*s = stratum.Session{}
	s.Seen(c.Time)
	if calls {
		v.looks = in.messages(packet.ToServer, t.RequestBody)
	}
	if miner {
		s.Agent.Set(t.UserAgent)
		s.Mark(stratum.MarkAgent)
		if v.poll {
			s.Mark(stratum.MarkHeightPoll)
			s.Is(stratum.DialectTemplate)
		}
	}
	if rest != restNone {
		in.rest(rest, t.RequestBody, t.ResponseBody)
	}
	if wait {
		s.Mark(stratum.MarkLongPoll)
	}
	if !miner && s.Marks == 0 {
		return in.judge(f, c, &v, s)
	}
	for _, h := range t.RequestHeaders {
		if name(h.Name, "x-mining-extensions") {
			s.Mark(stratum.MarkExtensions)
			s.Is(stratum.DialectGetwork) // getblocktemplate outranks it
		}
	}
	for _, h := range t.ResponseHeaders {
		if name(h.Name, "x-stratum") || name(h.Name, "x-long-polling") || name(h.Name, "x-reject-reason") {
			s.Mark(stratum.MarkPoolHeader)
			s.Is(stratum.DialectGetwork)
		}
	}
	if body(t.ResponseBody) {
		in.messages(packet.ToClient, t.ResponseBody)
	}
	if s.Marks&^(1<<stratum.MarkAgent) == 0 {
		return out, false // a miner's updater
	}
	v.h1 = t
	return in.judge(f, c, &v, s)
}

// What xmrig in solo mode asks a Monero daemon again and again for, to see
// whether a new block has come (recorded: captures/mining-lab pub-011).
func height(uri []byte) bool {
	switch string(uri) {
	case "/getheight", "/get_height", "/getinfo", "/get_info":
		return true
	}
	return false
}

// longPoll reports whether a request waits at a getwork pool for a new block: at
// the path that pools tell in X-Long-Polling, with the header that miners send
// along (Bitcoin wiki, "Getwork").
func longPoll(t *http.Tx) bool {
	if u := t.URI; len(u) < 3 || len(u) > 32 || !name(u[:3], "/lp") && !(len(u) > 4 && name(u[:5], "/long")) {
		return false
	}
	for _, h := range t.RequestHeaders {
		if name(h.Name, "x-mining-extensions") {
			return true
		}
	}
	return false
}

// body reports whether b may be calls or answers.
func body(b []byte) bool {
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', 0xef, 0xbb, 0xbf:
		case '{', '[':
			return true
		default:
			return false
		}
	}
	return false
}

// messages takes the calls or answers of a body into account and returns how
// many of them are what wallets and explorers ask.
func (in *inline) messages(d packet.Dir, b []byte) (looks uint32) {
	for range maxBatch {
		n, st := stratum.ParseMessage(b, &in.msg)
		if st == stratum.Malformed || n == 0 {
			return looks
		}
		if in.msg.Method == stratum.Other && looker(in.msg.MethodName()) {
			looks++
		}
		in.session.Observe(d, &in.msg)
		if b = b[n:]; st != stratum.Complete || len(b) == 0 {
			return looks
		}
	}
	return looks
}

// name compares a header's name without regard to case; want is lower case.
func name(b []byte, want string) bool {
	if len(b) != len(want) {
		return false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

// account takes the worker from HTTP's basic authentication (RFC 7617), as
// getwork and getblocktemplate have it, or from the path, where ethminer puts
// it ("/ADDRESS/worker").
func account(s *stratum.Session, t *http.Tx) {
	if len(s.Login.Bytes()) > 0 {
		return
	}
	if len(t.URI) > 1 && stratum.FindAddress(t.URI[1:]).Sure {
		s.Login.Set(t.URI[1:])
		return
	}
	for _, h := range t.RequestHeaders {
		if !name(h.Name, "authorization") || len(h.Value) < 7 || !name(h.Value[:6], "basic ") {
			continue
		}
		raw, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSpace(h.Value[6:]))
		if user, _, ok := bytes.Cut(raw, []byte(":")); err == nil && ok {
			s.Login.Set(user)
		}
	}
}

// host returns the pool as the request names it.
func host(c *proto.Conn, t *http.Tx) string {
	if len(t.Host) == 0 {
		return ""
	}
	port := t.Port
	if port == 0 {
		port = c.ServerPort
	}
	return string(t.Host) + ":" + strconv.Itoa(int(port))
}
