package synth

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// Every frame is sound, everything is said within a minute, and no device is
// there twice.
func TestFrames(t *testing.T) {
	for name, set := range map[string]struct {
		list  []Conversation
		least int
	}{"products": {Products(), 30}, "things": {Things(), 80}, "machines": {Machines(), 60}, "others": {Others(), 50}} {
		if len(set.list) < set.least {
			t.Errorf("%s: %d", name, len(set.list))
		}
		macs, labels := map[packet.MAC]bool{}, map[string]bool{}
		for _, c := range set.list {
			if macs[c.MAC] || labels[c.Name] || len(c.Frames) == 0 {
				t.Errorf("%s: %s is there already, or says nothing", name, c.Name)
			}
			macs[c.MAC], labels[c.Name] = true, true
			frames(t, c)
		}
	}
}

func frames(t *testing.T, c Conversation) {
	var dec packet.Decoder
	var p packet.Packet
	own := false
	for i := range c.Frames {
		f := &c.Frames[i]
		dec.Decode(&p, f)
		if p.Anomalies != 0 || p.Proto != packet.ProtoUDP && p.Proto != packet.ProtoTCP || f.Time-start > 60e9 {
			t.Errorf("%s, frame %d: %+v", c.Name, i, p)
		}
		if p.Proto == packet.ProtoUDP && (len(p.Payload) == 0 || p.SrcMAC != c.MAC) {
			t.Errorf("%s, frame %d: %+v", c.Name, i, p)
		}
		own = own || p.SrcMAC == c.MAC
	}
	if !own {
		t.Errorf("%s: nothing is from it", c.Name)
	}
}
