package mining_test

import (
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
)

// TestBinaryKin: Stratum V2 and Duino-Coin through the whole engine, from the
// captures of their protocols, from their beginnings and picked up later.
func TestBinaryKin(t *testing.T) {
	for _, tt := range []struct {
		file, want string
		from       []int // frames after which it is still found, without those before
	}{
		{"stratumv2/testdata/clear.pcap", "confirmed stratum-v2 Lab Instruments/someone.shed/ pool.lab.example 1025", []int{6, 12, 20}},
		{"stratumv2/testdata/gap.pcap", "confirmed stratum-v2 Lab Instruments/someone.shed/ pool.lab.example 1025", nil},
		{"stratumv2/testdata/noise.pcap", "likely stratum-v2 // 10.77.0.1:443 1025", nil},
		{"stratumv2/testdata/lookalike.pcap", "", nil},
		{"duinocoin/testdata/mine.pcap", "confirmed duinocoin Official PC Miner 4.3/shed/labuser 10.77.0.1:2813 1024", []int{6, 9, 12}},
		{"duinocoin/testdata/bare.pcap", "confirmed duinocoin Official PC Miner 4.3/shed/labuser 10.77.0.1:8080 1024", []int{8}},
		{"duinocoin/testdata/gap.pcap", "confirmed duinocoin Official PC Miner 4.3/shed/labuser 10.77.0.1:2813 1024", nil},
		{"duinocoin/testdata/print-lookalike.pcap", "", nil},
	} {
		file := "../../proto/" + tt.file
		got := replay(t, file)
		if tt.want == "" {
			if len(got) > 0 {
				t.Errorf("%s: %+v", tt.file, got[0])
			}
			continue
		}
		if len(got) != 1 {
			t.Errorf("%s: %d findings", tt.file, len(got))
			continue
		}
		f := got[0]
		// What the first messages do not show yet comes later.
		say := fmt.Sprintf("%s %s %s %d", f.Level, f.Mining.Dialect, f.Mining.Pool, f.SignatureID)
		var level, dialect, rest string
		fmt.Sscan(tt.want, &level, &dialect, &rest)
		if f.Level.String() != level || f.Mining.Dialect != dialect || !f.FromClient || f.Category != event.Mining {
			t.Errorf("%s: %s, want %s", tt.file, say, tt.want)
		}
		for _, first := range tt.from {
			if got := replaySome(t, file, func(n int) bool { return n >= first }); len(got) != 1 || got[0].Level != f.Level {
				t.Errorf("%s without its first %d frames: %d findings", tt.file, first, len(got))
			}
		}
	}
}
