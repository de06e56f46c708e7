package reassembly_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// witness holds what was sent in one direction, the first copy of every byte,
// and checks that the stream delivers just that.
type witness struct {
	t      *testing.T
	name   string
	stream reassembly.Stream
	base   uint32 // number of sent[0]
	based  bool
	sent   []byte
	have   []bool
	at     uint32
	begun  bool
	bytes  int
	gaps   int
}

// farthest bounds what a witness remembers; bytes beyond are not compared.
const farthest = 4 << 20

func (w *witness) segment(seq uint32, b []byte) {
	if !w.based && len(b) > 0 {
		w.base, w.based = seq-1<<16, true
	}
	for i, x := range b {
		if pos := seq + uint32(i) - w.base; pos < farthest {
			for int(pos) >= len(w.sent) {
				w.sent, w.have = append(w.sent, 0), append(w.have, false)
			}
			if !w.have[pos] {
				w.sent[pos], w.have[pos] = x, true
			}
		}
	}
}

func (w *witness) Data(b []byte) {
	if !w.begun { // the stream has moved on already
		w.at, w.begun = w.stream.Next()-uint32(len(b)), true
	}
	for i, x := range b {
		pos := w.at + uint32(i) - w.base
		if pos < farthest && (int(pos) >= len(w.have) || !w.have[pos] || w.sent[pos] != x) {
			w.t.Errorf("%s: byte %d is not what was sent first", w.name, w.bytes+w.gaps+i)
			return
		}
	}
	w.at += uint32(len(b))
	w.bytes += len(b)
	w.check()
}

func (w *witness) Gap(n int) {
	if !w.begun {
		w.at, w.begun = w.stream.Next()-uint32(n), true
	}
	w.at += uint32(n)
	w.gaps += n
	w.check()
}

func (w *witness) check() {
	if w.at != w.stream.Next() || uint64(w.bytes) != w.stream.Delivered() {
		w.t.Errorf("%s: stream is at %d, its output at %d", w.name, w.stream.Next(), w.at)
	}
}

// Every TCP flow of every capture at hand: what comes out is what went in,
// first copy first, and nothing stays behind.
func TestCaptures(t *testing.T) {
	root, every := os.Getenv("YAMORI_TESTDATA"), 1
	if root == "" {
		root, every = "../../../shared", 6
	}
	var files []string
	filepath.WalkDir(filepath.Join(root, "captures"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(d.Name(), ".pcap") {
			files = append(files, path)
		}
		return nil
	})
	if len(files) == 0 {
		t.Skipf("all cases skipped: no captures below %s (set YAMORI_TESTDATA)", root)
	}
	if every > 1 {
		t.Logf("every sixth of %d captures; set YAMORI_TESTDATA for all", len(files))
	}
	pool := reassembly.NewPool(reassembly.Config{})
	var flows flow.Stats
	var delivered, gaps uint64
	for i, path := range files {
		if i%every != 0 {
			continue
		}
		type pair [2]witness
		table := flow.NewTable(flow.Config{MaxFlows: 4096, OnEnd: func(f *flow.Flow, _ flow.Reason) {
			p, ok := f.App.(*pair)
			if !ok {
				return
			}
			for d := range p {
				w := &p[d]
				w.stream.Flush(pool, w)
				w.stream.Stop(pool)
				delivered += uint64(w.bytes)
				gaps += uint64(w.gaps)
			}
		}})
		r, err := pcapfile.Open(path)
		if err != nil {
			continue // some captures are damaged on purpose
		}
		dec := packet.Decoder{}
		var p packet.Packet
		var frame packet.Frame
		for {
			if err := r.Next(&frame); errors.Is(err, io.EOF) || err != nil {
				break
			}
			dec.Decode(&p, &frame)
			if p.Version == 0 {
				continue
			}
			table.Advance(p.Time)
			f, d, _ := table.Lookup(&p)
			if p.Proto != packet.ProtoTCP || len(p.L4) == 0 {
				continue
			}
			x, ok := f.App.(*pair)
			if !ok {
				x = &pair{}
				for d := range x {
					x[d].t, x[d].name = t, filepath.Base(path)
				}
				f.App = x
			}
			w, o := &x[d], &x[d.Reverse()]
			syn := p.TCPFlags&packet.SYN != 0
			if p.TCPFlags&packet.ACK != 0 {
				o.stream.Ack(pool, p.Ack, o)
			}
			seq := p.Seq
			if syn {
				seq++
			}
			w.segment(seq, p.Payload)
			w.stream.Segment(pool, p.Seq, syn, p.TCPFlags&packet.FIN != 0, p.Payload, p.Missing, p.Time, w)
		}
		r.Close()
		table.Close()
		st := table.Stats()
		flows.Created += st.Created
		flows.Midstream += st.Midstream
		flows.BadResets += st.BadResets
		flows.Reused += st.Reused
	}
	st := pool.Stats()
	if st.HeldBytes != 0 || st.Holding != 0 {
		t.Errorf("the pool still holds %d bytes", st.HeldBytes)
	}
	t.Logf("%d flows (%d midstream, %d reused, %d bad resets), %d bytes delivered, %d lost, %+v",
		flows.Created, flows.Midstream, flows.Reused, flows.BadResets, delivered, gaps, st)
}
