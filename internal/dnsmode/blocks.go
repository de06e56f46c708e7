package dnsmode

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/yamori-net/yamori/internal/dnsmode/cache"
)

// MaxBlocks bounds the names that findings block.
const MaxBlocks = 4096

// Errors of Block.
var (
	ErrFull  = fmt.Errorf("%d names are blocked already", MaxBlocks)
	ErrWide  = errors.New("it would block a whole top-level domain")
	ErrOwn   = errors.New("it belongs to the home")
	ErrBlock = errors.New("for how long?")
)

// BlockedName is a name that a finding blocked, with all below it.
type BlockedName struct {
	Name  string
	Why   string
	Until time.Time
}

// blocks is read far more often than written; empty it costs one comparison.
type blocks struct {
	mu sync.RWMutex
	m  map[string]BlockedName
}

// Block refuses a name and all below it for a time. why is a code for events.
// Blocking again prolongs, never shortens.
func (s *Server) Block(name string, d time.Duration, why string) error {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return fmt.Errorf("%q: %w", name, ErrName)
	}
	if !strings.Contains(name, ".") {
		return fmt.Errorf("%q: %w", name, ErrWide)
	}
	if s.own(name) {
		return fmt.Errorf("%q: %w", name, ErrOwn)
	}
	if d <= 0 {
		return ErrBlock
	}
	now := s.cfg.Now()
	b := BlockedName{name, why, now.Add(d)}
	s.blocks.mu.Lock()
	defer s.blocks.mu.Unlock()
	old, there := s.blocks.m[name]
	if there && old.Until.After(b.Until) {
		return nil
	}
	if !there && len(s.blocks.m) >= MaxBlocks {
		for n, e := range s.blocks.m {
			if !now.Before(e.Until) {
				delete(s.blocks.m, n)
			}
		}
		if len(s.blocks.m) >= MaxBlocks {
			return ErrFull
		}
	}
	s.blocks.m[name] = b
	return nil
}

// Unblock ends a block; it reports whether there was one.
func (s *Server) Unblock(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	s.blocks.mu.Lock()
	defer s.blocks.mu.Unlock()
	_, ok := s.blocks.m[name]
	delete(s.blocks.m, name)
	return ok
}

// Blocks lists the names that findings block now.
func (s *Server) Blocks() []BlockedName {
	now := s.cfg.Now()
	s.blocks.mu.RLock()
	defer s.blocks.mu.RUnlock()
	var out []BlockedName
	for _, b := range s.blocks.m {
		if now.Before(b.Until) {
			out = append(out, b)
		}
	}
	return out
}

func (b *blocks) lookup(name string, now time.Time) (entry, why string, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.m) == 0 {
		return "", "", false
	}
	for {
		if e, there := b.m[name]; there && now.Before(e.Until) {
			return e.Name, e.Why, true
		}
		i := strings.IndexByte(name, '.')
		if i < 0 {
			return "", "", false
		}
		name = name[i+1:]
	}
}

// Knows reports whether an answer that is remembered, and still holds, gives
// name the address a.
func (s *Server) Knows(name string, a netip.Addr) bool {
	k := cache.Key{Name: dns.Fqdn(strings.ToLower(name)), Type: dns.TypeA}
	if a = a.Unmap(); a.Is6() {
		k.Type = dns.TypeAAAA
	}
	now := s.cfg.Now()
	for i := range 4 {
		k.DO, k.CD = i&1 != 0, i&2 != 0
		got, ok := s.cache.Get(k, now)
		if !ok || got.Failed || got.Stale || got.Msg == nil {
			continue
		}
		for _, rr := range got.Msg.Answer { // aliases lead to other names
			switch x := rr.(type) {
			case *dns.A:
				if ip, ok := netip.AddrFromSlice(x.A); ok && ip.Unmap() == a {
					return true
				}
			case *dns.AAAA:
				if ip, ok := netip.AddrFromSlice(x.AAAA); ok && ip == a {
					return true
				}
			}
		}
	}
	return false
}
