package sip

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// MaxLines is how many lines of a session description are kept.
const MaxLines = 128

// Line is one line of a session description (RFC 8866 section 5): the letter
// that says what it is, the part it is in (0 the session, from 1 the media, in
// their order) and its value.
type Line struct {
	Kind  byte
	Part  int
	Value []byte
}

// describe reads the session description in a message's body.
func (t *Tx) describe() {
	t.SDP = t.SDP[:0]
	if !textline.Is(bytes.TrimSpace(before(t.Header("content-type"), ';')), "application/sdp") {
		return
	}
	part := 0
	for b := body(t); len(b) > 0 && len(t.SDP) < MaxLines; {
		line, rest, _ := bytes.Cut(b, []byte{'\n'})
		b = rest
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) < 2 || line[1] != '=' || line[0] == 'v' {
			continue
		}
		if line[0] == 'm' {
			part++
		}
		t.SDP = append(t.SDP, Line{line[0], part, line[2:]})
	}
}

func before(b []byte, c byte) []byte {
	if i := bytes.IndexByte(b, c); i >= 0 {
		return b[:i]
	}
	return b
}

// sdp makes a buffer of the lines of that kind: of the session, or of the media.
func sdp(name, doc string, kind byte, media bool) [2]proto.Buffer {
	var out [2]proto.Buffer
	for d := range out {
		out[d] = proto.Buffer{Name: name, Doc: doc, Dir: packet.Dir(d), Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || t.Dir != packet.Dir(d) {
				return nil, false
			}
			for k := range t.SDP {
				if l := &t.SDP[k]; l.Kind == kind && (l.Part > 0) == media {
					if i == 0 {
						return l.Value, true
					}
					i--
				}
			}
			return nil, false
		}}
	}
	return out
}

func sdpBuffers() (out []proto.Buffer) {
	for _, b := range [...][2]proto.Buffer{
		sdp("sdp.origin", "who opens the session (o=)", 'o', false),
		sdp("sdp.session_name", "name of the session (s=)", 's', false),
		sdp("sdp.session_info", "what the session is about (i=)", 'i', false),
		sdp("sdp.uri", "where more about the session is found (u=)", 'u', false),
		sdp("sdp.email", "mail address of who answers for the session (e=)", 'e', false),
		sdp("sdp.phone_number", "telephone number of who answers for the session (p=)", 'p', false),
		sdp("sdp.connection_data", "address of the session (c=)", 'c', false),
		sdp("sdp.bandwidth", "bandwidths of the session (b=)", 'b', false),
		sdp("sdp.time", "when the session is (t=)", 't', false),
		sdp("sdp.repeat_time", "when the session is again (r=)", 'r', false),
		sdp("sdp.timezone", "changes of the clock meanwhile (z=)", 'z', false),
		sdp("sdp.encryption_key", "key of the session (k=)", 'k', false),
		sdp("sdp.attribute", "attributes of the session (a=)", 'a', false),
		sdp("sdp.media.media", "media: kind, port, transport, formats (m=)", 'm', true),
		sdp("sdp.media.media_info", "what media are about (i=)", 'i', true),
		sdp("sdp.media.connection_data", "addresses of media (c=)", 'c', true),
		sdp("sdp.media.encryption_key", "keys of media (k=)", 'k', true),
	} {
		out = append(out, b[:]...)
	}
	return out
}

// encodeSDP appends Suricata's sdp object. Keys of the media are left out: of
// an encryption key only its method is told.
func (t *Tx) encodeSDP(e *event.Encoder) {
	if len(t.SDP) == 0 {
		return
	}
	e.Obj("sdp")
	for _, f := range [...]struct {
		kind byte
		key  string
	}{{'o', "origin"}, {'s', "session_name"}, {'i', "session_info"}, {'u', "uri"}, {'e', "email"}, {'p', "phone_number"}, {'c', "connection_data"}} {
		t.first(e, f.key, f.kind, 0)
	}
	t.all(e, "bandwidths", 'b', 0)
	open := false
	for i, l := range t.SDP {
		if l.Kind != 't' || l.Part != 0 {
			continue
		}
		if !open {
			e.Arr("time_descriptions")
			open = true
		}
		e.Obj("")
		e.Bytes("time", l.Value)
		if i+1 < len(t.SDP) && t.SDP[i+1].Kind == 'r' {
			e.Bytes("repeat_time", t.SDP[i+1].Value)
		}
		e.EndObj()
	}
	if open {
		e.EndArr()
	}
	t.first(e, "timezone", 'z', 0)
	t.first(e, "encryption_key", 'k', 0)
	t.all(e, "attributes", 'a', 0)
	if last := t.SDP[len(t.SDP)-1].Part; last > 0 {
		e.Arr("media_descriptions")
		for part := 1; part <= last; part++ {
			e.Obj("")
			t.first(e, "media", 'm', part)
			t.first(e, "media_info", 'i', part)
			t.all(e, "bandwidths", 'b', part)
			t.first(e, "connection_data", 'c', part)
			t.first(e, "encryption_key", 'k', part)
			t.all(e, "attributes", 'a', part)
			e.EndObj()
		}
		e.EndArr()
	}
	e.EndObj()
}

func (t *Tx) first(e *event.Encoder, key string, kind byte, part int) {
	for _, l := range t.SDP {
		if l.Kind == kind && l.Part == part {
			e.Bytes(key, public(l))
			return
		}
	}
}

func (t *Tx) all(e *event.Encoder, key string, kind byte, part int) {
	open := false
	for _, l := range t.SDP {
		if l.Kind != kind || l.Part != part {
			continue
		}
		if !open {
			e.Arr(key)
			open = true
		}
		e.Bytes("", public(l))
	}
	if open {
		e.EndArr()
	}
}

// public is a line's value without the key in it (k=, and a=crypto: of RFC 4568).
func public(l Line) []byte {
	if l.Kind == 'k' || l.Kind == 'a' && bytes.HasPrefix(l.Value, []byte("crypto:")) {
		return before(l.Value, ':')
	}
	return l.Value
}
