package mining

import (
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// TestRecordedSeries runs the recording of those who ask by a clock through
// the detector: as computers with nothing else known of them, all that mine by
// short connections are likely, and nothing else is.
func TestRecordedSeries(t *testing.T) {
	flows, err := seqlog.Read("testdata/sequences/d.seq.gz")
	if err != nil {
		t.Fatal(err)
	}
	q := detector(t)
	ids := map[string]*flow.Flow{}
	found, name, mines := map[string]event.Level{}, map[string]string{}, map[string]bool{}
	for _, l := range flows {
		f := ids[l.ID]
		if f == nil {
			f = ends(uint32(1000+len(ids)), 2)
			ids[l.ID], name[l.ID], mines[l.ID] = f, l.Client, l.Mining
		}
		var tr seq.Tracker
		tr.Start(l.Kind)
		tr.Tag = tagTLS
		say := func(now int64, end bool) {
			if x, ok := q.Judge(f, &tr, now, end, func() event.DeviceRef { return event.DeviceRef{} }); ok {
				found[l.ID] = max(found[l.ID], x.Level)
			}
		}
		at := int64(17e17)
		for _, m := range l.Msgs {
			more := tr.Message(at+l.Start+m.At, m.Dir, m.Len)
			if tr.Due(at + l.Start + m.At) {
				say(at+l.Start+m.At, false)
			}
			if !more {
				break
			}
		}
		tr.Flush()
		say(tr.Last, true)
	}
	n, likely := 0, 0
	for id, what := range name {
		switch l := found[id]; {
		case what == "xmrig-daemon":
			n++
			if l >= event.Likely {
				likely++
			}
		case l >= event.Likely:
			t.Errorf("%s: %s is %s", id, what, l)
		}
	}
	t.Logf("%d of %d by short connections", likely, n)
	if n < 7 || likely < n {
		t.Errorf("%d of %d miners by short connections are likely", likely, n)
	}
}
