package device

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

const sec = int64(1e9)

// judgeByHost takes the kind from a hostname "camera-…".
func judgeByHost(f Facts) (p Profile) {
	p.Kind.Value = Unknown
	for _, c := range f.Clues {
		if c.Key == "hostname" {
			p.Name = Guess{c.Value, 0.8}
			if k, _, _ := strings.Cut(c.Value, "-"); KnownKind(k) {
				p.Kind, p.Best = Guess{k, 0.9}, k
			}
		}
	}
	return p
}

type harness struct {
	*Registry
	t       *testing.T
	changes []Change
}

func newHarness(t *testing.T, store Persistence) *harness {
	h := &harness{t: t}
	r, err := NewRegistry(Config{Judge: judgeByHost, Exact: true, Store: store, OnChange: func(c Change) { h.changes = append(h.changes, c) }})
	if err != nil {
		t.Fatal(err)
	}
	h.Registry = r
	return h
}

func (h *harness) clue(at int64, m packet.MAC, addr string, s Source, key, value string) {
	c := Clue{Source: s, Key: key, Value: value, Time: at * sec, MAC: m}
	if addr != "" {
		c.IP = ip(addr)
	}
	h.Add(c)
	h.Advance(at * sec)
}

func (h *harness) host(at int64, m packet.MAC, addr, name string) {
	h.clue(at, m, addr, DHCP, "hostname", name)
}

func (h *harness) ids() (out []string) {
	for _, d := range h.Devices() {
		out = append(out, d.ID)
	}
	return out
}

func (h *harness) told() (out []string) {
	for _, c := range h.changes {
		out = append(out, string(c.Type)+" "+c.Device.ID+" "+c.Device.Kind)
	}
	h.changes = nil
	return out
}

func real(n byte) packet.MAC   { return packet.MAC{0x00, 0x11, 0x22, 0, 0, n} }
func random(n byte) packet.MAC { return packet.MAC{0x9a, 0x11, 0x22, 0, 0, n} }

// A phone that takes a new address every day is one device: known by a name
// that says whose it is.
func TestFollow(t *testing.T) {
	h := newHarness(t, nil)
	h.host(1, random(1), "192.168.1.5", "annas-iphone")
	h.clue(20, random(1), "fe80::1", Seen, "", "")
	h.host(90000, random(2), "192.168.1.9", "Annas-iPhone")
	d := h.Devices()
	if len(d) != 1 || len(d[0].MACs) != 2 || d[0].MAC != random(2) || !d[0].Random || len(d[0].Addresses) != 3 {
		t.Fatalf("%+v", d)
	}
	if d[0].ID != "mac:9a:11:22:00:00:01" {
		t.Errorf("the identity changed to %s", d[0].ID)
	}
	if r := h.Ref(random(2), ip("192.168.1.9")); r.ID != d[0].ID || r.Name != "Annas-iPhone" && r.Name != "annas-iphone" {
		t.Errorf("%+v", r)
	}
	if s := h.Stats(); s.Followed != 1 {
		t.Errorf("%+v", s)
	}
}

// Names of products are names of many: two phones called iPhone stay two,
// whether they are here together or one after the other.
func TestNeverMerge(t *testing.T) {
	tests := []struct {
		name string
		run  func(h *harness)
		want int
	}{
		{"both called iPhone, one after the other", func(h *harness) {
			h.host(1, random(1), "192.168.1.5", "iPhone")
			h.host(90000, random(2), "192.168.1.6", "iPhone")
		}, 2},
		{"both called Galaxy-S21", func(h *harness) {
			h.host(1, random(1), "192.168.1.5", "Galaxy-S21")
			h.host(90000, random(2), "192.168.1.6", "Galaxy-S21")
		}, 2},
		{"the same telling name, both present", func(h *harness) {
			h.host(1, random(1), "192.168.1.5", "annas-iphone")
			h.host(10, random(2), "192.168.1.6", "annas-iphone")
			h.clue(20, random(1), "192.168.1.5", Seen, "", "")
			h.host(90000, random(3), "192.168.1.7", "annas-iphone") // and nobody knows which of them this is
		}, 3},
		{"the same identifier, both present", func(h *harness) {
			h.clue(1, random(1), "192.168.1.5", DHCPv6, "duid", "000100012aabbccd001122334455")
			h.clue(5, random(2), "192.168.1.6", Seen, "", "")
			h.clue(6, random(1), "192.168.1.5", Seen, "", "")
			h.clue(9, random(2), "192.168.1.6", DHCPv6, "duid", "000100012aabbccd001122334455")
		}, 2},
		{"two real cards", func(h *harness) {
			h.host(1, real(1), "192.168.1.5", "annas-laptop")
			h.host(90000, real(2), "192.168.1.6", "annas-laptop")
		}, 2},
		{"other parameters", func(h *harness) {
			h.clue(1, random(1), "192.168.1.5", DHCP, "params", "1,3,6")
			h.host(1, random(1), "192.168.1.5", "annas-iphone")
			h.clue(90000, random(2), "192.168.1.6", DHCP, "params", "1,3,6,15")
			h.host(90000, random(2), "192.168.1.6", "annas-iphone")
		}, 2},
	}
	for _, tt := range tests {
		h := newHarness(t, nil)
		tt.run(h)
		if got := h.ids(); len(got) != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// Two devices taken for one come apart again when both are heard in turn.
func TestTakenApart(t *testing.T) {
	h := newHarness(t, nil)
	h.host(1, random(1), "192.168.1.5", "annas-iphone")
	h.host(90000, random(2), "192.168.1.6", "annas-iphone")
	if n := len(h.ids()); n != 1 {
		t.Fatal(n)
	}
	for i := range int64(4) {
		h.clue(90010+2*i, random(1), "192.168.1.5", Seen, "", "")
		h.clue(90011+2*i, random(2), "192.168.1.6", Seen, "", "")
	}
	d := h.Devices()
	if len(d) != 2 || len(d[0].MACs) != 1 || len(d[1].MACs) != 1 || len(d[0].Addresses) != 1 || len(d[1].Addresses) != 1 {
		t.Fatalf("%+v", d)
	}
}

// A strong identifier follows a device whatever it is called, and addresses
// that are seen without a link layer get theirs.
func TestStrong(t *testing.T) {
	h := newHarness(t, nil)
	h.clue(1, real(1), "192.168.1.5", DHCPv6, "duid", "000100012aabbccd001122334455")
	h.clue(90000, random(2), "192.168.1.6", DHCPv6, "duid", "000100012aabbccd001122334455")
	if got := h.ids(); len(got) != 1 {
		t.Errorf("%q", got)
	}
	h.clue(90001, packet.MAC{}, "192.168.1.77", Seen, "", "")
	h.clue(90002, real(7), "192.168.1.77", Seen, "", "")
	if d := h.Devices(); len(d) != 2 || d[1].ID != "ip:192.168.1.77" || d[1].MAC != real(7) {
		t.Errorf("%+v", d)
	}
	// An address given to another device leaves the first.
	h.clue(90003, real(8), "192.168.1.77", Seen, "", "")
	if r := h.Ref(packet.MAC{}, ip("192.168.1.77")); r.ID != "mac:00:11:22:00:00:08" {
		t.Errorf("%+v", r)
	}
}

func TestChanges(t *testing.T) {
	h := newHarness(t, nil)
	h.clue(1, real(1), "192.168.1.5", Seen, "", "")
	h.host(5, real(1), "192.168.1.5", "camera-1")
	if got := h.told(); got != nil {
		t.Errorf("told at once: %q", got)
	}
	h.Advance(11 * sec)
	h.host(20, real(1), "192.168.1.5", "printer-1")
	h.Advance(21*sec + DefaultGoneAfter)
	h.clue(5000, real(1), "192.168.1.5", Seen, "", "")
	id := "mac:00:11:22:00:00:01"
	if got, want := h.told(), []string{"new " + id + " camera", "kind_changed " + id + " printer", "gone " + id + " printer", "returned " + id + " printer"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	e := &event.Encoder{}
	e.Obj("")
	(&Change{Type: KindChanged, Old: "camera", Device: h.Devices()[0]}).EncodeEVE(e)
	e.EndObj()
	if !json.Valid(e.B) || !strings.Contains(string(e.B), `"old_kind":"camera"`) {
		t.Errorf("%s", e.B)
	}
}

// memory is a store in memory.
type memory struct {
	mu   sync.Mutex
	m    map[string][]byte
	fail error
}

func (s *memory) Load(f func(string, []byte) error) error {
	for id, b := range s.m {
		if err := f(id, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *memory) Save(id string, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if b == nil {
		delete(s.m, id)
	} else {
		s.m[id] = b
	}
	return nil
}

// The owner's word wins over every later clue, and survives a restart.
func TestOwner(t *testing.T) {
	store := &memory{m: map[string][]byte{}}
	h := newHarness(t, store)
	h.host(1, real(1), "192.168.1.5", "camera-1")
	h.host(2, random(2), "192.168.1.6", "phone-2")
	h.host(3, random(3), "192.168.1.7", "phone-3")
	h.Advance(20 * sec)
	cam, p2, p3 := "mac:00:11:22:00:00:01", "mac:9a:11:22:00:00:02", "mac:9a:11:22:00:00:03"
	for _, err := range []error{h.Correct(cam, Correction{Name: "Door", Kind: Hub, Person: "Anna"}), h.Merge(p2, p3)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h.host(30, real(1), "192.168.1.5", "printer-1")
	check := func(h *harness, when string) {
		t.Helper()
		d := h.Devices()
		if len(d) != 2 || d[0].Kind != Hub || d[0].Name != "Door" || d[0].Person != "Anna" || d[0].Confidence != 1 || !d[0].Owned {
			t.Errorf("%s: %+v", when, d)
		}
		if len(d[1].MACs) != 2 {
			t.Errorf("%s: not merged: %+v", when, d[1])
		}
	}
	check(h, "at once")
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
	h = newHarness(t, store)
	check(h, "after a restart")
	if got := h.told(); got != nil {
		t.Errorf("a restart is news: %q", got)
	}
	// Both addresses in turn do not take apart what the owner has merged.
	for i := range int64(6) {
		h.clue(100+2*i, random(2), "192.168.1.6", Seen, "", "")
		h.clue(101+2*i, random(3), "192.168.1.7", Seen, "", "")
	}
	check(h, "after flapping")
	n, err := h.Split(p2, random(3))
	if err != nil {
		t.Fatal(err)
	}
	h = newHarness(t, store)
	if d := h.Devices(); len(d) != 3 {
		t.Fatalf("split does not last: %+v", d)
	}
	h.clue(200, random(2), "192.168.1.6", MDNS, "host", "annas-iphone")
	h.clue(90000, random(3), "192.168.1.7", MDNS, "host", "annas-iphone")
	if d := h.Devices(); len(d) != 3 {
		t.Errorf("merged again: %+v", d)
	}
	epoch := h.Epoch()
	if err := h.Forget(n); err != nil {
		t.Fatal(err)
	}
	if store.m[n] != nil || h.Epoch() == epoch || h.Clues(n) != nil {
		t.Error("not forgotten")
	}
	for err, want := range map[error]error{h.Forget("x"): ErrNotFound, h.Correct(cam, Correction{Kind: "toaster"}): ErrKind,
		h.Correct(cam, Correction{Name: strings.Repeat("x", 300)}): ErrText, h.Merge(cam, cam): ErrMerge} {
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if _, err := h.Split(cam, real(1)); !errors.Is(err, ErrSplit) {
		t.Error(err)
	}
	store.fail = errors.New("disk full")
	if err := h.Correct(cam, Correction{Name: "x"}); !errors.Is(err, store.fail) {
		t.Error(err)
	}
	store.fail = nil
	if err := h.Save(); err != nil || !strings.Contains(string(store.m[cam]), `"name":"x"`) {
		t.Errorf("not tried again: %v %s", err, store.m[cam])
	}
}

// Everything is bounded, and what the owner has spoken about stays.
func TestBounds(t *testing.T) {
	h := newHarness(t, nil)
	h.host(1, real(1), "192.168.1.5", "camera-1")
	if err := h.Correct("mac:00:11:22:00:00:01", Correction{Name: "Door"}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * MaxDevices {
		m := packet.MAC{2, 1, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}
		h.Add(Clue{Source: DHCP, Key: "hostname", Value: "x" + string(rune('a'+i%26)), Time: int64(i), MAC: m,
			IP: packet.AddrFrom4([]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})})
	}
	for i := range 5 * MaxClues {
		h.Add(Clue{Source: Source(1 + i%int(numSources-1)), Key: "k", Value: strings.Repeat("v", 1+i), Time: int64(i), MAC: real(1)})
	}
	s := h.Stats()
	if s.Devices > MaxDevices || s.Clues > MaxAllClues+fewClues*MaxDevices || s.Evicted == 0 {
		t.Errorf("%+v", s)
	}
	if n := len(h.Clues("mac:00:11:22:00:00:01")); n == 0 || n > MaxClues {
		t.Errorf("%d clues", n)
	}
	for i := range 3 * MaxMACs {
		h.clue(int64(1000+100*i), random(byte(i)), "", DHCPv6, "duid", "000100012aabbccd001122334455")
	}
	for _, d := range h.Devices() {
		if len(d.MACs) > MaxMACs || len(d.Addresses) > MaxAddresses {
			t.Errorf("%d addresses", len(d.MACs))
		}
	}
}

func TestTelling(t *testing.T) {
	for name, want := range map[string]bool{
		"iphone": false, "annas-iphone": true, "iphone-von-anna": true, "ipad-de-luis": true, "galaxy-s21": false, "pixel-6-pro": false,
		"android-3f2a9c44d1e07b52": true, "desktop-4f7k2q1": true, "moto-g-power": false, "redmi-note-10": false, "localhost": false,
		"espressif": false, "花子のiphone": true, "marys-laptop": true, "tv": false, "raspberrypi": false, "dcs-935l": false, "iphone-2": false,
	} {
		if got := Telling(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Many add, many ask: the race detector watches.
func TestConcurrent(t *testing.T) {
	r, err := NewRegistry(Config{Judge: judgeByHost})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range byte(4) {
		wg.Go(func() {
			for i := range int64(300) {
				r.Add(Clue{Source: DHCP, Key: "hostname", Value: "camera-x", Time: i * sec, MAC: real(w), IP: ip("192.168.1.5")})
				r.Ref(real(w), ip("192.168.1.5"))
				if i%10 == 0 {
					r.Advance(i * sec)
					_ = r.Correct("mac:00:11:22:00:00:01", Correction{Name: "n"})
					r.Devices()
				}
			}
		})
	}
	wg.Wait()
	r.Advance(400 * sec)
	if ref := r.Ref(real(2), ip("192.168.1.5")); ref.Kind != "camera" {
		t.Errorf("%+v", ref)
	}
}

func TestRefNoAllocs(t *testing.T) {
	r, _ := NewRegistry(Config{})
	r.Add(Clue{Source: Seen, Time: sec, MAC: real(1), IP: ip("192.168.1.5")})
	r.Advance(2 * sec)
	a := ip("192.168.1.5")
	if n := testing.AllocsPerRun(100, func() { r.Ref(real(1), a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"version":1,"id":"mac:00:11:22:00:00:01","macs":[{"mac":"00:11:22:00:00:01"}],"addresses":[{"ip":"192.168.1.5"}],"clues":[{"source":"dhcp","key":"hostname","value":"camera-1"}],"owner":{"kind":"hub"}}`))
	f.Add([]byte(`{"clues":[{"source":"nonsense"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewRegistry(Config{Judge: judgeByHost, Store: &memory{m: map[string][]byte{"x": b}}})
		if err != nil {
			return
		}
		r.Advance(sec)
		for _, d := range r.Devices() {
			if !KnownKind(d.Kind) {
				t.Fatalf("kind %q", d.Kind)
			}
		}
	})
}

// A flood of devices that all say much stays within the room for clues,
// whether they come one after the other or are all there first.
func TestClueFlood(t *testing.T) {
	mac := func(i int) packet.MAC { return packet.MAC{2, 2, 0, byte(i >> 16), byte(i >> 8), byte(i)} }
	for _, first := range []bool{false, true} {
		h := newHarness(t, nil)
		for i := range MaxDevices / 2 {
			if first {
				h.Add(Clue{Source: Seen, Time: int64(i), MAC: mac(i)})
			}
		}
		for i := range MaxDevices / 2 {
			for k := range 60 {
				h.Add(Clue{Source: Source(1 + k%int(numSources-1)), Key: "k", Value: string(rune('a' + k)), Time: int64(i), MAC: mac(i)})
			}
		}
		s := h.Stats()
		if s.Clues > MaxAllClues+fewClues*MaxDevices || first && (s.Clues < MaxAllClues || s.Devices != MaxDevices/2) || !first && s.Evicted == 0 {
			t.Errorf("%v: %+v", first, s)
		}
	}
}
