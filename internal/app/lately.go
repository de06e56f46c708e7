package app

import (
	"bytes"
	"context"
	"os"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/policy"
)

// lately stops things although nothing stands in the packets' way: on a machine
// that forwards them, rules without a queue cut flows and keep blocks.
type lately struct{ table filter }

// close lets go of the rules without removing them.
func (l *lately) close() {
	if c, ok := l.table.(interface{ Close() }); ok {
		c.Close()
	}
}

// leave lets go of its rules, because those of the inspection in line are about
// to replace them.
func (r *reactor) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.late != nil {
		r.late.close()
		r.late = nil
	}
}

// forget makes the next sync put everything anew.
func (k *keeper) forget() {
	k.mu.Lock()
	k.done = nil
	k.mu.Unlock()
}

// What is done about findings that are to be stopped.
const (
	actsInline = "inline" // packets are stopped before they leave
	actsAfter  = "after"  // flows are cut once a finding is made
	actsReset  = "reset"  // connections seen on a mirror port are reset
	actsTell   = "tell"   // nothing: there is no way to
)

// filter is the rules of the inspection in line; nil: there is none.
func (k *keeper) filter() filter {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.on == nil || k.on.table == nil {
		return nil
	}
	return k.on.table
}

// acts says what is done about findings now.
func (r *reactor) acts() string {
	if s := r.act.Load(); s != nil {
		return *s
	}
	return actsTell
}

// stand takes the place that is left when nothing is inspected in line. on: it
// is.
func (r *reactor) stand(ctx context.Context, on bool) {
	p, c := r.w.house.Policy, &r.w.Config.Inline
	protect := p.Mode() == policy.Protect
	wanted := !on && ctx.Err() == nil && (protect || len(p.Enforced().Blocks) > 0)
	mirror := wanted && protect && c.Resets != ""
	rules := wanted && c.Resets == "" && (c.Bridge || forwards())
	r.mu.Lock()
	late := r.late
	r.mu.Unlock()
	switch {
	case on && late != nil: // its rules have been replaced
		late.close()
		late = nil
	case rules && late == nil:
		t, err := r.w.rights().install(enforce.Config{Passive: true, Workers: 1, Local: !c.NoLocal, Bridge: c.Bridge, State: c.State})
		if err != nil {
			if !r.failed.Swap(true) {
				r.w.Log.Error("flows cannot be cut; watching goes on", "error", err)
			}
			break
		}
		r.failed.Store(false)
		late = &lately{t}
		r.w.keeper.forget()
		r.w.Log.Info("flows are cut once something is found in them; nothing is inspected in line")
	case !rules && late != nil:
		if err := late.table.Remove(); err != nil {
			r.w.Log.Error("not all rules could be removed; try: yamori unhook", "error", err)
		}
		late = nil
	case !rules:
		r.failed.Store(false)
	}
	r.mu.Lock()
	r.late = late
	r.mu.Unlock()
	r.doomed.open(r.w, mirror)
	act := actsTell
	switch {
	case on:
		act = actsInline
	case late != nil:
		act = actsAfter
		r.w.keeper.sync(late.table)
	case r.doomed.on.Load():
		act = actsReset
	}
	r.renew()
	r.act.Store(&act)
	r.can.Store(on || late != nil)
	r.w.house.SetActs(act)
}

// forwards reports whether this machine hands packets on between networks.
func forwards() bool {
	for _, f := range [...]string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"} {
		if b, err := os.ReadFile(f); err == nil && bytes.HasPrefix(b, []byte("1")) {
			return true
		}
	}
	return false
}

// troubled reports whether flows were to be cut or reset, and cannot be.
func (r *reactor) troubled() bool {
	r.doomed.mu.RLock()
	defer r.doomed.mu.RUnlock()
	return r.failed.Load() || r.doomed.failed
}

// probeEvery is how often the packet filter is looked at anew: another program
// may have begun to offload flows.
const probeEvery = time.Hour

// keepProbe looks at what the packet filter offers, and what hides traffic.
func (r *reactor) keepProbe(ctx context.Context) {
	t := time.NewTicker(probeEvery)
	defer t.Stop()
	for {
		if a, err := r.w.rights().Probe(); err == nil {
			r.abilities.Store(&a)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// notes are what the owner should know of how findings are stopped, though
// nothing has failed.
func (r *reactor) notes() (out []api.Problem) {
	protect := r.w.house.Policy.Mode() == policy.Protect
	if a := r.abilities.Load(); a != nil {
		for _, c := range probed(a, r.w.Config, protect) {
			if c.Level == LevelFailure || c.Code == enforce.FlowTables || c.Code == enforce.HardwareFlow {
				out = append(out, api.Problem{Code: c.Code, Args: c.Args})
			}
		}
	}
	if acts := r.acts(); protect && acts != actsInline {
		out = append(out, api.Problem{Code: "acts." + acts, Args: []api.Pair{}})
	}
	return out
}
