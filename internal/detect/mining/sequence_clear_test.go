package mining

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/verdict"
)

// TestPoolsBegin: pools that others recorded, in clear, give out work at the
// beginning as the rule has it, whatever they say it in: their lines are what TLS
// would carry.
func TestPoolsBegin(t *testing.T) {
	dir := corpus.Path(t, 8, "captures")
	n := 0
	for _, file := range []string{"zeek-cryptomining/bitcoin-mining.pcap", "ndpi/mining.pcapng", // Bitcoin, Ethereum, Zcash, Monero
		"mining-lab/pub-002.pcap", "mining-lab/pub-003.pcap", "mining-lab/pub-013.pcap", "mining-lab/pub-014.pcap", "mining-lab/pub-015.pcap", "mining-lab/pub-023.pcap"} {
		looks := 0
		lines(t, filepath.Join(dir, filepath.FromSlash(file)), func(tr *seq.Tracker) {
			if v := look(tr); v.job != nil && tr.Bursts[0] > 1 {
				looks++
				if got := v.opening(); got == 0 || math.IsNaN(got) {
					t.Errorf("%s: %v with a job of %d after %v", file, got, v.job.Len, tr.First[:tr.Early])
				}
			}
		})
		if looks > 0 {
			n++
		}
	}
	if n < 8 {
		t.Errorf("%d captures", n)
	}
}

// lines replays a capture and hands each line of its TCP streams to a tracker of its
// own, as if it had been a record; look is called whenever one is due.
func lines(t *testing.T, file string, look func(*seq.Tracker)) {
	t.Helper()
	src, err := pcapfile.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	type stream struct {
		seq.Tracker
		client packet.Addr
		port   uint16
		next   [2]uint32
	}
	flows := map[packet.Key]*stream{}
	var dec packet.Decoder
	var p packet.Packet
	if err := src.Run(context.Background(), func(f *packet.Frame) (none verdict.Verdict) {
		dec.Decode(&p, f)
		if p.Proto != packet.ProtoTCP || len(p.Payload) == 0 {
			return none
		}
		var key packet.Key
		p.Key(&key)
		s := flows[key]
		if s == nil {
			s = &stream{client: p.Src, port: p.SrcPort}
			s.Start(seq.TLS13)
			s.Whole = true
			flows[key] = s
		}
		d := packet.ToClient
		if p.Src == s.client && p.SrcPort == s.port {
			d = packet.ToServer
		}
		end := p.Seq + uint32(len(p.Payload))
		if s.next[d] != 0 && int32(end-s.next[d]) <= 0 {
			return none // sent again
		}
		s.next[d] = end
		for line := range bytes.Lines(p.Payload) {
			s.Message(f.Time, d, len(line))
		}
		if s.Due(f.Time) {
			look(&s.Tracker)
		}
		return none
	}); err != nil {
		t.Fatal(err)
	}
}
