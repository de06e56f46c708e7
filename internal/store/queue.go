package store

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of what waits for the writer.
const (
	queueBytes    = 4 << 20 // events and flows
	queueFindings = 1024
	queueTraffic  = 8192 // devices × hours
	queueDevices  = 4096
	itemOverhead  = 160
)

// Flow is the summary of one flow: who spoke with whom, no names.
type Flow struct {
	ID        int64
	Time      time.Time
	Estimated bool
	Length    time.Duration
	Device    string
	Remote    netip.Addr
	Port      uint16 // of the server
	Proto     uint8  // IANA number
	App       string
	Up, Down  int64 // bytes, from and to the device
}

// Traffic is what one device sent and received since the last report.
type Traffic struct {
	Device   string
	Time     time.Time
	Up, Down int64 // bytes
	Flows    int64
	Seen     int64 // sightings (packets that tell that it is there)
}

// item is an event or a flow that waits.
type item struct {
	id        int64
	time      time.Time
	estimated bool
	device    string
	typ       string // of an event; empty: a flow
	line      []byte
	flow      *Flow
}

func (it *item) size() int64 { return int64(len(it.line)) + itemOverhead }

type trafficKey struct {
	device string
	hour   int64
}

// Drops counts what did not fit into the queue.
type Drops struct{ Findings, Events, Flows, Traffic, Devices uint64 }

// queue is what producers offer without waiting.
type queue struct {
	mu      sync.Mutex
	list    []item
	bytes   int64 // of list and of what the writer took and has not written
	found   []Finding
	traffic map[trafficKey]Traffic
	devices map[string][]byte // nil value: gone
	drops   Drops
}

func (q *queue) pressing() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes >= queueBytes/2 || len(q.traffic) >= queueTraffic/2
}

// items appends what waits to out, which is what is left from before.
func (q *queue) items(out []item) []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	out = append(out, q.list...)
	clear(q.list)
	q.list = q.list[:0]
	if cap(q.list) > 4096 {
		q.list = nil
	}
	return out
}

func (q *queue) wrote(bytes int64) {
	q.mu.Lock()
	q.bytes -= bytes
	q.mu.Unlock()
}

func (q *queue) findings(n int) []Finding {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.found))
	out := append([]Finding(nil), q.found[:n]...)
	q.found = append(q.found[:0], q.found[n:]...)
	return out
}

// back returns findings that could not be written; those that do not fit any
// more are counted as dropped.
func (q *queue) back(batch []Finding) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.found = append(batch, q.found...)
	if over := len(q.found) - queueFindings; over > 0 {
		q.drops.Findings += uint64(over)
		q.found = q.found[:queueFindings]
	}
}

func (q *queue) maps() (map[trafficKey]Traffic, map[string][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t, d := q.traffic, q.devices
	q.traffic, q.devices = nil, nil
	return t, d
}

// mapsBack returns what could not be written.
func (q *queue) mapsBack(t map[trafficKey]Traffic, d map[string][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for k, v := range t {
		q.addTraffic(k, v)
	}
	for k, v := range d {
		if _, ok := q.devices[k]; !ok {
			q.putDevice(k, v)
		}
	}
}

func (q *queue) addTraffic(k trafficKey, v Traffic) bool {
	have, ok := q.traffic[k]
	if !ok && len(q.traffic) >= queueTraffic {
		q.drops.Traffic++
		return false
	}
	if q.traffic == nil {
		q.traffic = map[trafficKey]Traffic{}
	}
	have.Time = v.Time
	have.Up += v.Up
	have.Down += v.Down
	have.Flows += v.Flows
	have.Seen += v.Seen
	q.traffic[k] = have
	return true
}

func (q *queue) putDevice(id string, v []byte) bool {
	if _, ok := q.devices[id]; !ok && len(q.devices) >= queueDevices {
		q.drops.Devices++
		return false
	}
	if q.devices == nil {
		q.devices = map[string][]byte{}
	}
	q.devices[id] = v
	return true
}

// forget drops what waits about a device.
func (q *queue) forget(device string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.devices, device)
	for k := range q.traffic {
		if k.device == device {
			delete(q.traffic, k)
		}
	}
	list := q.list[:0]
	for _, it := range q.list {
		if it.device == device {
			q.bytes -= it.size()
			continue
		}
		list = append(list, it)
	}
	clear(q.list[len(list):])
	q.list = list
	found := q.found[:0]
	for _, f := range q.found {
		if f.Device != device {
			found = append(found, f)
		}
	}
	clear(q.found[len(found):])
	q.found = found
}

// offer queues an event or a flow.
func (s *Store) offer(it item) bool {
	q := &s.q
	q.mu.Lock()
	if q.bytes+it.size() > queueBytes {
		if it.flow != nil {
			q.drops.Flows++
		} else {
			q.drops.Events++
		}
		q.mu.Unlock()
		return false
	}
	q.bytes += it.size()
	q.list = append(q.list, it)
	wake := q.bytes >= queueBytes/2
	q.mu.Unlock()
	if wake {
		s.wake()
	}
	return true
}

func (s *Store) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// OfferFinding queues a finding for callers that must not wait, such as the
// engine's sink: it is committed durably at once, or, while the disk is full,
// when there is room again. False: the queue is full, and the drop counted.
func (s *Store) OfferFinding(f Finding) bool {
	if len(f.EVE) > maxBody {
		return false
	}
	q := &s.q
	q.mu.Lock()
	ok := len(q.found) < queueFindings
	if ok {
		q.found = append(q.found, f)
	} else {
		q.drops.Findings++
	}
	q.mu.Unlock()
	s.wake()
	return ok
}

// AddFlow queues a flow's summary, written within FlushEvery. It is false
// when the queue is full or flows are not kept.
func (s *Store) AddFlow(f Flow) bool {
	if !s.cfg.Flows {
		return false
	}
	return s.offer(item{time: f.Time, device: f.Device, flow: &f})
}

// AddTraffic counts, written within FlushEvery. It is false when the queue is
// full.
func (s *Store) AddTraffic(t Traffic) bool {
	if !plausible(t.Time) {
		t.Time = s.cfg.Clock()
	}
	s.q.mu.Lock()
	defer s.q.mu.Unlock()
	return s.q.addTraffic(trafficKey{t.Device, floorDiv(t.Time.Unix(), 3600)}, t)
}
