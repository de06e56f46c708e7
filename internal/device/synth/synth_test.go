package synth

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// Every frame is sound, and everything is said within a minute.
func TestFrames(t *testing.T) {
	list := Products()
	if len(list) < 30 {
		t.Fatal(len(list))
	}
	var dec packet.Decoder
	var p packet.Packet
	for _, c := range list {
		for i := range c.Frames {
			f := &c.Frames[i]
			dec.Decode(&p, f)
			if p.Anomalies != 0 || p.Proto != packet.ProtoUDP || len(p.Payload) == 0 || p.SrcMAC != c.MAC || f.Time-start > 60e9 {
				t.Errorf("%s, frame %d: %+v", c.Name, i, p)
			}
		}
	}
}
