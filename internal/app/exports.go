package app

import (
	"context"
	"fmt"

	"strings"
	"time"

	"net/netip"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/export/evefile"
	"github.com/yamori-net/yamori/internal/export/mqtt"
	"github.com/yamori-net/yamori/internal/export/syslog"
)

// exports are where findings go besides the store.
type exports struct {
	syslog *syslog.Sender
	mqtt   *mqtt.Client
	cancel context.CancelFunc
}

// mqttEvery is how often the broker is given the present state; what has not
// changed is not sent.
const mqttEvery = 10 * time.Second

// start begins those that are configured.
func (x *exports) start(w *Watch) (err error) {
	c := &w.Config.Exports
	ctx, cancel := context.WithCancel(context.Background())
	x.cancel = cancel
	if c.Syslog != nil {
		if x.syslog, err = syslog.New(*c.Syslog); err != nil {
			return fmt.Errorf("exports.syslog: %w", err)
		}
	}
	if c.MQTT != nil {
		x.mqtt, err = mqtt.New(*c.MQTT, mqtt.Options{OnPause: func(id string, paused bool) { w.pause(id, paused) }})
		if err != nil {
			return fmt.Errorf("exports.mqtt: %w", err)
		}
		go func() {
			t := time.NewTicker(mqttEvery)
			defer t.Stop()
			for {
				x.mqtt.Update(w.mqttState(ctx))
				select {
				case <-ctx.Done():
					return
				case <-t.C:
				}
			}
		}()
	}
	return nil
}

// fronts are one worker's sinks.
func (x *exports) fronts() (out []event.Sink) {
	if x.syslog != nil {
		out = append(out, x.syslog.NewFront())
	}
	if x.mqtt != nil {
		if f := x.mqtt.NewFront(); f != nil {
			out = append(out, f)
		}
	}
	return out
}

// stop sends what waits.
func (x *exports) stop() {
	if x.cancel != nil {
		x.cancel()
	}
	if x.syslog != nil {
		x.syslog.Close()
	}
	if x.mqtt != nil {
		x.mqtt.Close()
	}
}

// mqttState is how the home is.
func (w *Watch) mqttState(ctx context.Context) (mqtt.State, []mqtt.Device) {
	b := w.house.Backend(daemon{w})
	s := mqtt.State{Version: w.Version}
	if st, err := b.State.Status(ctx); err == nil {
		s.Mode, s.Online = st.Mode, int(st.Online)
		for _, p := range st.Problems {
			s.Attention = append(s.Attention, p.Code)
		}
	}
	y, m, d := time.Now().Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	if l, _, err := b.Findings.Findings(ctx, api.FindingQuery{State: "new", Since: midnight}, api.Page{Limit: 50}); err == nil {
		for i := range l {
			if l[i].Verdict != "suspect" {
				s.Attention = append(s.Attention, firstOf(l[i].DeviceName, l[i].Device)+": "+l[i].Title)
			}
			s.Findings += uint64(l[i].Count)
			if l[i].Action == "blocked" {
				s.Blocked += uint64(l[i].Count)
			}
		}
	}
	var out []mqtt.Device
	paused := map[string]bool{}
	if l, err := b.Rulebook.Entries(ctx, "pause"); err == nil {
		for _, e := range l {
			paused[e.Scope.Device] = paused[e.Scope.Device] || e.Active
		}
	}
	for _, d := range w.house.Devices.Devices() {
		out = append(out, mqtt.Device{ID: d.ID, Name: d.Name, Kind: d.Kind, Online: d.Present, Paused: paused[d.ID]})
	}
	return s, out
}

// pause is what the switch of a device does.
func (w *Watch) pause(id string, on bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rb := w.house.Backend(daemon{w}).Rulebook
	list, err := rb.Entries(ctx, "pause")
	for _, e := range list {
		if e.Scope.Device == id && err == nil {
			err = rb.RemoveEntry(ctx, e.ID)
		}
	}
	if on && err == nil {
		_, err = rb.AddEntry(ctx, "pause", api.EntryNew{Scope: api.Scope{Device: id}, Reason: "switched off over MQTT"}, "mqtt")
	}
	if err != nil {
		w.Log.Error("a switch over MQTT had no effect", "device", id, "error", err)
	}
}

// reopenOn reopens the event file at each signal until done is closed. When the
// new file cannot be opened the old one stays.
func (w *Watch) reopenOn(f *evefile.File, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-w.reopen:
		}
		if err := f.Reopen(); err != nil {
			w.Log.Error("the event file could not be reopened; writing on to the old one", "error", err)
			continue
		}
		w.Log.Info("event file reopened", "file", w.Config.Events.File)
	}
}

// nameservers reads the lines of resolv.conf that name them.
func nameservers(text string) (out []netip.Addr) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" && len(out) < 8 {
			if a, err := netip.ParseAddr(f[1]); err == nil {
				out = append(out, a)
			}
		}
	}
	return out
}
