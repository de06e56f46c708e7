package labnet

import (
	"context"
	"testing"
	"time"
)

// TestDaily: each program of a device does what it says, over both families.
func TestDaily(t *testing.T) {
	h := makeHome(t, Options{IPv6: true})
	ctx := context.Background()
	for _, tt := range []struct {
		device    string
		b         Behaviour
		sent, got int
		bytes     int64
	}{
		{"pc", Browse(3), 3, 3, 3 * int64(len(shortPage))},
		{"phone", Browse(2).Over6(), 2, 2, 2 * int64(len(shortPage))},
		{"tv", Watch(5 << 20), 1, 1, 5 << 20},
		{"tv", Watch(1 << 20).Over6(), 1, 1, 1 << 20},
		{"nas", FetchUpdate(), 1, 1, 200000},
		{"pc", AskFor("www.lab.example", "nowhere.example", PoolNames()[0]), 3, 2, 0},
		{"pc", AskFor("www.lab.example").Over6(), 1, 1, 0},
		{"camera", SetClock(), 1, 1, 0},
		{"camera", SetClock().Over6(), 1, 1, 0},
		{"pc", MineOn(5, time.Millisecond, false), 6, 6, -1},
		{"pc", MineOn(5, time.Millisecond, true).Over6(), 6, 6, -1},
		{"camera", CallHome(3, time.Millisecond), 3, 3, 0},
		{"camera", GuessPasswords(5, 200), 5, 5, 0},
	} {
		if r := h.Device(tt.device).Run(ctx, tt.b); !r.OK() || r.Sent != tt.sent || r.Got != tt.got || tt.bytes >= 0 && r.Bytes != tt.bytes {
			t.Errorf("%s: %v, %d bytes", tt.b.Name, r, r.Bytes)
		}
	}
	before := h.Logins()
	if r := h.GuessFromOutside(ctx, 4, 200); !r.OK() || r.Sent != 4 || r.Got != 4 || h.Logins() != before+4 {
		t.Errorf("from outside: %v, %d log-ins", r, h.Logins()-before)
	}
	for _, d := range h.Devices() {
		if err := d.Announce(ctx); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
}

// TestScan: it finds those who are there, is bounded, and ends when told to.
func TestScan(t *testing.T) {
	h := makeHome(t, Options{Devices: []string{"camera"}, Patience: 500 * time.Millisecond})
	cam := h.Device("camera")
	if r := cam.Run(context.Background(), Scan(256, maxRate)); !r.OK() || r.Sent != 256 || r.Got != len(wildHosts) || h.Logins() != 3*len(wildHosts) || !r.Connected {
		t.Errorf("%v, %d log-ins", r, h.Logins())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if r := cam.Run(ctx, Scan(1e6, 1e6)); r.End != Stopped || r.Sent > maxRate/5 {
		t.Errorf("%v", r)
	}
}
