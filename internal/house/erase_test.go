package house

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/packet"
)

// TestForgotten: what waits for the disk is forgotten too, what was undone does
// not come back, and the files hold nothing that names the device.
func TestForgotten(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	ctx := context.Background()
	b := h.Backend(quiet{})
	joined(h)
	id := h.Ref(camMAC, camIP).ID
	for i := range 200 {
		h.Recorder().Event(mining(h, uint64(i+1)))
	}
	e, err := b.Rulebook.AddEntry(ctx, "pause", api.EntryNew{Scope: api.Scope{Device: id}, Seconds: 3600}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Rulebook.RemoveEntry(ctx, e.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Records.Erase(ctx, id); err != nil {
		t.Fatal(err)
	}
	if l, err := b.Rulebook.Changes(ctx); err != nil || len(l) != 0 {
		t.Errorf("can be undone: %+v %v", l, err)
	}
	if l, _, err := b.Findings.Findings(ctx, api.FindingQuery{}, api.Page{Limit: 10}); err != nil || len(l) != 0 {
		t.Errorf("findings: %d %v", len(l), err)
	}
	if st, err := b.State.Status(ctx); err != nil || st.Open != 0 {
		t.Errorf("%d findings wait, %v", st.Open, err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		text, _ := os.ReadFile(filepath.Join(dir, f.Name()))
		for _, word := range []string{id, "garden-camera", strings.TrimPrefix(id, "mac:")} {
			if strings.Contains(string(text), word) {
				at := strings.Index(string(text), word)
				t.Errorf("%s holds %q: %q", f.Name(), word, text[max(0, at-60):min(len(text), at+100)])
			}
		}
	}
}

// TestSplitWhole: addresses are split off all or not at all.
func TestSplitWhole(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.Close()
	ctx := context.Background()
	d := h.Backend(quiet{}).Devices
	now := time.Now().UnixNano()
	var ids []string
	for i := range 3 {
		m, ip := packet.MAC{2, 0, 0, 0, 0, byte(i + 1)}, packet.AddrFrom4([]byte{192, 168, 1, byte(20 + i)})
		h.Devices.Add(device.Clue{Source: device.DHCP, Key: "hostname", Value: "thing-" + string(rune('a'+i)), Time: now, MAC: m, IP: ip})
		h.Devices.Advance(now)
		ids = append(ids, h.Ref(m, ip).ID)
	}
	for _, other := range ids[1:] {
		if _, err := d.MergeDevices(ctx, ids[0], other); err != nil {
			t.Fatal(err)
		}
	}
	for _, macs := range [][]string{{"02:00:00:00:00:01", "nonsense"}, {"02:00:00:00:00:01", "02:00:00:00:00:99"}, {"02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"}} {
		if _, err := d.SplitDevice(ctx, ids[0], macs); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%v: %v", macs, err)
		}
		if x, err := d.Device(ctx, ids[0]); err != nil || len(x.MACs) != 3 {
			t.Fatalf("%v was done in part: %+v %v", macs, x.MACs, err)
		}
	}
	if _, err := d.SplitDevice(ctx, "mac:02:00:00:00:00:99", []string{"02:00:00:00:00:01"}); !errors.Is(err, api.ErrNotFound) {
		t.Error(err)
	}
	x, err := d.SplitDevice(ctx, ids[0], []string{"02:00:00:00:00:02", "02:00:00:00:00:03", "02:00:00:00:00:02"})
	if err != nil || len(x.MACs) != 2 {
		t.Errorf("%+v %v", x, err)
	}
}

// TestMergeHistory: findings, figures and what holds a device go with it into the
// one that it turned out to be, and are forgotten with that.
func TestMergeHistory(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.Close()
	ctx := context.Background()
	b := h.Backend(quiet{})
	joined(h)
	now := time.Now().UnixNano()
	phoneMAC, phoneIP := packet.MAC{2, 0, 0, 0, 0, 0xdd}, packet.AddrFrom4([]byte{192, 168, 1, 8})
	h.Devices.Add(device.Clue{Source: device.DHCP, Key: "hostname", Value: "other", Time: now, MAC: phoneMAC, IP: phoneIP})
	h.Devices.Advance(now)
	other, id := h.Ref(camMAC, camIP).ID, h.Ref(phoneMAC, phoneIP).ID
	h.Recorder().Event(mining(h, 1))
	q, err := b.Rulebook.AddEntry(ctx, "quarantine", api.EntryNew{Scope: api.Scope{Device: other}}, "")
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.Devices.MergeDevices(ctx, id, other)
	if err != nil || d.Quarantine != q.ID || len(d.MACs) != 2 {
		t.Fatalf("%+v %v", d, err)
	}
	l, _, err := b.Findings.Findings(ctx, api.FindingQuery{Device: id}, api.Page{Limit: 10})
	if err != nil || len(l) != 1 || l[0].Device != id {
		t.Errorf("%+v %v", l, err)
	}
	tr, err := b.Figures.Trends(ctx, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(tr.Devices) != 1 || tr.Devices[0].Name != id {
		t.Errorf("%+v %v", tr.Devices, err)
	}
	if _, err := b.Records.Record(ctx, other); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("something is left of the other: %v", err)
	}
	if _, err := b.Records.Erase(ctx, id); err != nil {
		t.Fatal(err)
	}
	if l, _, err := b.Findings.Findings(ctx, api.FindingQuery{}, api.Page{Limit: 10}); err != nil || len(l) != 0 {
		t.Errorf("%+v %v", l, err)
	}
}
