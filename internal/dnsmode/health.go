package dnsmode

import (
	"errors"
	"io/fs"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/dnsmode/cache"
	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/dnsmode/upstream"
	"github.com/yamori-net/yamori/internal/event"
)

// Codes of Health. Sentences live with the reader.
const (
	NoUpstream   = "dns.no_upstream"   // none answers; args zone: stale answers and failures
	UpstreamDown = "dns.upstream_down" // one does not answer; args upstream, zone
	ListRefused  = "dns.list_refused"  // a list could not be loaded; args list, why, old
	NotListening = "dns.not_listening" // an address could not be opened; args address
	Loop         = "dns.loop"          // an upstream asks this resolver what it was asked by it; args count since start
	NoClock      = "dns.no_clock"      // the clock is wrong: plain upstreams are asked for now
	Overloaded   = "dns.overloaded"    // questions were dropped lately; args count since start
	Panicked     = "dns.panicked"      // questions made the program stumble lately; args count since start
)

// Codes of why a list was refused.
const (
	WhyTooLarge = "too_large"
	WhyNoNames  = "no_names"
	WhyMissing  = "missing"
	WhyError    = "error"
)

// Issue is one thing that is not as it should be.
type Issue struct {
	Code string
	Args []event.Arg
}

// Health tells what is wrong; nothing: all is well.
func (s *Server) Health() []Issue {
	var out []Issue
	add := func(code string, args ...event.Arg) { out = append(out, Issue{code, args}) }
	group := func(g *upstream.Group, zone string) {
		if g == nil {
			return
		}
		if g.Down() {
			add(NoUpstream, event.Arg{Name: "zone", Value: zone})
		}
		for _, m := range g.Members() {
			if m.Down {
				add(UpstreamDown, event.Arg{Name: "upstream", Value: m.Name}, event.Arg{Name: "zone", Value: zone})
			}
		}
	}
	group(s.up, "")
	for _, z := range s.zones {
		group(z.up, z.name)
	}
	if s.clockless() {
		add(NoClock)
	}
	for _, l := range s.lists.Status() {
		if l.Err == nil {
			continue
		}
		why := WhyError
		switch {
		case errors.Is(l.Err, lists.ErrTooLarge), errors.Is(l.Err, lists.ErrFile):
			why = WhyTooLarge
		case errors.Is(l.Err, lists.ErrNoNames):
			why = WhyNoNames
		case errors.Is(l.Err, fs.ErrNotExist):
			why = WhyMissing
		}
		add(ListRefused, event.Arg{Name: "list", Value: l.Name}, event.Arg{Name: "why", Value: why}, event.Arg{Name: "old", Value: strconv.FormatBool(l.Old)})
	}
	s.mu.Lock()
	for _, p := range s.ports {
		if p.pc == nil && p.err != nil {
			add(NotListening, event.Arg{Name: "address", Value: p.at.String()})
		}
	}
	s.mu.Unlock()
	recent := func(code string, n *atomic.Uint64, at *atomic.Int64) {
		if c := n.Load(); c > 0 && s.cfg.Now().Sub(s.started)-time.Duration(at.Load()) < recently {
			add(code, event.Arg{Name: "count", Value: strconv.FormatUint(c, 10)})
		}
	}
	recent(Overloaded, &s.stats.overload, &s.stats.overloadAt)
	recent(Loop, &s.stats.looped, &s.stats.loopAt)
	recent(Panicked, &s.stats.panics, &s.stats.panicAt)
	return out
}

// recently is how long Health tells of something that went by.
const recently = 10 * time.Minute

// drop counts a question for which there was no room.
func (s *Server) drop() {
	s.stats.overload.Add(1)
	s.stats.overloadAt.Store(int64(s.cfg.Now().Sub(s.started)))
}

// stumble counts a question that made the program panic.
func (s *Server) stumble() {
	s.stats.panics.Add(1)
	s.stats.panicAt.Store(int64(s.cfg.Now().Sub(s.started)))
}

type counters struct {
	queries, cached, forwarded, joined, local, stale, failed, truncated atomic.Uint64
	refused, malformed, limited, notHome, overload, readErrors, panics  atomic.Uint64
	byPolicy, byFinding, byList, byRebind, byUpstream                   atomic.Uint64
	looped                                                              atomic.Uint64
	overloadAt, panicAt, loopAt                                         atomic.Int64 // since the start
}

func (c *counters) blocked(reason string) {
	switch reason {
	case ByPolicy:
		c.byPolicy.Add(1)
	case ByFinding:
		c.byFinding.Add(1)
	case ByList:
		c.byList.Add(1)
	case ByRebind:
		c.byRebind.Add(1)
	case ByUpstream:
		c.byUpstream.Add(1)
	}
}

// Stats are counts since the start; nothing of what was asked is in them.
type Stats struct {
	Queries   uint64 // questions of the home
	Cached    uint64 // answered from the cache
	Forwarded uint64 // asked outside
	Joined    uint64 // that waited for the same question of another client
	Local     uint64 // answered as the home's own
	Stale     uint64 // answered with what had been true
	Failed    uint64 // nobody could answer
	Truncated uint64 // that did not fit a datagram
	Refused   uint64 // of a kind that is not answered
	Malformed uint64
	Limited   uint64 // of clients that ask too much
	NotHome   uint64 // from outside the home
	Overload  uint64 // dropped: too many under way
	Errors    uint64 // of sockets
	Panics    uint64
	Blocked   map[string]uint64 // by reason
	Cache     cache.Stats
	Upstreams []upstream.Member
	Lists     []lists.Status
}

// Stats tells how the resolver does.
func (s *Server) Stats() Stats {
	c := &s.stats
	return Stats{
		Queries: c.queries.Load(), Cached: c.cached.Load(), Forwarded: c.forwarded.Load(), Joined: c.joined.Load(), Local: c.local.Load(),
		Stale: c.stale.Load(), Failed: c.failed.Load(), Truncated: c.truncated.Load(), Refused: c.refused.Load(), Malformed: c.malformed.Load(),
		Limited: c.limited.Load(), NotHome: c.notHome.Load(), Overload: c.overload.Load(), Errors: c.readErrors.Load(), Panics: c.panics.Load(),
		Blocked: map[string]uint64{ByPolicy: c.byPolicy.Load(), ByFinding: c.byFinding.Load(), ByList: c.byList.Load(),
			ByRebind: c.byRebind.Load(), ByUpstream: c.byUpstream.Load()},
		Cache: s.cache.Stats(), Upstreams: s.up.Members(), Lists: s.lists.Status(),
	}
}
