package stratum

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// TestPoolOfTheMiner: by which name a pool is known only its miner says. A
// server that says so of another, perhaps first, is not believed: devices are
// kept from that name.
func TestPoolOfTheMiner(t *testing.T) {
	for _, tt := range []struct {
		server, want string
		d            packet.Dir
	}{
		{`{"id":1,"method":"mining.subscribe","params":["m/1",null,"pool.example",3333]}`, "pool.example:3333", packet.ToServer},
		{`{"id":1,"method":"mining.subscribe","params":["m/1",null,"updates.example",443]}`, "", packet.ToClient},
	} {
		var s Session
		var m Message
		if _, st := ParseMessage([]byte(tt.server+"\n"), &m); st != Complete {
			t.Fatal(st)
		}
		s.Observe(tt.d, &m)
		if got := string(s.Pool.Bytes()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.server, got, tt.want)
		}
	}
}
