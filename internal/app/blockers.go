package app

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
)

// ownBlocks are the entries that findings made. They stand in the owner's
// policy, so that they are listed, stored, undone and ended like his own.
type ownBlocks struct {
	wake  chan struct{}
	made  map[policy.Scope]madeBlock
	said  map[string]bool // entries of the owner that were looked at
	bad   map[badEnd]time.Time
	first bool
}

type madeBlock struct {
	id     string
	ends   time.Time // of the block; once it was undone, of that it is left alone
	undone bool
}

// badEnd is a device that a finding saw with an address outside.
type badEnd struct {
	device string
	remote netip.Addr
}

// Limits of own blocks.
const (
	// notAgain is how long what the owner took back is not blocked again.
	notAgain = 24 * time.Hour
	// maxBad bounds the pairs that are remembered, badFor how long.
	maxBad = 1024
	badFor = time.Hour
)

// changed is told of each change of the policy.
func (r *reactor) changed() {
	select {
	case r.own.wake <- struct{}{}:
	default:
	}
}

// keepBlocks makes and lifts own blocks until ctx ends.
func (r *reactor) keepBlocks(ctx context.Context) {
	o := &r.own
	o.made, o.said, o.bad = map[policy.Scope]madeBlock{}, map[string]bool{}, map[badEnd]time.Time{}
	o.first = true
	r.lift()
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-r.blocks:
			r.block(ctx, x)
		case <-o.wake:
			r.lift()
		}
	}
}

// hostile reports whether the other end of such a finding is the enemy, and not
// a victim or a bystander.
func hostile(c event.Category) bool {
	switch c {
	case event.Mining, event.Botnet, event.Malware, event.Ransomware, event.WebThreat, event.Exploit, event.Bruteforce:
		return true
	}
	return false
}

// block keeps the device from the other end for a time. What it may hit beside
// is bounded: it holds for this device alone, for one name or one service at
// one address, and not for an address that others may be behind; docs/policy.md
// has the rules.
func (r *reactor) block(ctx context.Context, x *reaction) {
	h := r.w.house
	long := r.w.Config.Policy.BlockTime()
	if long == 0 || x.rule || !x.proof || x.device.ID == "" || !x.remote.IsValid() || !hostile(x.category) || h.Policy.Mode() != policy.Protect || r.near(x.remote) {
		return
	}
	// It may have waited, and the owner may have spoken meanwhile.
	if d, _ := h.Policy.WhatIf(&x.asks); d.Action != policy.Block {
		return
	}
	now := time.Now()
	if len(r.own.bad) >= maxBad {
		clear(r.own.bad)
	}
	r.own.bad[badEnd{x.device.ID, x.remote}] = now
	if x.name != "" {
		r.add(policy.Scope{Device: x.device.ID, Host: x.name}, x, long)
		if r.everywhere(x) {
			r.add(policy.Scope{Host: x.name}, x, long)
			r.names()
		}
	}
	if !needed(x) && !r.shared(ctx, x) {
		r.add(policy.Scope{Device: x.device.ID, Dest: x.remote.String(), Port: x.port}, x, long)
	}
}

// add makes one entry, unless the owner said otherwise.
func (r *reactor) add(s policy.Scope, x *reaction, long time.Duration) {
	p, now := r.w.house.Policy, time.Now()
	m, made := r.own.made[s]
	if made {
		left := time.Duration(-1)
		for _, e := range p.List(policy.BlockEntry) {
			if e.ID == m.id {
				left = e.Left
			}
		}
		switch {
		case left > long/2:
			return // it is fresh
		case left < 0 && now.Before(m.ends): // the owner took it back
			if !m.undone {
				r.own.made[s] = madeBlock{m.id, now.Add(notAgain), true}
			}
			return
		}
	}
	e, _, err := p.Add(policy.Entry{Kind: policy.BlockEntry, Scope: s, Reason: string(x.category) + ": " + x.code, Author: policy.Itself, Reject: true, For: long})
	var never *policy.FieldError
	switch {
	case errors.Is(err, policy.ErrOwners), errors.As(err, &never):
		r.w.Log.Debug("the other end of a finding is not blocked", "scope", s, "reason", err)
		return
	case err != nil:
		r.w.Log.Error("the other end of a finding could not be blocked", "error", err)
		return
	}
	if len(r.own.made) >= 2*policy.MaxOwn {
		clear(r.own.made)
	}
	r.own.made[s] = madeBlock{e.ID, now.Add(long), false}
	r.w.Log.Info("blocked because of a finding", "device", s.Device, "address", s.Dest, "port", s.Port, "name", s.Host, "for", long, "finding", x.code)
}

// everywhere reports whether no device of the home is to be led to the name: the
// finding is certain, the name is really that of the other end, which itself gave
// what miners ask for, so that no device can have a name taken from the others
// by what it says to it, and nobody at home may do there what the finding is
// about.
func (r *reactor) everywhere(x *reaction) bool {
	switch x.category {
	case event.Mining, event.Botnet, event.Malware, event.Ransomware:
	default:
		return false
	}
	if x.level != event.Confirmed || r.w.dns == nil || len(r.w.house.Policy.List(policy.Consent)) > 0 {
		return false
	}
	return x.answered && !x.asked && r.w.dns.knows(x.name, x.remote)
}

// common are ports of services at which many names share an address: what is
// found there says little about the address.
func common(port uint16) bool {
	switch port {
	case 22, 25, 53, 80, 110, 123, 143, 443, 465, 587, 853, 993, 995, 8080, 8443:
		return true
	}
	return false
}

// shared reports whether others may be behind the address: at a common port
// unless its network is known not to carry many services, and anywhere when
// another device of the home, of which nothing was found, talks to it now.
func (r *reactor) shared(ctx context.Context, x *reaction) bool {
	if common(x.port) {
		if n := r.w.house.Network(x.remote); n == 0 || manyServices(n) {
			return true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	remote := packet.AddrOf(x.remote)
	for _, e := range [...]*engine.Engine{r.w.inlineEngine.Load(), r.w.engine} {
		if e == nil {
			continue
		}
		list, err := e.LiveFlows(ctx)
		if err != nil {
			return true // nobody knows
		}
		for _, f := range list {
			if (f.Dst == remote || f.Src == remote) && !f.Blocked && f.Device.ID != x.device.ID && f.Device.ID != "" {
				if at, ok := r.own.bad[badEnd{f.Device.ID, x.remote}]; !ok || time.Since(at) > badFor {
					return true
				}
			}
		}
	}
	return false
}

// manyServices reports whether a network is one where addresses stand for many
// services: content delivery, and large clouds and portals.
func manyServices(asn uint32) bool {
	switch asn {
	case 13335, 209242, // Cloudflare
		54113,                             // Fastly
		16625, 20940, 21342, 32787, 35994, // Akamai
		14618, 16509, // Amazon
		8075,          // Microsoft
		15169, 396982, // Google
		32934,     // Meta
		714, 6185, // Apple
		2906,                // Netflix
		15133, 22822, 19551, // Edgio, Imperva
		60068, 200325, // CDN77, bunny.net
		36459,                             // GitHub
		62679,                             // Shopify
		14907,                             // Wikimedia
		45102, 37963, 132203, 45090, 4134, // Alibaba, Tencent, and a carrier with its own delivery
		23816, 24572, 38631, 2516: // Yahoo Japan, LINE, KDDI
		return true
	}
	return false
}

// lift takes back own blocks that the owner's latest word is against: an
// exception, a consent, an entry of the never-block list or an action, or the
// mode watch. What he says next of a finding then holds from its beginning.
func (r *reactor) lift() {
	p := r.w.house.Policy
	var against []policy.Scope
	for _, e := range p.List(policy.Exception, policy.Consent, policy.Never, policy.ActionRule) {
		if e.Fixed || r.own.said[e.ID+e.Created.String()] {
			continue
		}
		r.own.said[e.ID+e.Created.String()] = true
		if !r.own.first {
			against = append(against, e.Scope)
		}
	}
	r.own.first = false
	watch := p.Mode() != policy.Protect
	for _, e := range p.List(policy.BlockEntry) {
		if e.Author != policy.Itself {
			continue
		}
		gone := watch
		for i := range against {
			gone = gone || touches(&against[i], &e.Scope)
		}
		if !gone {
			continue
		}
		if _, err := p.Remove(e.ID, policy.Itself); err != nil && !errors.Is(err, policy.ErrNotFound) {
			r.w.Log.Error("a block that a finding made could not be lifted", "error", err)
		}
		delete(r.own.made, e.Scope)
	}
	r.names()
}

// touches reports whether what the owner said of a may be meant for the block b:
// where both name something, they name the same.
func touches(a, b *policy.Scope) bool {
	if a.Device != "" && b.Device != "" && a.Device != b.Device {
		return false
	}
	if a.Host != "" && b.Host != "" && a.Host != b.Host && !strings.HasSuffix(b.Host, "."+a.Host) {
		return false
	}
	if a.Dest != "" && b.Dest != "" {
		net, err := netip.ParsePrefix(a.Dest)
		if err != nil {
			return a.Dest == b.Dest
		}
		ip, err := netip.ParseAddr(b.Dest)
		return err == nil && net.Contains(ip)
	}
	return true
}

// names gives the resolver the names that are blocked for the whole home.
func (r *reactor) names() {
	if r.w.dns == nil {
		return
	}
	found := map[string]policy.Entry{}
	for _, e := range r.w.house.Policy.List(policy.BlockEntry) {
		if e.Author == policy.Itself && e.Scope.Device == "" && e.Scope.Host != "" {
			found[e.Scope.Host] = e
		}
	}
	r.w.dns.found(found)
}
