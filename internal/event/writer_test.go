package event

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

type failing struct{ n int }

func (f *failing) Write([]byte) (int, error) { f.n++; return 0, errors.New("disk full") }

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := &Writer{W: &out}
	for range 1000 {
		w.Event(sample())
	}
	if out.Len() == 0 {
		t.Error("nothing was written before the flush")
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1000 {
		t.Errorf("%d lines", n)
	}
	f := &failing{}
	w = &Writer{W: f}
	for range 1000 {
		w.Event(sample())
	}
	if w.Flush() == nil || f.n != 1 {
		t.Errorf("a failed write was repeated %d times or forgotten", f.n)
	}
}

// stuck is a disk that does not answer until it is let go.
type stuck struct {
	go_ chan struct{}
	out bytes.Buffer
}

func (s *stuck) Write(b []byte) (int, error) { <-s.go_; return s.out.Write(b) }

// A stuck disk never stops a worker: what does not fit is dropped and counted,
// and every line that is written is whole.
func TestQueueDropsAndCounts(t *testing.T) {
	d := &stuck{go_: make(chan struct{})}
	q := NewQueue(d)
	f := q.NewFront()
	const n = 20000 // about 17 MB, four times what the queue holds
	for range n {
		f.Event(sample())
	}
	f.Flush()
	close(d.go_)
	q.Close()
	lines := strings.Count(d.out.String(), "\n")
	if q.Dropped() == 0 || lines == 0 {
		t.Fatalf("%d lines written, %d dropped", lines, q.Dropped())
	}
	if uint64(lines)+q.Dropped() != n {
		t.Errorf("%d written and %d dropped are not %d", lines, q.Dropped(), n)
	}
	if !strings.HasSuffix(d.out.String(), "}\n") {
		t.Error("the last line is not whole")
	}
}

func TestQueueCountsErrors(t *testing.T) {
	q := NewQueue(&failing{})
	f := q.NewFront()
	f.Event(sample())
	f.Flush()
	q.Close()
	if q.Errors() != 1 {
		t.Errorf("%d errors", q.Errors())
	}
}

func TestMerge(t *testing.T) {
	a, b := &Ordered{}, &Ordered{}
	for i, o := range []*Ordered{a, b, a, b, b} {
		ev := sample()
		ev.PcapCnt = []uint64{5, 2, 9, 2, 7}[i]
		o.Event(ev)
	}
	got := string(Merge(nil, a, b))
	var order []string
	for l := range strings.Lines(got) {
		_, s, _ := strings.Cut(l, `"pcap_cnt":`)
		order = append(order, s[:1])
	}
	if s := strings.Join(order, ""); s != "22579" {
		t.Errorf("order %s", s)
	}
	if len(Merge(nil, a, b)) != 0 {
		t.Error("lines are given out twice")
	}
}
