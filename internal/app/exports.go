package app

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/export/evefile"
	"github.com/yamori-net/yamori/internal/export/mqtt"
	"github.com/yamori-net/yamori/internal/export/syslog"
	"github.com/yamori-net/yamori/internal/report"
)

// exports are where findings go besides the store.
type exports struct {
	syslog *syslog.Sender
	mqtt   *mqtt.Client
	cancel context.CancelFunc
	told   chan struct{} // closed when tell has ended
}

// mqttEvery is how often the broker is given the present state; what has not
// changed is not sent.
const mqttEvery = 10 * time.Second

// start opens those that are configured.
func (x *exports) start(w *Watch) (err error) {
	c := &w.Config.Exports
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
	}
	return nil
}

// tell keeps the broker informed of how the home is, from when everything that
// knows it is there.
func (x *exports) tell(w *Watch) {
	if x.mqtt == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	x.cancel, x.told = cancel, make(chan struct{})
	go func() {
		defer close(x.told)
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
		<-x.told
	}
	if x.syslog != nil {
		x.syslog.Close()
	}
	if x.mqtt != nil {
		x.mqtt.Close()
	}
}

// problemText and findingText are what the household reads on its wall.
func problemText(lang report.Lang, p *api.Problem) string {
	args := map[string]string{}
	for _, a := range p.Args {
		args[a.Name] = a.Value
	}
	what, _ := report.Diagnosis(lang, p.Code, args)
	return firstOf(what, p.Code)
}

func findingText(lang report.Lang, f *api.Finding) string {
	t := report.Told{Who: firstOf(f.DeviceName, f.Device), Code: f.Explain.Code, Category: f.Category, Title: f.Title, Remote: f.Remote, Args: f.Explain.Args}
	return t.Happened(lang)
}

// mqttState is how the home is.
func (w *Watch) mqttState(ctx context.Context) (mqtt.State, []mqtt.Device) {
	b := w.house.Backend(daemon{w})
	s := mqtt.State{Version: w.Version}
	lang := report.English
	if c := w.Config.Exports.MQTT; c != nil && c.Language == string(report.Japanese) {
		lang = report.Japanese
	}
	if st, err := b.State.Status(ctx); err == nil {
		s.Mode, s.Online = st.Mode, int(st.Online)
		for i := range st.Problems {
			s.Attention = append(s.Attention, problemText(lang, &st.Problems[i]))
		}
	}
	// What the owner has not looked at needs attention, however old it is; the
	// figures of the day do not fall when it is looked at.
	for _, verdict := range []string{"confirmed", "likely"} {
		l, _, err := b.Findings.Findings(ctx, api.FindingQuery{State: "new", Verdict: verdict}, api.Page{Limit: 50})
		for i := range l {
			if err == nil {
				s.Attention = append(s.Attention, findingText(lang, &l[i]))
			}
		}
	}
	if n, blocked, err := w.house.Today(ctx); err == nil {
		s.Findings, s.Blocked = n, blocked
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
