package mining

import (
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var conn proto.Conn

// TestSealedUpstream: a device at home that others mine for in clear, and that
// passes it on inside TLS, is one story; and that they mine for it is evidence
// against its own connection.
func TestSealedUpstream(t *testing.T) {
	ds := Detectors()
	h := &home{in: []detect.Inline{ds[2].New()}, now: 1e18}
	q := ds[1].New().(*sequence)
	nas := [4]byte{192, 168, 1, 9}
	if f := h.mine(0, [4]byte{192, 168, 1, 21}, nas, 3333, login("XMRig/6.26.0")); f != nil {
		t.Fatalf("one miner is no story: %+v", f)
	}
	f := ends(0, 0xcb007105)
	f.Key.Lo = packet.AddrFrom4(nas[:])
	if a, _ := f.Client(); a != packet.AddrFrom4(nas[:]) {
		t.Fatalf("client %v", a)
	}
	got, _ := miner(t, q, f, tagTLS, "nas")
	var story *event.Finding
	serves := false
	for i := range got {
		if got[i].Family == "collector" {
			story = &got[i]
		}
		for _, e := range got[i].Evidence {
			serves = serves || e.Code == "sequence.serves"
		}
	}
	if story == nil || !serves {
		t.Fatalf("story %v, serves %v: %+v", story, serves, got)
	}
	codes := map[string]bool{}
	for _, e := range story.Evidence {
		codes[e.Code] = true
	}
	if story.Code != "mining.collector" || story.Level != event.Confirmed || story.Confidence >= 0.99 || !codes["collector.upstream_sealed"] ||
		!codes["collector.listens"] || story.Mining.MinersTotal != 1 || story.Mining.Pool != "203.0.113.5:443" {
		t.Errorf("%+v %+v", story, story.Mining)
	}
	// The next miner in clear is more of the same story, told when they have doubled.
	if f := h.mine(0, [4]byte{192, 168, 1, 22}, nas, 3333, login("XMRig/6.26.0")); f == nil || f.Mining.Pool != "203.0.113.5:443" {
		t.Errorf("%+v", f)
	}
}

// TestSealedMiners: the miners inside TLS, what is passed on in clear.
func TestSealedMiners(t *testing.T) {
	ds := Detectors()
	h := &home{in: []detect.Inline{ds[2].New()}, now: 1e18}
	q := ds[1].New().(*sequence)
	nas := [4]byte{192, 168, 1, 9}
	f := ends(0xc0a80115, 0)
	f.Key.Hi = packet.AddrFrom4(nas[:])
	if got, _ := miner(t, q, f, tagTLS, "computer"); len(got) == 0 || got[len(got)-1].Family == "collector" {
		t.Fatalf("%+v", got)
	}
	story := h.mine(0, nas, [4]byte{203, 0, 113, 5}, 443, login("xmrig-proxy/6.21.1"))
	if story == nil || story.Level != event.Likely || story.Evidence[0].Code != "collector.listens_sealed" || story.Mining.MinersTotal != 1 {
		t.Errorf("%+v", story)
	}
}

// TestSealedAlone: a server on the internet that one device has such a
// connection with is no collector.
func TestSealedAlone(t *testing.T) {
	q := Detectors()[1].New().(*sequence)
	for c := range uint32(3) {
		for _, f := range func() []event.Finding {
			g, _ := miner(t, q, ends(0xc0a80115+c, 0xcb007105), tagTLS, "computer")
			return g
		}() {
			if f.Family == "collector" {
				t.Fatalf("%+v", f)
			}
		}
	}
}
