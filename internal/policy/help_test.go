package policy

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// memory is a store in memory that can be made to fail.
type memory struct {
	mu   sync.Mutex
	m    map[string][]byte // bucket/key
	fail error
	puts int
}

func newMemory() *memory { return &memory{m: map[string][]byte{}} }

func (s *memory) Put(bucket, key string, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.puts++
	s.m[bucket+"/"+key] = slices.Clone(v)
	return nil
}

func (s *memory) Delete(bucket, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	delete(s.m, bucket+"/"+key)
	return nil
}

func (s *memory) List(bucket string, f func(string, []byte) error) error {
	s.mu.Lock()
	m := maps.Clone(s.m)
	s.mu.Unlock()
	for k, v := range m {
		if len(k) > len(bucket) && k[:len(bucket)+1] == bucket+"/" {
			if err := f(k[len(bucket)+1:], v); err != nil {
				return err
			}
		}
	}
	return nil
}

// clocks are two clocks that a test sets.
type clocks struct {
	mono time.Duration
	wall time.Time
}

func (c *clocks) pass(d time.Duration) { c.mono += d; c.wall = c.wall.Add(d) }

var monday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func manage(t testing.TB, s Persistence, c *clocks) *Manager {
	t.Helper()
	m, err := NewManager(Config{Store: s, Mono: func() time.Duration { return c.mono }, Wall: func() time.Time { return c.wall }, Location: time.UTC, Mode: Protect})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func addr(s string) packet.Addr { return packet.AddrOf(netip.MustParseAddr(s)) }

func add(t testing.TB, m *Manager, e Entry) Entry {
	t.Helper()
	out, _, err := m.Add(e)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func field(err error) string {
	var f *FieldError
	if errors.As(err, &f) {
		return f.Field
	}
	return ""
}

const (
	camera = "mac:02:00:00:00:00:01"
	pc     = "mac:02:00:00:00:00:02"
)

// mining is a finding of a miner that speaks in clear.
func mining(dev, kind string, l event.Level) Query {
	m, _ := parseMAC(dev[4:])
	return Query{Category: event.Mining, Family: "stratum", Level: l, Severity: 1, Device: event.DeviceRef{ID: dev, Kind: kind}, MAC: m,
		Local: addr("192.168.1.20"), Remote: addr("198.51.100.7"), RemotePort: 3333, GID: 7411, SID: 1001,
		Wallet: "4AdUndXHHZ6cfufTMvppY6JwXNouMBzSkbLYfpAV5Usx", Pool: "eu.pool.example:3333", Now: 1}
}
