package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/house"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/store"
)

// still is a daemon without an engine.
type still struct{}

func (still) Fill(s *api.Status)    { s.Interface = "lan0" }
func (still) Ready() []api.Problem  { return nil }
func (still) Samples() []api.Sample { return nil }
func (still) Rules() api.Rules      { return api.Rules{} }
func (still) ReloadRules(context.Context) (api.Rules, error) {
	return api.Rules{}, api.ErrConflict
}
func (still) Flows(context.Context) ([]api.Flow, error) {
	return []api.Flow{{ID: "1", Device: "mac:02:00:5e:10:00:01", SrcIP: "192.168.1.7", SrcPort: 40000, DestIP: "2001:db8::9", DestPort: 443, Proto: "TCP", AppProto: "tls", Sent: 1500, Received: 2500000}}, nil
}

// home is a house that answers over a Unix socket.
type home struct {
	t      *testing.T
	h      *house.House
	socket string
	stop   func()
	id     string // of the latest finding
}

// newHome opens a house in a folder of its own, with a camera that mines, two
// tablets of one name, and a printer whose name is an attack.
func newHome(t *testing.T) *home {
	t.Helper()
	dir := t.TempDir()
	h, err := house.Open(house.Config{Store: store.Config{Dir: filepath.Join(dir, "state")}, HomeNet: device.DefaultHome(), Evidence: true, Location: time.Local,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"garden-camera", "tablet", "tablet", "evil\x1b[2J\u202eprinter"} {
		h.Devices.Add(device.Clue{Source: device.DHCP, Key: "hostname", Value: name, Time: time.Now().UnixNano(), MAC: hw(i + 1), IP: packet.AddrFrom4([]byte{192, 168, 1, byte(7 + i)})})
	}
	h.Devices.Advance(time.Now().UnixNano())
	x := &home{t: t, h: h}
	x.listen(filepath.Join(dir, "s"))
	t.Cleanup(func() {
		x.stop()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	x.find(1, 77)
	return x
}

func hw(n int) packet.MAC { return packet.MAC{2, 0, 0x5e, 0x10, 0, byte(n)} }

// listen serves the API at a socket.
func (x *home) listen(path string) {
	x.t.Helper()
	x.socket = path
	srv, err := api.New(api.Config{Backend: x.h.Backend(still{}), Auth: x.h.Auth, Audit: x.h, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Events: x.h.Hub})
	if err != nil {
		x.t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		x.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, api.Listen{Unix: l}) }()
	x.stop = func() {
		cancel()
		if err := <-done; err != nil {
			x.t.Error(err)
		}
	}
}

// find lets the n-th device mine, and waits until that is kept.
func (x *home) find(n int, flow uint64) {
	x.t.Helper()
	ip := packet.AddrFrom4([]byte{192, 168, 1, byte(6 + n)})
	ev := &event.Event{Time: time.Now().UnixNano(), Type: event.Alert, FlowID: flow, HasAddr: true, Proto: packet.ProtoTCP, Src: ip, Dst: packet.AddrFrom4([]byte{203, 0, 113, byte(flow)}), SrcPort: 40000, DstPort: 3333,
		Finding: &event.Finding{Category: event.Mining, Family: "stratum", Detector: "mining", Level: event.Confirmed, Confidence: 0.99, SignatureID: 1002, Signature: "mining",
			Severity: 1, Action: "would_block", Evidence: []event.Evidence{{Code: "stratum.login", Value: "worker\x1b]0;x", Weight: 5}}, Code: "mining.stratum",
			Args: []event.Arg{{Name: "coin", Value: "monero"}, {Name: "pool", Value: "pool.example:3333"}}, Device: x.h.Ref(hw(n), ip)}}
	before := x.count()
	x.h.Recorder().Event(ev)
	for range 500 {
		if x.count() > before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if x.count() == before {
		x.t.Fatal("the finding is not kept")
	}
	x.id = x.latest().ID
}

// keepCapture keeps packets for the latest finding.
func (x *home) keepCapture(data string) {
	x.t.Helper()
	id, err := strconv.ParseInt(x.id, 10, 64)
	if err == nil {
		err = x.h.Store.PutEvidence(context.Background(), id, []byte(data))
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *home) latest() api.Finding {
	l, _, err := x.h.Backend(still{}).Findings.Findings(context.Background(), api.FindingQuery{}, api.Page{Limit: 1})
	if err != nil || len(l) == 0 {
		x.t.Fatal(l, err)
	}
	return l[0]
}

func (x *home) count() int {
	l, _, err := x.h.Backend(still{}).Findings.Findings(context.Background(), api.FindingQuery{}, api.Page{Limit: 200})
	if err != nil {
		x.t.Fatal(err)
	}
	return len(l)
}

// call asks in the home's language C.
func (x *home) call(args ...string) (code int, stdout, stderr string) {
	x.t.Helper()
	return call(x.t, append(args, "--socket", x.socket)...)
}

// stdin gives the program something to read.
func stdin(t *testing.T, text string) {
	t.Helper()
	f := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = in
	t.Cleanup(func() { os.Stdin = old; _ = in.Close() })
}
