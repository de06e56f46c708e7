package mining

import (
	"bytes"
	_ "embed"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

//go:embed pools.tsv
var poolText string

// Pool is an entry of the list of known pools.
type Pool struct{ Suffix, What, Coin string }

// pools finds known pools by name.
type pools struct {
	by  map[string]int
	all []Pool
}

func readPools(text string) *pools {
	p := &pools{by: map[string]int{}}
	for line := range strings.Lines(text) {
		w := strings.Split(strings.TrimSpace(line), "\t")
		if len(w) < 4 || w[0][0] == '#' {
			continue
		}
		p.by[w[0]] = len(p.all)
		p.all = append(p.all, Pool{w[0], w[1], w[2]})
	}
	return p
}

// maxName bounds the names looked up: DNS allows no longer ones.
const maxName = 255

// find looks name up, whatever its case, by itself and by each of its
// suffixes. site is true for the names that pools give their web pages rather
// than their miners. The result is -1 for a name that is none of a pool.
func (p *pools) find(name []byte) (i int, site bool) {
	if len(name) == 0 || len(name) > maxName {
		return -1, false
	}
	var buf [maxName]byte
	b := buf[:copy(buf[:], name)]
	for k, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[k] = c + 'a' - 'A'
		}
	}
	b = bytes.TrimSuffix(b, []byte("."))
	for rest := b; ; {
		if i, ok := p.by[string(rest)]; ok {
			return i, p.all[i].What != "browser" && website(b[:len(b)-len(rest)], rest)
		}
		dot := bytes.IndexByte(rest, '.')
		if dot < 0 {
			return -1, false
		}
		rest = rest[dot+1:]
	}
}

// website reports whether a pool's name with this prefix is the one of its
// pages: none, www, api and the like. A suffix that is itself a host's name
// (three labels) belongs to miners.
func website(prefix, suffix []byte) bool {
	if len(prefix) == 0 {
		return bytes.Count(suffix, []byte(".")) == 1
	}
	label := prefix
	if dot := bytes.IndexByte(prefix, '.'); dot >= 0 {
		label = prefix[:dot]
	}
	for _, w := range [...]string{"www", "api", "app", "static", "cdn", "blog", "help", "support", "docs", "status", "dashboard", "m", "mail", "img"} {
		if string(label) == w {
			return true
		}
	}
	return false
}

// Bounds of what is remembered across flows; beyond them the oldest goes.
const (
	maxPoolHosts = 1024 // addresses that a pool's name stood for
	maxDevices   = 1024 // clients with a flow that looked like mining
	poolHostAge  = int64(24 * 3600e9)
)

// memory is what the workers of an engine share. It is touched when a DNS
// answer names a pool, at the start of a TLS flow and the end of a short one, and
// at the looks at a flow that could be mining.
type memory struct {
	hosts   atomic.Int32 // entries of host, so that most flows need no lock
	mu      sync.Mutex
	host    map[packet.Addr]poolHost
	device  map[packet.Addr]*deviceState
	hostQ   []packet.Addr // in the order they came
	deviceQ []packet.Addr

	series   []series // at most maxSeries
	seriesAt map[seriesKey]int
}

type poolHost struct {
	pool int
	site bool
	at   int64
}

// deviceState is what is known of a client: the flows of it that looked like
// mining, at most four.
type deviceState struct {
	flows [4]flowSeen
	n     int
	block blockSeen
}

// blockSeen is the latest connection of a device that was dropped because it
// mined.
type blockSeen struct {
	at     int64
	server packet.Addr
	port   uint16
}

type flowSeen struct {
	id     uint64
	server packet.Addr
	port   uint16
	first  int64
	score  float64
}

func newMemory() *memory {
	return &memory{host: map[packet.Addr]poolHost{}, device: map[packet.Addr]*deviceState{}, seriesAt: map[seriesKey]int{}}
}

// named notes that a pool's name stands for a.
func (m *memory) named(a packet.Addr, pool int, site bool, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.host[a]
	if !ok {
		if len(m.hostQ) >= maxPoolHosts {
			delete(m.host, m.hostQ[0])
			m.hostQ = append(m.hostQ[:0], m.hostQ[1:]...)
		}
		m.hostQ = append(m.hostQ, a)
	} else if !old.site && site {
		return // a miner's name says more than a page's
	}
	m.host[a] = poolHost{pool, site, now}
	m.hosts.Store(int32(len(m.host)))
}

// poolAt returns the pool whose name stood for a within the last day, or -1.
func (m *memory) poolAt(a packet.Addr, now int64) (int, bool) {
	if m.hosts.Load() == 0 {
		return -1, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.host[a]
	if !ok || now-h.at > poolHostAge || h.at > now {
		return -1, false
	}
	return h.pool, h.site
}

// seen notes a flow of client c that looks like mining, and returns how many
// others of c did, to the same server and to different ones, and whether this one
// went to another server after an earlier one had ended or failed: the next pool.
func (m *memory) seen(c packet.Addr, f flowSeen) (same, others int, next bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.of(c)
	mine := -1
	for i := range d.flows[:d.n] {
		o := &d.flows[i]
		switch {
		case o.id == f.id:
			mine = i
		case o.score <= 0:
		case o.server == f.server && o.port == f.port:
			same++
		default:
			others++
			next = next || o.server != f.server && o.first < f.first
		}
	}
	switch {
	case mine >= 0:
		d.flows[mine] = f
	case d.n < len(d.flows):
		d.flows[d.n] = f
		d.n++
	default:
		d.flows = [4]flowSeen{d.flows[1], d.flows[2], d.flows[3], f}
	}
	return same, others, next
}

// of returns what is known of a device. The caller holds the lock.
func (m *memory) of(c packet.Addr) *deviceState {
	d := m.device[c]
	if d == nil {
		if len(m.deviceQ) >= maxDevices {
			delete(m.device, m.deviceQ[0])
			m.deviceQ = append(m.deviceQ[:0], m.deviceQ[1:]...)
		}
		d = &deviceState{}
		m.device[c] = d
		m.deviceQ = append(m.deviceQ, c)
	}
	return d
}

// blockFresh is how long a device's turning elsewhere is taken for its answer
// to a dropped connection: miners try the next pool within seconds, and are
// judged after minutes.
const blockFresh = int64(600e9)

// blocked notes that a connection of device c to a pool was dropped.
func (m *memory) blocked(c, server packet.Addr, port uint16, now int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(c).block = blockSeen{now, server, port}
	if i, ok := m.seriesAt[seriesKey{c, server, port}]; ok {
		m.series[i].blocked = true
	}
}

// afterBlock reports whether a flow that began at a time is what the device did
// after one of its connections was dropped, and whether with another server.
func (m *memory) afterBlock(c, server packet.Addr, port uint16, begin int64) (after, other bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.device[c]
	if d == nil || d.block.at == 0 || begin < d.block.at || begin-d.block.at > blockFresh {
		return false, false
	}
	return true, d.block.server != server || d.block.port != port
}

// dropping reports whether the connections of a series are dropped.
func (m *memory) dropping(k seriesKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.seriesAt[k]
	return ok && m.series[i].blocked && m.series[i].best >= event.Likely
}
