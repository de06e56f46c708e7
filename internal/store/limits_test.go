package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// TestWordsFull: someone invents MACs without end; the words end, the
// findings do not, and who comes later has words again.
func TestWordsFull(t *testing.T) {
	if raced {
		t.Skip("skipped under the race detector: sixteen thousand records take half a minute, and nothing of it runs at the same time")
	}
	ctx := context.Background()
	clock := &fakeClock{t: t0}
	s := open(t, Config{Clock: clock.now})
	var list []Finding
	for n := range maxWords + 50 {
		list = append(list, Finding{Time: t0, Device: fmt.Sprintf("mac:%06x", n), Category: event.Scan, EVE: []byte("{}")})
	}
	r, err := s.AddFindings(ctx, list)
	if err != nil || len(r) != len(list) {
		t.Fatalf("%d of %d kept: %v", len(r), len(list), err)
	}
	flush(t, s)
	if f, err := s.Finding(ctx, r[len(r)-1].ID); err != nil || f.Device != Other {
		t.Errorf("device %q, %v", f.Device, err)
	}
	if f, err := s.Finding(ctx, r[5].ID); err != nil || f.Device != "mac:000005" {
		t.Errorf("device %q, %v", f.Device, err)
	}
	if got, err := s.Trends(ctx, TrendQuery{From: t0, To: t0.Add(time.Hour), Bucket: Month}); err != nil || got.Total != int64(len(list)) {
		t.Errorf("figures count %d, %v", got.Total, err)
	}
	last, err := s.AddFinding(ctx, Finding{Time: t0, Device: "mac:late", Category: event.Ransomware, EVE: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := s.Finding(ctx, last.ID); err != nil || f.Device != Other || f.Category != event.Ransomware {
		t.Errorf("%q of %q, %v", f.Category, f.Device, err)
	}
	small := open(t, Config{MaxBytes: MinBytes})
	if n := small.words.max; n != MinBytes/wordShare || s.words.max != maxWords {
		t.Errorf("%d words in a small store, %d in a large one", n, s.words.max)
	}
	if !s.Health().WordsFull {
		t.Error("the owner is not told")
	}
	clock.set(t0.Add(time.Hour))
	late, err := s.AddFinding(ctx, Finding{Time: t0, Device: "mac:later", Category: event.Scan, EVE: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := s.Finding(ctx, late.ID); err != nil || f.Device != "mac:later" {
		t.Errorf("an hour later: device %q, %v", f.Device, err)
	}
	flush(t, s)
	if s.Health().WordsFull {
		t.Error("words are told to be used up while there are some")
	}
}

// TestWordsPace: however long the flood, the words last for a week, and end.
func TestWordsPace(t *testing.T) {
	now := t0
	w := &words{ids: map[string]int64{}, max: 1000, now: func() time.Time { return now }}
	given := func(per int) (n int) {
		for range per {
			if w.spare() {
				n++
				w.ids[fmt.Sprint(len(w.ids))] = 1
			}
		}
		return n
	}
	if n := given(600); n < 500 || n > 510 {
		t.Errorf("%d at once", n)
	}
	for h := range 8 * 24 {
		now = now.Add(time.Hour)
		n := given(100)
		if h < 6*24 && (n == 0 || n > 4) || h > 7*24 && n != 0 {
			t.Errorf("%d in hour %d", n, h)
		}
	}
	if len(w.ids) != w.max {
		t.Errorf("%d words", len(w.ids))
	}
}

func TestSizes(t *testing.T) {
	ctx := context.Background()
	if _, err := Open(Config{Dir: t.TempDir(), MaxBytes: MinBytes - 1, Clock: time.Now}); err == nil {
		t.Error("a store too small is opened")
	}
	if _, err := Open(Config{Dir: t.TempDir()}); err == nil {
		t.Error("a store without a clock is opened")
	}
	s := open(t, Config{})
	r := add(t, s, 0, 1)
	if err := s.SetState(ctx, "o", r[0].ID, Seen, time.Time{}, strings.Repeat("n", maxNote+1)); !errors.Is(err, ErrTooBig) {
		t.Errorf("a long note: %v", err)
	}
	for _, v := range []string{`{`, `"` + strings.Repeat("x", MaxDevice) + `"`} {
		if s.PutDevice("mac:1", json.RawMessage(v)) {
			t.Errorf("device record %.20q is kept", v)
		}
	}
	if s.PutDevice(strings.Repeat("i", maxWord+1), json.RawMessage(`1`)) {
		t.Error("a long id is kept")
	}
	if s.AddFlow(Flow{Time: t0}) {
		t.Error("a flow is kept though flows are off")
	}
	var u unpacker
	for _, b := range [][]byte{nil, {9}, {bodyDict1, 1, 2, 3}} {
		if _, err := u.unpack(nil, b); err == nil {
			t.Errorf("body %x is read", b)
		}
	}
}
