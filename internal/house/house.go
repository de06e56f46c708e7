// Package house is the part of the daemon that knows the home for longer than
// a packet lives: its devices, the owner's policy, what happened, who may ask.
// It joins the packages that do the work and gives the API what it asks for;
// it judges nothing itself.
package house

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/auth"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/clues"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/store"
)

// Config says what the house is made of.
type Config struct {
	Store   store.Config // Clock, Location and Log are filled in
	HomeNet []netip.Prefix
	// Geo knows the countries of addresses, Networks their networks (nil: Geo is
	// asked for these too); both nil: nobody does.
	Geo, Networks *geo.DB
	// GeoSource says where they come from, with their licences, for reports;
	// empty: they say it themselves.
	GeoSource string
	Mode      policy.Mode // when the owner has said nothing yet
	Answer    policy.Answer
	Evidence  bool // keep captures, unless the owner's settings say otherwise
	Location  *time.Location
	Log       *slog.Logger
	Now       func() time.Time // wall clock with monotonic reading
	Version   string
	Workers   int // of the engine
	// Look asks a device for its description, when the owner wants it; nil:
	// that is not possible.
	Look func(device.Device) error
	// OnPolicy is told of each change of the policy; it must return soon.
	OnPolicy func()
}

// House is safe for concurrent use.
type House struct {
	cfg      Config
	Store    *store.Store
	Devices  *device.Registry
	Policy   *policy.Manager
	Auth     *auth.Service
	Hub      *api.Hub
	Evidence *evidence.Collector

	live     *clues.Live
	findings chan found
	captures captures
	dropped  atomic.Uint64 // findings that found no room
	settings settings
	open     atomic.Int64 // findings that wait for the owner
	counting sync.Mutex   // makes a change of findings and of open one step
	counted  counters
	changes  changes
	trial    trial
	inline   atomic.Bool
	acts     atomic.Pointer[string]
	location atomic.Pointer[time.Location] // where the home is
	wg       sync.WaitGroup
	stop     context.CancelFunc
}

// Limits.
const (
	// findingQueue is how many findings may wait for the disk.
	findingQueue = 1024
	// storeTime bounds how long one change waits for the disk.
	storeTime = 10 * time.Second
)

// Open opens everything. The error names what could not be read.
func Open(cfg Config) (h *House, err error) {
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	cfg.Store.Clock, cfg.Store.Location, cfg.Store.Log = cfg.Now, cfg.Location, cfg.Log
	if cfg.Networks == nil {
		cfg.Networks = cfg.Geo
	}
	h = &House{cfg: cfg, Hub: api.NewHub(), findings: make(chan found, findingQueue)}
	opened := h // a failure returns nil
	defer func() {
		if err != nil && opened.Store != nil {
			_ = opened.Store.Close()
		}
	}()
	h.location.Store(cfg.Location)
	// Days begin at midnight where the owner says the home is; the store counts
	// what it has not counted yet as soon as it is opened.
	h.cfg.Store.LocationIn = func(get func(bucket, key string) []byte) *time.Location {
		var s api.Settings
		_ = json.Unmarshal(get(bucketSettings, "owner"), &s) // load says so
		return h.place(s.TimeZone)
	}
	if h.Store, err = store.Open(h.cfg.Store); err != nil {
		return nil, err
	}
	if err = h.settings.load(h); err != nil {
		return nil, err
	}
	h.location.Store(h.place(h.settings.get().TimeZone))
	h.Store.SetRetention(h.settings.retention())
	h.Devices, err = device.NewRegistry(device.Config{Home: cfg.HomeNet, Judge: fingerprint.Judge, Store: deviceStore{h.Store}, OnChange: h.deviceChanged})
	if err != nil {
		return nil, fmt.Errorf("the list of devices: %w", err)
	}
	if n := h.Devices.Faults(); n > 0 {
		cfg.Log.Warn("records of devices could not be read; these devices are new when they speak again", "records", n)
	}
	start := cfg.Now()
	h.Policy, err = policy.NewManager(policy.Config{Store: documents{h.Store}, Mono: func() time.Duration { return cfg.Now().Sub(start) },
		Wall: cfg.Now, Location: h.zone(), Mode: cfg.Mode, Answer: cfg.Answer, OnPublish: h.policyChanged})
	if err != nil {
		return nil, err
	}
	if err = h.recoverTrial(); err != nil {
		return nil, err
	}
	for _, f := range h.Policy.Faults() {
		cfg.Log.Warn("a part of the policy could not be read", "fault", f)
	}
	if h.Auth, err = auth.New(auth.Config{Store: documents{h.Store}, Audit: h, Now: cfg.Now}); err != nil {
		return nil, fmt.Errorf("users and tokens: %w", err)
	}
	if h.Evidence, err = evidence.New(evidence.Config{}, h.captured); err != nil {
		return nil, err
	}
	h.Evidence.Switch(h.settings.get().Evidence)
	h.countOpen()
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.start(func() { h.keepFindings(ctx) })
	h.start(func() { h.recount(ctx) })
	h.start(func() { h.Policy.Run(ctx) })
	h.live = clues.NewLive(h.Devices, cfg.HomeNet, max(cfg.Workers, 1))
	h.start(func() {
		h.live.Run(ctx, func() int64 { return cfg.Now().UnixNano() }, func(err error) { cfg.Log.Warn("the list of devices could not be kept", "error", err) })
	})
	if hl := h.Store.Health(); hl.Repaired != nil {
		cfg.Log.Warn("the event store was damaged and has been repaired", "reason", hl.Repaired.Reason, "aside", hl.Repaired.Aside)
	}
	return h, nil
}

// place is the time zone that the owner chose; the machine's where they chose
// none, or one that is not known here.
func (h *House) place(zone string) *time.Location {
	if zone == "" {
		return h.cfg.Location
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		h.cfg.Log.Warn("the time zone of the settings is not known here", "zone", zone, "error", err)
		return h.cfg.Location
	}
	return loc
}

func (h *House) zone() *time.Location { return h.location.Load() }

// settle makes the settings hold at once.
func (h *House) settle(s *api.Settings) {
	h.Store.SetRetention(retentionOf(s))
	h.Evidence.Switch(s.Evidence)
	if loc := h.place(s.TimeZone); loc.String() != h.zone().String() {
		h.location.Store(loc)
		h.Store.SetLocation(loc)
		h.Policy.SetLocation(loc)
	}
}

// recountEvery is how often the findings that wait for the owner are counted
// anew: what is too old leaves the store without a word.
const recountEvery = time.Hour

func (h *House) recount(ctx context.Context) {
	t := time.NewTicker(recountEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			h.countOpen()
		}
	}
}

func (h *House) start(f func()) {
	h.wg.Add(1)
	go func() {
		defer h.wg.Done()
		f()
	}()
}

// Close keeps what is under way and ends. The engine must have been closed.
func (h *House) Close() error {
	h.Evidence.Close()
	h.trial.mu.Lock()
	if h.trial.timer != nil {
		h.trial.timer.Stop() // the next start ends it
	}
	h.trial.mu.Unlock()
	close(h.findings)
	h.stop()
	h.wg.Wait()
	h.Hub.Close()
	return errors.Join(h.Devices.Save(), h.Store.Close())
}

// Observer watches worker i's traffic for what it tells about devices.
func (h *House) Observer(i int) *clues.Extractor { return h.live.Observer(i) }

// Ref names the device that has m and ip.
func (h *House) Ref(m packet.MAC, ip packet.Addr) event.DeviceRef { return h.Devices.Ref(m, ip) }

func (h *House) deviceChanged(c device.Change) {
	ev := c.Event()
	var eve event.EVE
	if h.settings.get().Presence || c.Type == device.New || c.Type == device.KindChanged {
		h.Store.AddEvent(&eve, ev, c.Device.ID)
	}
	what := map[device.ChangeType]string{device.New: "new", device.Returned: "returned", device.KindChanged: "changed", device.Gone: "gone"}[c.Type]
	h.Hub.Publish(api.EventDevice, &api.DeviceEvent{What: what, Device: h.device(&c.Device, false)})
}

func (h *House) policyChanged() {
	if h.Policy == nil { // the first snapshot comes before there is a manager
		return
	}
	if h.cfg.OnPolicy != nil {
		h.cfg.OnPolicy()
	}
	h.changes.note(h)
	// The mode alone: a trial is being set just now.
	h.Hub.Publish(api.EventPolicy, &api.Policy{Mode: h.Policy.Mode().String(), Inline: h.inline.Load(), Acts: h.actsNow()})
}
