package seq

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// TestProtect: what content is worked out from a record's length, suite by suite.
func TestProtect(t *testing.T) {
	for _, tt := range []struct {
		name           string
		version, suite uint16
		length         int // of the record
		content        int // at least
		more           int // it may be so much more
	}{
		{"TLS 1.3", 0x0304, 0x1301, 217, 200, 0},
		{"version unknown", 0, 0, 217, 200, 0},
		{"1.2 AES-GCM", 0x0303, 0xc02f, 224, 200, 0},
		{"1.2 RSA AES-GCM", 0x0303, 0x009c, 224, 200, 0},
		{"1.2 AES-CCM", 0x0303, 0xc0ac, 224, 200, 0},
		{"1.2 AES-CCM-8", 0x0303, 0xc0ae, 216, 200, 0},
		{"1.2 ChaCha20", 0x0303, 0xcca8, 216, 200, 0},
		{"1.2 CBC SHA-1", 0x0303, 0xc013, 16 + 224, 188, 16}, // 188 to 203 bytes, 20 of MAC, 1 to 16 of padding
		{"1.1 CBC SHA-1", 0x0302, 0x002f, 16 + 224, 188, 16},
		{"1.0 CBC SHA-1", 0x0301, 0x002f, 224, 188, 16}, // no IV of its own
		{"1.2 CBC SHA-256", 0x0303, 0x003c, 16 + 240, 192, 16},
		{"1.2 CBC SHA-384", 0x0303, 0xc028, 16 + 256, 192, 16},
	} {
		var a Tracker
		a.Start(TLS13)
		a.Protect(tt.version, tt.suite)
		if n := a.content(tt.length); n < tt.content || n > tt.content+tt.more {
			t.Errorf("%s: a record of %d bytes holds %d", tt.name, tt.length, n)
		}
		if cbc := tt.more == 16; a.Blocks != cbc {
			t.Errorf("%s: rounded to blocks: %v", tt.name, a.Blocks)
		}
	}
}

// TestRounded: lengths that are all of whole blocks are known for such, others are
// not, and one that differs ends it.
func TestRounded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		length func(i int) int
		want   bool
	}{
		{"padded to 16", func(i int) int { return 16 * (3 + i) }, true},
		{"CBC, encrypt then MAC with SHA-1", func(i int) int { return 16*(5+i*3) + 20 }, true},
		{"one size only", func(int) int { return 16 * 9 }, false},
		{"three sizes", func(i int) int { return 16 * (4 + i%3) }, false},
		{"as they come", func(i int) int { return 60 + 7*i }, false},
		{"all but one", func(i int) int { return 16*(3+i) + i/2&1*i/3&1 }, false},
	} {
		var a Tracker
		a.Start(TLS13)
		at := uint32(1)
		for i := range 12 {
			b := record(23, tt.length(i))
			a.Segment(int64(i+1)*1e9, packet.ToClient, at, b, 0)
			at += uint32(len(b))
			if i == 1 && tt.name == "all but one" {
				b := record(23, 50)
				a.Segment(int64(i+1)*1e9+5e8, packet.ToClient, at, b, 0)
				at += uint32(len(b))
			}
		}
		if a.Blocks != tt.want {
			t.Errorf("%s: %v", tt.name, a.Blocks)
		}
	}
}

// TestFirst: an end of line in a record of its own, and a byte sent ahead, are part
// of the message; other records that come at once are told apart, and known to
// belong together.
func TestFirst(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   Kind
		sent   []int // at once
		first  [3]uint16
		joined uint8
	}{
		{"whole", TLS13, []int{400}, [3]uint16{400}, 0},
		{"end of line by itself", TLS13, []int{399, 1}, [3]uint16{400}, 0},
		{"first byte ahead", TLS12, []int{1, 399}, [3]uint16{400}, 0},
		{"two messages", TLS13, []int{60, 380}, [3]uint16{60, 380}, 2},
		{"packets", Raw, []int{60, 380}, [3]uint16{60, 380}, 0},
	} {
		var a Tracker
		a.Start(tt.kind)
		a.Message(1e9, packet.ToServer, 200)
		for i, n := range tt.sent {
			a.Message(2e9+int64(i)*1e6, packet.ToClient, n)
		}
		if got := [3]uint16(a.First[:3]); got != tt.first || a.Joined != tt.joined {
			t.Errorf("%s: %v, joined %b; want %v, %b", tt.name, got, a.Joined, tt.first, tt.joined)
		}
	}
}
