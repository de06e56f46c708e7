package mqtt

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/yamori-net/yamori/internal/event"
)

// Limits and times.
const (
	maxCommands  = 64  // that wait to be carried out
	maxFindings  = 256 // that wait to be published
	maxLeft      = 512 // descriptions of an earlier run that wait for the first list of devices
	publishWait  = 10 * time.Second
	closeWait    = 2 * time.Second
	maxBackoff   = time.Minute
	keepAlive    = 30
	maxCommandSz = 16
)

// Options is what a Client needs besides its configuration.
type Options struct {
	// OnPause is told that the owner switched a device's internet off or on;
	// only of devices in Config.Pause. It may take its time. nil: no switches.
	OnPause func(device string, paused bool)
	// Backoff replaces the pauses between attempts to connect; for tests.
	Backoff func(attempt int) time.Duration
}

// Client keeps the broker informed.
type Client struct {
	cfg  Config
	opt  Options
	cm   *autopaho.ConnectionManager
	wg   sync.WaitGroup
	rest context.CancelFunc // ends publishing
	stop context.CancelFunc // ends the connection
	end  sync.Once

	kick     chan struct{}
	commands chan command
	findings chan []byte
	incoming chan *paho.Publish

	mu      sync.Mutex
	state   State
	devices []Device
	full    bool // everything is to be published again
	up      bool
	last    string

	published, dropped, failed atomic.Uint64
}

type command struct {
	device string
	on     bool
}

// Stats is what became of messages.
type Stats struct {
	Published uint64
	Dropped   uint64 // findings and commands beyond their limits
	Failed    uint64 // attempts to connect and publish
	Up        bool
	Error     string // of the latest failure
}

// New checks the configuration and starts. A broker that is not there yet is
// no error: it is tried again and again.
func New(cfg Config, opt Options) (*Client, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if opt.OnPause == nil {
		cfg.Pause = nil
	}
	u, _ := url.Parse(cfg.Server) // was checked
	t, err := cfg.tlsConfig(u)
	if err != nil {
		return nil, err
	}
	if opt.Backoff == nil {
		opt.Backoff = func(n int) time.Duration { return min(time.Second<<min(n, 6), maxBackoff) }
	}
	c := &Client{cfg: cfg, opt: opt, kick: make(chan struct{}, 1), commands: make(chan command, maxCommands),
		findings: make(chan []byte, maxFindings), incoming: make(chan *paho.Publish, maxFindings)}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	c.cm, err = autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, TlsCfg: t, KeepAlive: keepAlive, CleanStartOnInitialConnection: true,
		ConnectUsername: cfg.Username, ConnectPassword: []byte(cfg.Password), ReconnectBackoff: opt.Backoff,
		WillMessage:      &paho.WillMessage{Topic: cfg.base() + "/status", Payload: []byte("offline"), Retain: true, QoS: 1},
		OnConnectionUp:   func(*autopaho.ConnectionManager, *paho.Connack) { c.again(true) },
		OnConnectionDown: func() bool { c.mu.Lock(); c.up = false; c.mu.Unlock(); return true },
		OnConnectError:   func(err error) { c.fail(err) },
		ClientConfig: paho.ClientConfig{ClientID: "yamori-" + cfg.Node, OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(r paho.PublishReceived) (bool, error) {
			select {
			case c.incoming <- r.Packet:
			default:
				c.dropped.Add(1)
			}
			return true, nil
		}}},
	})
	if err != nil {
		cancel()
		return nil, err
	}
	work, rest := context.WithCancel(ctx)
	c.rest = rest
	c.wg.Go(func() { c.run(work) })
	c.wg.Go(func() { c.carryOut(work) })
	return c, nil
}

// Update gives the present state; what has changed is published. It never
// waits.
func (c *Client) Update(s State, devices []Device) {
	c.mu.Lock()
	s.Attention = slices.Clone(s.Attention)
	c.state, c.devices = s, slices.Clone(devices)
	c.mu.Unlock()
	c.wake()
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{Published: c.published.Load(), Dropped: c.dropped.Load(), Failed: c.failed.Load(), Up: c.up, Error: c.last}
}

// Front is one worker's sink for findings; nil unless Config.Findings is set.
// Not safe for concurrent use.
type Front struct {
	c   *Client
	eve event.EVE
}

// NewFront returns a sink into c.
func (c *Client) NewFront() *Front {
	if !c.cfg.Findings {
		return nil
	}
	return &Front{c: c}
}

// Event queues a finding; it never waits.
func (f *Front) Event(ev *event.Event) {
	if f == nil || ev.Type != event.Alert {
		return
	}
	select {
	case f.c.findings <- f.eve.Append(nil, ev):
	default:
		f.c.dropped.Add(1)
	}
}

// Close says that the gateway is offline, and stops.
func (c *Client) Close() {
	c.end.Do(func() {
		c.rest() // nothing may follow the last word
		c.wg.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		_, _ = c.cm.Publish(ctx, &paho.Publish{Topic: c.cfg.base() + "/status", Payload: []byte("offline"), Retain: true, QoS: 1})
		_ = c.cm.Disconnect(ctx)
		c.stop()
	})
}

func (c *Client) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// again asks for everything to be published anew.
func (c *Client) again(up bool) {
	c.mu.Lock()
	c.full, c.up = true, c.up || up
	c.mu.Unlock()
	c.wake()
}

func (c *Client) fail(err error) {
	c.failed.Add(1)
	c.mu.Lock()
	c.last = "mqtt: " + err.Error() + "; check server, username and password, and that the broker speaks MQTT 5"
	c.mu.Unlock()
}

// run publishes. It alone knows what the broker holds. Findings wait while the
// broker is away.
func (c *Client) run(ctx context.Context) {
	held, left := map[string]string{}, map[string]bool{}
	var waiting []byte // a finding that could not be published
	tell := func(b []byte) {
		if waiting = nil; c.publish(ctx, c.cfg.base()+"/finding", strings.TrimSpace(string(b)), false) != nil {
			waiting = b
		}
	}
	for {
		c.mu.Lock()
		findings := c.findings
		if !c.up || waiting != nil {
			findings = nil
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-c.kick:
			c.sync(ctx, held)
			c.tidy(ctx, left)
			if waiting != nil {
				tell(waiting)
			}
		case p := <-c.incoming:
			if c.take(p); len(p.Payload) > 0 && len(left) < maxLeft && c.describes(p.Topic) {
				left[p.Topic] = true
				c.tidy(ctx, left)
			}
		case b := <-findings:
			tell(b)
		}
	}
}

// sync makes the broker hold what it should.
func (c *Client) sync(ctx context.Context, held map[string]string) {
	c.mu.Lock()
	up, full := c.up, c.full
	want := c.cfg.retained(&c.state, c.devices)
	if up {
		c.full = false
	}
	c.mu.Unlock()
	if !up {
		return
	}
	if full {
		clear(held)
		if err := c.subscribe(ctx); err != nil {
			c.fail(err)
		}
	}
	// Descriptions before states, so that a new entity finds its state.
	for _, topic := range slices.SortedFunc(maps.Keys(want), func(a, b string) int {
		ca, cb := strings.HasSuffix(a, "/config"), strings.HasSuffix(b, "/config")
		if ca != cb {
			if ca {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	}) {
		if v := want[topic]; held[topic] != v {
			if c.publish(ctx, topic, v, true) != nil {
				c.again(false)
				return
			}
			held[topic] = v
		}
	}
	for topic := range held {
		if _, ok := want[topic]; !ok {
			if c.publish(ctx, topic, "", true) != nil { // takes it away
				c.again(false)
				return
			}
			delete(held, topic)
		}
	}
}

func (c *Client) publish(ctx context.Context, topic, v string, retain bool) error {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	_, err := c.cm.Publish(ctx, &paho.Publish{Topic: topic, Payload: []byte(v), Retain: retain, QoS: 1})
	if err != nil {
		if ctx.Err() == nil {
			c.fail(err)
		} else {
			c.failed.Add(1)
		}
		return err
	}
	c.published.Add(1)
	return nil
}

func (c *Client) subscribe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	s := &paho.Subscribe{}
	add := func(topic string) {
		s.Subscriptions = append(s.Subscriptions, paho.SubscribeOptions{Topic: topic, QoS: 1, NoLocal: true})
	}
	if c.cfg.Discovery != "none" {
		add(c.cfg.Discovery + "/status")                               // Home Assistant says that it has started
		add(c.cfg.Discovery + "/+/yamori_" + c.cfg.Node + "/+/config") // what an earlier run has left
	}
	if len(c.cfg.Pause) > 0 {
		add(c.cfg.base() + "/device/+/pause/set")
	}
	if len(s.Subscriptions) == 0 {
		return nil
	}
	_, err := c.cm.Subscribe(ctx, s)
	return err
}

// describes reports whether a topic is that of a description for Home Assistant.
func (c *Client) describes(topic string) bool {
	return c.cfg.Discovery != "none" && strings.HasPrefix(topic, c.cfg.Discovery+"/") && strings.HasSuffix(topic, "/config")
}

// tidy takes away what an earlier run has described and is not there any more.
// Before the first list of devices came nobody knows what that is.
func (c *Client) tidy(ctx context.Context, left map[string]bool) {
	c.mu.Lock()
	known := len(c.devices) > 0
	want := c.cfg.retained(&c.state, c.devices)
	c.mu.Unlock()
	if !known {
		return
	}
	for topic := range left {
		if _, ok := want[topic]; !ok && c.publish(ctx, topic, "", true) != nil {
			return // once more at the next change
		}
		delete(left, topic)
	}
}

// take looks at what the broker sent.
func (c *Client) take(p *paho.Publish) {
	if p.Topic == c.cfg.Discovery+"/status" {
		if string(p.Payload) == "online" && !p.Retain {
			c.again(false)
		}
		return
	}
	if strings.HasPrefix(p.Topic, c.cfg.Discovery+"/") {
		return
	}
	// A retained command would be carried out again at each connection.
	if p.Retain || len(p.Payload) > maxCommandSz {
		return
	}
	k, ok := strings.CutPrefix(p.Topic, c.cfg.base()+"/device/")
	k, ok2 := strings.CutSuffix(k, "/pause/set")
	if !ok || !ok2 {
		return
	}
	var on bool
	switch string(p.Payload) {
	case "ON":
		on = true
	case "OFF":
	default:
		return
	}
	for _, d := range c.cfg.Pause {
		if key(d) == k {
			select {
			case c.commands <- command{d, on}:
			default:
				c.dropped.Add(1)
			}
		}
	}
}

// carryOut tells of commands, apart from publishing.
func (c *Client) carryOut(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-c.commands:
			c.opt.OnPause(x.device, x.on)
		}
	}
}
