package mqtt

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/yamori-net/yamori/internal/event"
)

// gate lets a user in who knows the password; without one, everybody.
type gate struct {
	broker.HookBase
	password string
}

func (g *gate) ID() string { return "gate" }
func (g *gate) Provides(b byte) bool {
	return b == broker.OnConnectAuthenticate || b == broker.OnACLCheck
}
func (g *gate) OnConnectAuthenticate(_ *broker.Client, pk packets.Packet) bool {
	return string(pk.Connect.Password) == g.password
}
func (g *gate) OnACLCheck(*broker.Client, string, bool) bool { return true }

// hub is a broker with a record of what it holds and how often it was told.
type hub struct {
	t    *testing.T
	s    *broker.Server
	addr string
	mu   sync.Mutex
	held map[string]string
	n    map[string]int
}

func newHub(t *testing.T, addr, password string) *hub {
	t.Helper()
	h := &hub{t: t, held: map[string]string{}, n: map[string]int{}}
	h.s = broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	err := h.s.AddHook(&gate{password: password}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: addr})
	if err := h.s.AddListener(l); err != nil {
		t.Fatal(err)
	}
	h.addr = l.Address()
	if err := h.s.Subscribe("#", 1, func(_ *broker.Client, _ packets.Subscription, pk packets.Packet) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.n[pk.TopicName]++
		if len(pk.Payload) == 0 {
			delete(h.held, pk.TopicName)
		} else {
			h.held[pk.TopicName] = string(pk.Payload)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.s.Serve(); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hub) get(topic string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[topic]
}

func (h *hub) count(topic string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n[topic]
}

// wait until ok. The limit is far beyond what it takes: only a client that is
// wrong reaches it, not a machine that is busy.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func soon(int) time.Duration { return 10 * time.Millisecond }

const cam, phone = "mac:02:00:00:00:00:01", "mac:02:00:00:00:00:02"

func client(t *testing.T, addr string, mod func(*Config), opt Options) *Client {
	t.Helper()
	cfg := Config{Server: "mqtt://" + addr, Presence: []string{phone}, Pause: []string{cam}}
	if mod != nil {
		mod(&cfg)
	}
	if opt.Backoff == nil {
		opt.Backoff = soon
	}
	c, err := New(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var home = []Device{{ID: cam, Name: "Garden", Kind: "camera", Online: true}, {ID: phone, Kind: "phone", Online: true}, {ID: "mac:02:00:00:00:00:03", Name: "secret", Online: true}}

func TestHomeAssistant(t *testing.T) {
	h := newHub(t, "127.0.0.1:0", "")
	defer h.s.Close()
	// What an earlier run left of a device that is not opted in any more.
	left := "homeassistant/switch/yamori_gateway/mac_02_00_00_00_00_09_pause/config"
	if err := h.s.Publish(left, []byte("{}"), true, 0); err != nil {
		t.Fatal(err)
	}
	paused := make(chan string, 9)
	c := client(t, h.addr, nil, Options{OnPause: func(d string, on bool) { paused <- fmt.Sprint(d, " ", on) }})
	c.Update(State{Attention: []string{"a camera mines"}, Findings: 3, Blocked: 2, Online: 3, Mode: "watch"}, home)
	wait(t, "the states", func() bool {
		return h.get("yamori/gateway/status") == "online" && h.get("yamori/gateway/attention") == "ON" && h.get("yamori/gateway/findings") == "3" &&
			h.get("yamori/gateway/device/mac_02_00_00_00_00_02/presence") == "home" && h.get("yamori/gateway/device/mac_02_00_00_00_00_01/pause") == "OFF"
	})
	wait(t, "what was left to go", func() bool { return h.get(left) == "" })
	var cfg struct {
		UniqueID     string `json:"unique_id"`
		Availability string `json:"availability_topic"`
		State        string `json:"state_topic"`
		Command      string `json:"command_topic"`
		Device       struct{ Name string }
	}
	sw := "homeassistant/switch/yamori_gateway/mac_02_00_00_00_00_01_pause/config"
	wait(t, "the switch", func() bool { return h.get(sw) != "" })
	if err := json.Unmarshal([]byte(h.get(sw)), &cfg); err != nil || cfg.Availability != "yamori/gateway/status" || h.get(cfg.State) != "OFF" || cfg.Device.Name != "Garden" || cfg.UniqueID == "" {
		t.Errorf("%+v, %v", cfg, err)
	}
	h.mu.Lock()
	for topic, v := range maps.Clone(h.held) {
		if strings.Contains(topic+v, "00:03") || strings.Contains(topic+v, "00_03") || strings.Contains(v, "secret") {
			t.Errorf("a device that nobody named is told: %s %s", topic, v)
		}
		if strings.Contains(topic, "_01/presence") || strings.Contains(topic, "_02/pause") {
			t.Errorf("%s was not asked for", topic)
		}
	}
	h.mu.Unlock()

	// The switch; commands that are retained, foreign or nonsense do nothing.
	for _, x := range []struct {
		topic, v string
		retain   bool
	}{{"yamori/gateway/device/mac_02_00_00_00_00_02/pause/set", "ON", false}, {cfg.Command, "ON", true}, {cfg.Command, "maybe", false},
		{cfg.Command, strings.Repeat("ON", 20), false}, {cfg.Command, "ON", false}, {cfg.Command, "OFF", false}} {
		if err := h.s.Publish(x.topic, []byte(x.v), x.retain, 0); err != nil {
			t.Fatal(err)
		}
	}
	// A broker sets the flag only for those who subscribe later.
	first, got := <-paused, []string{}
	wait(t, "the commands", func() bool {
		select {
		case s := <-paused:
			got = append(got, s)
		default:
		}
		return len(got) > 0 && got[len(got)-1] == cam+" false"
	})
	if first != cam+" true" || len(got) > 2 {
		t.Errorf("%s %q", first, got)
	}

	// Home Assistant has started anew: everything is told again.
	n := h.count(sw)
	if err := h.s.Publish("homeassistant/status", []byte("online"), false, 0); err != nil {
		t.Fatal(err)
	}
	wait(t, "the descriptions again", func() bool { return h.count(sw) > n && h.count("yamori/gateway/online") > 1 })
	if len(paused) != 0 {
		t.Errorf("the retained command was carried out: %s", <-paused)
	}

	// Only what has changed is told.
	time.Sleep(20 * time.Millisecond)
	before, f := h.count(sw), h.count("yamori/gateway/findings")
	c.Update(State{Findings: 4, Blocked: 2, Online: 3}, home)
	wait(t, "the change", func() bool {
		return h.get("yamori/gateway/findings") == "4" && h.get("yamori/gateway/attention") == "OFF"
	})
	if h.count(sw) != before || h.count("yamori/gateway/findings") != f+1 {
		t.Error("more was told than has changed")
	}
	// A device that is gone takes its entities with it.
	c.Update(State{Findings: 4}, home[1:])
	wait(t, "the switch to go", func() bool {
		return h.get(sw) == "" && h.get("yamori/gateway/device/mac_02_00_00_00_00_01/pause") == ""
	})
	c.Close()
	wait(t, "the word that it is gone", func() bool { return h.get("yamori/gateway/status") == "offline" })
}

// TestBrokerGoes: the last will, and everything again when the broker is back.
func TestBrokerGoes(t *testing.T) {
	h := newHub(t, lowPort(t), "")
	// The client stays away while held, so that the will comes before it does.
	var held sync.RWMutex
	c := client(t, h.addr, nil, Options{Backoff: func(int) time.Duration {
		held.RLock()
		defer held.RUnlock()
		return 10 * time.Millisecond
	}})
	defer c.Close()
	c.Update(State{Online: 2}, home)
	wait(t, "the state", func() bool { // the status is told last
		return h.get("yamori/gateway/online") == "2" && h.get("yamori/gateway/status") == "online"
	})
	if h.get("homeassistant/switch/yamori_gateway/mac_02_00_00_00_00_01_pause/config") != "" {
		t.Error("a switch that nobody listens to")
	}
	// The connection breaks without a word: the broker tells the will.
	cl, ok := h.s.Clients.Get("yamori-gateway")
	if !ok {
		t.Fatal("no client")
	}
	held.Lock()
	cl.Stop(io.ErrUnexpectedEOF)
	wait(t, "the will", func() bool { return h.get("yamori/gateway/status") == "offline" })
	held.Unlock()
	wait(t, "the return", func() bool { return h.get("yamori/gateway/status") == "online" })
	addr := h.addr
	_ = h.s.Close()
	wait(t, "failures", func() bool {
		st := c.Stats()
		return st.Failed > 0 && !st.Up && strings.Contains(st.Error, "check server")
	})
	c.Update(State{Online: 5}, home)
	h = newHub(t, addr, "")
	defer h.s.Close()
	wait(t, "the new state", func() bool {
		return h.get("yamori/gateway/online") == "5" && h.get("yamori/gateway/status") == "online"
	})
}

// lowPort finds an address that nothing listens on and that no other program is
// given by chance (net.ipv4.ip_local_port_range begins at 32768): a client that
// tries again and again could even meet itself there.
func lowPort(t *testing.T) string {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err != nil {
			continue
		}
		addr := l.Addr().String()
		_ = l.Close()
		return addr
	}
	t.Fatal("no port is free")
	return ""
}

// TestLeftBehind: what an earlier run described is taken away also when it is
// heard of before the first list of devices.
func TestLeftBehind(t *testing.T) {
	h := newHub(t, "127.0.0.1:0", "")
	defer h.s.Close()
	left := "homeassistant/switch/yamori_gateway/mac_02_00_00_00_00_09_pause/config"
	if err := h.s.Publish(left, []byte("{}"), true, 0); err != nil {
		t.Fatal(err)
	}
	c := client(t, h.addr, nil, Options{})
	defer c.Close()
	wait(t, "the connection", func() bool { return h.get("yamori/gateway/status") == "online" })
	// This one comes after what was kept: when it is answered for, so is that.
	if err := h.s.Publish("homeassistant/status", []byte("online"), false, 0); err != nil {
		t.Fatal(err)
	}
	wait(t, "all again", func() bool { return h.count("yamori/gateway/status") > 1 })
	if h.get(left) == "" {
		t.Error("taken away before anything is known of devices")
	}
	c.Update(State{}, home)
	wait(t, "what was left to go", func() bool { return h.get(left) == "" })
}

func TestPasswordAndFindings(t *testing.T) {
	h := newHub(t, "127.0.0.1:0", "right")
	defer h.s.Close()
	bad := client(t, h.addr, func(c *Config) { c.Username, c.Password = "yamori", "wrong" }, Options{})
	wait(t, "the refusal", func() bool { return bad.Stats().Failed > 0 })
	bad.Close()
	c := client(t, h.addr, func(c *Config) {
		c.Username, c.Password, c.Findings, c.Discovery, c.Node = "yamori", "right", true, "none", "n2"
	}, Options{})
	defer c.Close()
	f := c.NewFront()
	f.Event(&event.Event{Type: event.Flow})
	f.Event(&event.Event{Type: event.Alert, Finding: &event.Finding{Category: event.Mining, Signature: "Mining"}})
	c.Update(State{}, nil)
	wait(t, "the finding", func() bool { return strings.Contains(h.get("yamori/n2/finding"), `"signature":"Mining"`) })
	h.mu.Lock()
	defer h.mu.Unlock()
	for topic := range h.held {
		if strings.HasPrefix(topic, "homeassistant") {
			t.Errorf("%s without discovery", topic)
		}
	}
}

// TestBounds: a broker that is away costs nothing but what is counted.
func TestBounds(t *testing.T) {
	c := client(t, lowPort(t), func(c *Config) { c.Findings = true }, Options{})
	f := c.NewFront()
	for range 3 * maxFindings {
		f.Event(&event.Event{Type: event.Alert, Finding: &event.Finding{}})
		c.Update(State{}, home)
	}
	if st := c.Stats(); st.Dropped+st.Failed < maxFindings || st.Published != 0 {
		t.Errorf("%+v", st)
	}
	start := time.Now()
	c.Close()
	if d := time.Since(start); d > closeWait+2*time.Second {
		t.Errorf("closing took %v", d)
	}
	var many []string
	for i := range 3 * maxItems {
		many = append(many, fmt.Sprint("line ", i))
	}
	cfg := Config{Server: "mqtt://x"}
	_ = cfg.Check()
	if a := cfg.retained(&State{Attention: many}, nil)["yamori/gateway/attention/attributes"]; strings.Count(a, "line") != maxItems || !strings.Contains(a, fmt.Sprintf(`"count":%d`, 3*maxItems)) {
		t.Error(a)
	}
	var none *Front
	none.Event(&event.Event{})
}

func TestCheck(t *testing.T) {
	s := "mqtt://h:1"
	for field, c := range map[string]Config{
		"server: empty": {}, "server: write": {Server: "http://x"}, "username": {Server: s, Password: "x"}, "ca": {Server: s, CA: "f"}, "topic": {Server: s, Topic: "a/#"},
		"discovery": {Server: s, Discovery: "/x"}, "node": {Server: s, Node: "a b"}, "language": {Server: s, Language: "xx"}, "presence": {Server: s, Presence: []string{""}},
		"pause": {Server: s, Pause: make([]string, MaxDevices+1)},
	} {
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), "mqtt: "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := New(Config{Server: "mqtt://u:p@h"}, Options{}); err == nil || strings.Contains(err.Error(), "p@h") {
		t.Errorf("the password is shown: %v", err)
	}
	if _, err := New(Config{Server: "mqtts://h", CA: "/does/not/exist"}, Options{}); err == nil {
		t.Error("no authority")
	}
	if key("mac:02:aa") != "mac_02_aa" || key("a b") == key("a.b") || strings.ContainsAny(key("a/+#b"), "/+#") {
		t.Error("keys")
	}
	for k := range words["en"] {
		if words["ja"][k] == "" {
			t.Errorf("no Japanese for %s", k)
		}
	}
}
