package house

import (
	"context"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/packet"
)

// TestPagesMove: devices that are seen while somebody turns the pages are not
// missed.
func TestPagesMove(t *testing.T) {
	h := open(t, t.TempDir())
	defer h.Close()
	ctx := context.Background()
	d := h.Backend(quiet{}).Devices
	const n = 9
	seen := func(i int, at time.Time) {
		m, ip := packet.MAC{2, 0, 0, 0, 1, byte(i)}, packet.AddrFrom4([]byte{192, 168, 1, byte(100 + i)})
		h.Devices.Add(device.Clue{Source: device.DHCP, Key: "hostname", Value: "thing-" + string(rune('a'+i)), Time: at.UnixNano(), MAC: m, IP: ip})
		h.Devices.Advance(at.UnixNano())
	}
	start := time.Now().Add(-time.Hour)
	for i := range n {
		seen(i, start.Add(time.Duration(i)*time.Minute))
	}
	got := map[string]int{}
	rounds := 0
	for p := (api.Page{Limit: 2}); ; rounds++ {
		l, next, err := d.Devices(ctx, api.DeviceQuery{}, p)
		if err != nil || rounds > 3*n {
			t.Fatal(rounds, err)
		}
		for i := 1; i < len(l); i++ {
			if rounds == 0 && l[i].Last.After(l[i-1].Last) {
				t.Error("not the latest first")
			}
		}
		for _, x := range l {
			got[x.ID]++
		}
		if rounds < 3 { // those at the end of the list speak up
			seen(rounds, time.Now())
		}
		if p.After = next; next == "" {
			break
		}
	}
	if len(got) != n {
		t.Errorf("%d of %d devices", len(got), n)
	}
	for id, times := range got {
		if times > 2 {
			t.Errorf("%s comes %d times", id, times)
		}
	}
}
