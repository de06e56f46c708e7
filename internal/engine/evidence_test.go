package engine

import (
	"bytes"
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/packet"
)

func TestEvidence(t *testing.T) {
	var items []*evidence.Item
	col, err := evidence.New(evidence.Config{}, func(it *evidence.Item) { items = append(items, it) })
	if err != nil {
		t.Fatal(err)
	}
	set := compile(t, nil, 0, `alert udp any any -> any any (msg:"u"; content:"evil"; priority:1; sid:5;)`+"\n")
	w := newWorld(t, func(c *Config) { c.Evidence, c.Rules = col, set }, alpha)
	w.open(9)
	w.c(9, "ALPHA hello\n")
	w.c(9, "something bad\n")
	w.s(9, "and an answer\n")
	w.c(9, "finish\n")
	w.c(9, "this flow was let go\n")
	w.handle(frame(packet.ProtoUDP, false, 5353, 0, 0, 0, []byte("evil")))
	w.e.Close()
	col.Close()
	if len(items) != 2 {
		t.Fatalf("%d captures", len(items))
	}
	d := items[0].Data
	for _, want := range []string{"ALPHA hello", "something bad", "and an answer", "finish", "policy confirmed"} {
		if !bytes.Contains(d, []byte(want)) {
			t.Errorf("the capture lacks %q", want)
		}
	}
	if items[0].Packets != 7 || bytes.Contains(d, []byte("let go")) {
		t.Errorf("%d packets", items[0].Packets)
	}
	if items[1].SID != 5 || items[1].GID != 1 || items[1].Packets != 1 {
		t.Errorf("%+v", items[1])
	}
}

// BenchmarkEvidence is the way of a packet whose flow is looked into, without
// and with the recorder, and of one whose flow was let go.
func BenchmarkEvidence(b *testing.B) {
	for _, on := range []bool{false, true} {
		for _, word := range []string{"go", "finish"} {
			name := map[bool]string{false: "without", true: "with"}[on] + "/" + map[string]string{"go": "looked into", "finish": "let go"}[word]
			b.Run(name, func(b *testing.B) {
				cfg := Config{MaxFlows: 1024, Detectors: []detect.Detector{{Name: "bad", New: func() detect.Inline { return badWord{} }}},
					Sink: func(int) event.Sink { return event.SinkFunc(func(*event.Event) {}) }}
				cfg.Protocols = append(cfg.Protocols, alpha.protocol())
				if on {
					c, err := evidence.New(evidence.Config{}, func(*evidence.Item) {})
					if err != nil {
						b.Fatal(err)
					}
					defer c.Close()
					cfg.Evidence = c
				}
				e, err := New(cfg)
				if err != nil {
					b.Fatal(err)
				}
				w, now := e.Workers[0], int64(1e18)
				f := &packet.Frame{Link: packet.LinkEthernet}
				send := func(p []byte) {
					now += 60e6 // slow: a fast flow is soon bulk, which is not kept
					f.Time, f.Data, f.Len = now, p, len(p)
					w.Handle(f)
				}
				send(frame(6, false, 9, packet.SYN, 999, 0, nil))
				send(frame(6, true, 9, packet.SYN|packet.ACK, 4999, 1000, nil))
				send(frame(6, false, 9, packet.ACK, 1000, 5000, []byte("ALPHA "+word+"\n")))
				p := frame(6, false, 9, packet.ACK, 500, 5000, make([]byte, 600)) // bytes that were sent before
				b.ReportAllocs()
				for b.Loop() {
					send(p)
				}
			})
		}
	}
}
