package seq

import (
	"math/rand/v2"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

const (
	c = packet.ToServer
	s = packet.ToClient
)

// sshPacket is the length on the wire of a packet with so much payload: block
// is the cipher's, tag what authenticates it (RFC 4253 section 6, lengths not
// padded as with all ciphers since 2014).
func sshPacket(payload, block, tag int) int {
	return 4 + (1+payload+4+block-1)/block*block + tag
}

// sshTalk is a login, a channel to an address, and then data.
func sshTalk(t *Tracker, block, tag int, data func(send func(at int64, d packet.Dir, n int))) {
	at := int64(1e9)
	send := func(d packet.Dir, payload int) {
		at += 80e6
		t.Message(at, d, sshPacket(payload, block, tag))
	}
	for _, m := range []struct {
		d packet.Dir
		n int
	}{{c, 17}, {s, 17}, {c, 36}, {s, 50}, {c, 118}, {s, 66}, {c, 270}, {s, 1}, {c, 32}, {s, 350}, {c, 63}, {s, 17}} {
		send(m.d, m.n)
	}
	data(func(after int64, d packet.Dir, n int) {
		at += after
		t.Message(at, d, sshPacket(n+9, block, tag))
	})
	t.Flush()
}

// TestSSH: the login is forgotten when a channel opens, lengths are those of
// the data within a block, and keep-alives are none of the talk.
func TestSSH(t *testing.T) {
	for _, cipher := range []struct{ block, tag int }{{8, 16}, {16, 16}, {16, 32}} {
		var tr Tracker
		tr.Start(SSH)
		sshTalk(&tr, cipher.block, cipher.tag, func(send func(int64, packet.Dir, int)) {
			send(1e9, c, 500)
			send(5e7, s, 480)
			r := rand.New(rand.NewPCG(1, 1))
			for i := range 40 {
				send(int64(r.ExpFloat64()*20e9)+1e9, c, 218+i/10) // digits of a counter
				send(5e7, s, 62+i/20)
				send(3e9, s, 402)
				send(9e9, c, 27-9) // keep-alive of the connection: a request of 27 bytes
				tr.Message(tr.blast+5e7, s, sshPacket(1, cipher.block, cipher.tag))
			}
		})
		if tr.Bursts[0] != 41 || tr.First[0] < 460 || tr.First[0] > 500 {
			t.Errorf("%v: %v messages, first %d", cipher, tr.Bursts, tr.First[0])
		}
		share := tr.Call[1]
		if share.N != 40 || share.Len < 203 || share.Len > 229 || share.Hit < 39 || share.Reply < 47 || share.Reply > 72 {
			t.Errorf("%v: share %+v", cipher, share)
		}
		if tr.Pushed != 40 || tr.Push[0].N != 40 {
			t.Errorf("%v: pushes %d, %+v", cipher, tr.Pushed, tr.Push[0])
		}
	}
}

// TestSSHChannels: what opens late does not make forget what was counted.
func TestSSHChannels(t *testing.T) {
	var tr Tracker
	tr.Start(SSH)
	sshTalk(&tr, 8, 16, func(send func(int64, packet.Dir, int)) {
		for range 30 {
			send(5e9, c, 200)
			send(5e7, s, 60)
		}
		send(5e9, c, 63-9)
		send(5e7, s, 17-9)
	})
	if tr.Bursts != [2]uint32{31, 31} {
		t.Errorf("%v messages", tr.Bursts)
	}
}

// TestQUIC: the handshake, acknowledgements and packets that look for the
// longest are none of the talk; an acknowledgement before data is no other
// message.
func TestQUIC(t *testing.T) {
	var tr Tracker
	tr.Start(QUIC)
	at := int64(1e9)
	send := func(after int64, d packet.Dir, first byte, n int) {
		at += after
		b := make([]byte, n)
		b[0] = first
		tr.Datagram(at, d, b, 0)
	}
	send(0, s, 0xc0, 1252)
	send(1e6, c, 0xe0, 1252)
	send(1e6, c, 0x40, 530)
	for _, n := range []int{1366, 1409, 1430, 1441} {
		send(9e7, c, 0x40, n)
		send(1e6, s, 0x40, n)
	}
	send(2e8, s, 0x40, 500)
	for i := range 30 {
		send(8e9, c, 0x40, 246+i%3*4)
		send(3e7, s, 0x40, 35)
		send(5e7, s, 0x40, 91+i%2*7)
		send(3e7, c, 0x40, 36)
		send(6e9, s, 0x40, 430+i%2*8)
	}
	tr.Flush()
	if tr.Bursts != [2]uint32{31, 61} || tr.Most > 450 {
		t.Fatalf("%v messages, longest %d", tr.Bursts, tr.Most)
	}
	if k := tr.Call[1]; k.N != 30 || k.Hit != 30 || k.Miss != 0 {
		t.Errorf("share %+v", k)
	}
	if p := tr.Push[0]; p.N != 30 {
		t.Errorf("job %+v", p)
	}
}

// TestSteps: lengths that change by whole entries of a list.
func TestSteps(t *testing.T) {
	for _, tt := range []struct {
		name          string
		next          func(r *rand.Rand) int
		comma, spaced bool
	}{
		{"commas", func(r *rand.Rand) int { return 500 + 67*r.IntN(12) + r.IntN(3) }, true, false},
		{"blanks", func(r *rand.Rand) int { return 500 + 68*r.IntN(12) + r.IntN(2) }, false, true},
		{"others", func(r *rand.Rand) int { return 500 + r.IntN(900) }, false, false},
		{"one length", func(*rand.Rand) int { return 900 }, false, false},
		{"short ones", func(r *rand.Rand) int { return 67 * (1 + r.IntN(4)) }, false, false},
	} {
		r := rand.New(rand.NewPCG(5, 5))
		var k Steps
		for range 60 {
			k.add(uint16(tt.next(r)), nears[TLS13])
		}
		most := k.N * 9 / 10
		if tt.comma != (k.N > 0 && k.Comma >= most) || tt.spaced != (k.N > 0 && k.Spaced >= most) {
			t.Errorf("%s: %+v", tt.name, k)
		}
	}
}

// TestAnew: an answer that sets a clock anew, and one that does not.
func TestAnew(t *testing.T) {
	for _, anew := range []bool{true, false} {
		var tr Tracker
		tr.Start(TLS13)
		r := rand.New(rand.NewPCG(3, 4))
		next, ask := int64(1e9), int64(5e9)
		tr.Message(1e8, c, 200)
		tr.Message(2e8, s, 140)
		for range 3000 {
			if ask < next {
				tr.Message(ask, c, 170)
				tr.Message(ask+70e6, s, 352)
				if anew {
					next = ask + 70e6 + 510e6
				}
				ask += int64(r.ExpFloat64()*20e9) + 2e9
				continue
			}
			tr.Message(next, s, 350)
			next += 510e6
		}
		if tr.Anew < 20 || anew != (tr.AnewHit*10 >= tr.Anew*8) || !anew && tr.AnewHit*2 > tr.Anew {
			t.Errorf("anew %v: %d of %d", anew, tr.AnewHit, tr.Anew)
		}
	}
}
