package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// onDisk is what the folder holds.
func onDisk(t testing.TB, dir string) (n int64) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if st, err := os.Stat(filepath.Join(dir, e.Name())); err == nil {
			n += st.Size()
		}
	}
	return n
}

// TestBound writes many times more than fits: the files never exceed the
// bound, the oldest detail leaves in the order of the documentation, and the
// figures by month count everything.
func TestBound(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	const bound = MinBytes
	s := open(t, Config{Dir: dir, MaxBytes: bound, Flows: true})
	if _, err := s.Put(ctx, "o", "settings", "a", json.RawMessage(`{"keep":true}`), AnyVersion); err != nil {
		t.Fatal(err)
	}
	total := 0
	peak := int64(0)
	watch := func() {
		if n := onDisk(t, dir); n > peak {
			peak = n
		}
	}
	for n := range 2000 {
		s.AddFlow(Flow{Time: t0, Device: "d", Up: int64(n)})
		s.addEventLine(t0, "device", "d", []byte(fmt.Sprintf(`{"timestamp":"x","event_type":"device","n":%d,"more":"%x"}`, n, n*7919)))
	}
	flush(t, s)
	r := add(t, s, 0, 100)
	total = 100
	big := make([]byte, 20<<10)
	for i := range 10 {
		for j := range big {
			big[j] = byte(i*31 + j*j*7 + j>>3)
		}
		if err := s.PutEvidence(ctx, r[i].ID, big); err != nil {
			t.Fatal(err)
		}
	}
	count := func(table string) (n int64) {
		t.Helper()
		if err := s.read(ctx, func(rd *reader) (err error) { n, err = rd.c.one("SELECT count(*) FROM " + table); return err }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var order []string
	gone := map[string]bool{}
	for total < 12000 {
		add(t, s, total, total+50)
		total += 50
		watch()
		for _, table := range []string{"flows", "events", "evidence"} {
			if !gone[table] && count(table) == 0 {
				gone[table] = true
				order = append(order, table)
			}
		}
	}
	if peak > bound {
		t.Errorf("%d bytes on the disk, bound %d", peak, bound)
	}
	if peak < bound/2 {
		t.Errorf("only %d bytes were used of %d", peak, bound)
	}
	if fmt.Sprint(order) != "[flows events evidence]" {
		t.Errorf("left in the order %v", order)
	}
	kept := count("findings")
	if kept == 0 || kept >= int64(total) {
		t.Errorf("%d of %d findings kept", kept, total)
	}
	p, err := s.Timeline(ctx, Filter{}, 0, 1)
	if err != nil || len(p.Items) != 1 {
		t.Fatalf("newest: %v %v", p, err)
	}
	if f := p.Items[0].Finding; !f.Time.Equal(t0.Add(time.Duration(total-1) * time.Second)) {
		t.Errorf("the newest kept is of %v", f.Time)
	}
	flush(t, s)
	tr, err := s.Trends(ctx, TrendQuery{From: t0.AddDate(0, -1, 0), To: t0.AddDate(0, 2, 0), Bucket: Month})
	if err != nil || tr.Total != int64(total) {
		t.Errorf("the figures by month count %d (%v), want %d", tr.Total, err, total)
	}
	if d, err := s.Get(ctx, "settings", "a"); err != nil || string(d.Value) != `{"keep":true}` {
		t.Errorf("the owner's document: %s, %v", d.Value, err)
	}
	if h := s.Health(); h.WriteError != "" || h.Bytes > bound {
		t.Errorf("health %+v", h)
	}
	// Made smaller, the file gives back what it had.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSmallerBound(t *testing.T) {
	if raced {
		t.Skip("skipped under the race detector: twelve thousand records take half a minute, and nothing of it runs at the same time")
	}
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, MaxBytes: 16 << 20})
	add(t, s, 0, 12000)
	before := onDisk(t, dir)
	_ = s.Close()
	s = open(t, Config{Dir: dir, MaxBytes: MinBytes, FlushEvery: 10 * time.Millisecond})
	for end := time.Now().Add(2 * time.Minute); onDisk(t, dir) > MinBytes && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := onDisk(t, dir); n > MinBytes || before < MinBytes {
		t.Errorf("%d bytes before, %d after, bound %d", before, n, MinBytes)
	}
	if _, err := s.AddFinding(context.Background(), testFinding(50000)); err != nil {
		t.Error(err)
	}
}

func TestEvidenceShare(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{EvidenceBytes: 100 << 10})
	r := add(t, s, 0, 5)
	for i := range 5 {
		if err := s.PutEvidence(ctx, r[i].ID, make([]byte, 30<<10)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		data, err := s.Evidence(ctx, r[i].ID)
		f, ferr := s.Finding(ctx, r[i].ID)
		if kept := i >= 2; kept != (err == nil) || kept != (len(data) == 30<<10) || f.Evidence != kept || ferr != nil {
			t.Errorf("capture %d: %d bytes, %v, flag %v", i, len(data), err, f.Evidence)
		}
	}
	if h := s.Health(); h.Evidence != 90<<10 {
		t.Errorf("evidence of %d bytes", h.Evidence)
	}
	if err := s.PutEvidence(ctx, r[0].ID, make([]byte, MaxEvidence+1)); err == nil {
		t.Error("a capture beyond the bound is kept")
	}
	if err := s.PutEvidence(ctx, 12345, make([]byte, 10)); err != ErrNotFound {
		t.Errorf("a capture of no finding: %v", err)
	}
	off := open(t, Config{EvidenceBytes: -1})
	r = add(t, off, 0, 1)
	if err := off.PutEvidence(ctx, r[0].ID, make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if _, err := off.Evidence(ctx, r[0].ID); err != ErrNotFound {
		t.Errorf("switched off: %v", err)
	}
}

// TestCells: an attacker who comes from everywhere cannot make the figures
// grow; nothing is lost from the totals, and the large stay by name.
func TestCells(t *testing.T) {
	ctx := context.Background()
	clk := &fakeClock{t: t0}
	s := open(t, Config{MaxBytes: MinBytes, Clock: clk.now})
	limit := s.cells[grainMonth]
	for n := range 3000 {
		f := Finding{Time: t0, Category: event.Scan, Family: "f" + fmt.Sprint(n), Level: event.Likely, Country: "US", ASN: uint32(n)}
		if err := s.Count(ctx, f, 1); err != nil {
			t.Fatal(err)
		}
		if n%500 == 0 {
			f.Family = "big"
			if err := s.Count(ctx, f, 1000); err != nil {
				t.Fatal(err)
			}
			flush(t, s)
		}
	}
	late := Finding{Time: t0.AddDate(0, 2, 0), Category: event.Scan}
	clk.set(late.Time) // May is over
	if err := s.Count(ctx, late, 1); err != nil {
		t.Fatal(err)
	}
	flush(t, s)
	flush(t, s)
	var rows int64
	err := s.read(ctx, func(rd *reader) (err error) {
		rows, err = rd.c.one("SELECT count(*) FROM rollup WHERE grain=2 AND bucket<?", bucketOf(late.Time, time.UTC)[grainMonth])
		return err
	})
	if err != nil || rows > limit {
		t.Errorf("%d rows (%v), limit %d", rows, err, limit)
	}
	tr, err := s.Trends(ctx, TrendQuery{From: t0, To: t0.Add(time.Hour), Bucket: Month, By: []Dim{ByFamily}})
	if err != nil || tr.Total != 9000 || tr.Rows[0].Keys[0] != "big" && tr.Rows[1].Keys[0] != "big" {
		t.Errorf("total %d, %v, first %v", tr.Total, err, tr.Rows[:2])
	}
}

// TestQueueBound: what waits is bounded, and drops are counted.
func TestQueueBound(t *testing.T) {
	s := open(t, Config{})
	_ = s.Close() // nobody takes from the queue any more
	big := make([]byte, 30<<10)
	for s.addEventLine(t0, "device", "", big) {
	}
	for n := 0; s.OfferFinding(testFinding(n)); n++ {
	}
	for n := 0; s.AddTraffic(Traffic{Device: fmt.Sprint(n), Time: t0, Up: 1}); n++ {
	}
	for n := 0; s.PutDevice(fmt.Sprint(n), json.RawMessage(`{}`)); n++ {
	}
	if d := s.Health().Dropped; d.Events != 1 || d.Findings != 1 || d.Traffic != 1 || d.Devices != 1 {
		t.Errorf("dropped %+v", d)
	}
	if h := s.Health(); h.Waiting > queueBytes {
		t.Errorf("%d bytes wait", h.Waiting)
	}
}

// TestAuditBound: the audit log keeps to its share, whatever is written between
// its entries, and the latest stay.
func TestAuditBound(t *testing.T) {
	ctx := context.Background()
	s := open(t, Config{MaxBytes: MinBytes})
	r := add(t, s, 0, 1)
	note := strings.Repeat("n", maxNote)
	for i := range 400 {
		// A document without an entry in between: entries have every second number.
		if _, err := s.Apply(ctx, Change{Unlogged: true, Ops: []Op{{Bucket: "b", Key: "k", Value: json.RawMessage("1"), If: AnyVersion}}}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetState(ctx, "o", r[0].ID, Seen, time.Time{}, note[:maxNote-i%2]); err != nil {
			t.Fatal(err)
		}
	}
	var size, n int64
	err := s.read(ctx, func(rd *reader) (err error) {
		if size, err = rd.c.one("SELECT total(length(before)+length(after)) FROM audit"); err == nil {
			n, err = rd.c.one("SELECT count(*) FROM audit")
		}
		return err
	})
	if most := s.lim.audit + auditEvery*2*(maxNote+64); err != nil || size > most || n < 40 {
		t.Errorf("%d entries of %d bytes, at most %d (%v)", n, size, most, err)
	}
	log, _, err := s.AuditLog(ctx, 0, 1)
	if err != nil || len(log) != 1 || !strings.Contains(string(log[0].After), note[:maxNote-1]) {
		t.Errorf("the latest: %v, %v", log, err)
	}
}

// TestDevicesBound: devices that somebody invents keep to a share; what the
// owner said of one stays, and so does what was found.
func TestDevicesBound(t *testing.T) {
	ctx := context.Background()
	clk := &fakeClock{t: t0}
	s := open(t, Config{MaxBytes: MinBytes, Clock: clk.now})
	add(t, s, 0, 50)
	if !s.PutDevice("mac:owner", json.RawMessage(`{"owner":{"name":"Garden"}}`)) {
		t.Fatal("refused")
	}
	flush(t, s)
	for i := range 4000 {
		if !s.PutDevice(fmt.Sprintf("mac:%d", i), json.RawMessage(fmt.Sprintf(`{"clues":"%s","owner":{}}`, strings.Repeat("x", 1500)))) {
			t.Fatal("refused")
		}
		if i%100 == 99 {
			clk.set(clk.now().Add(time.Minute))
			flush(t, s)
		}
	}
	read := func() (have map[string]bool) {
		t.Helper()
		list, err := s.Devices(ctx)
		if err != nil {
			t.Fatal(err)
		}
		have = map[string]bool{}
		var size int64
		for _, d := range list {
			size += int64(len(d.Value))
			have[d.ID] = true
		}
		if size > s.lim.devices || len(list) < 100 || !have["mac:owner"] || !have["mac:3999"] {
			t.Errorf("%d records of %d bytes, at most %d; the owner's %t, the latest %t", len(list), size, s.lim.devices, have["mac:owner"], have["mac:3999"])
		}
		return have
	}
	if read()["mac:0"] {
		t.Error("the oldest is there still")
	}
	// All of them in one go, too.
	for i := range 4000 {
		s.PutDevice(fmt.Sprintf("mac:%d", i), json.RawMessage(fmt.Sprintf(`{"clues":"%s","owner":{}}`, strings.Repeat("y", 1500))))
	}
	s.PutDevice("mac:owner", json.RawMessage(`{"owner":{"name":"Garden"}}`))
	clk.set(clk.now().Add(time.Minute))
	flush(t, s)
	s.PutDevice("mac:3999", json.RawMessage(`{"owner":{}}`))
	clk.set(clk.now().Add(time.Minute))
	flush(t, s)
	read()
	p, err := s.Timeline(ctx, Filter{}, 0, MaxPage)
	if err != nil || len(p.Items) != 50 {
		t.Errorf("%d findings are left of 50, %v", len(p.Items), err)
	}
}
