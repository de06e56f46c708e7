//go:build !linux

package enforce

import (
	"context"
	"net/netip"
	"sync/atomic"
)

// Table does not exist here.
type Table struct{}

// Install returns ErrUnsupported.
func Install(Config) (*Table, error) { return nil, ErrUnsupported }

// Unhook has nothing to remove.
func Unhook(string) error { return nil }

// Mode returns nothing.
func (*Table) Mode() string { return "" }

// Close does nothing.
func (*Table) Close() {}

// Remove does nothing.
func (*Table) Remove() error { return nil }

// Put returns ErrUnsupported.
func (*Table) Put(...Entry) error { return ErrUnsupported }

// Delete returns ErrUnsupported.
func (*Table) Delete(...Entry) error { return ErrUnsupported }

// SetNever returns ErrUnsupported.
func (*Table) SetNever([]netip.Prefix) error { return ErrUnsupported }

// SetAllowed returns ErrUnsupported.
func (*Table) SetAllowed([]netip.Prefix) error { return ErrUnsupported }

// List returns ErrUnsupported.
func (*Table) List() ([]Active, error) { return nil, ErrUnsupported }

// Counters returns ErrUnsupported.
func (*Table) Counters() (Counters, error) { return Counters{}, ErrUnsupported }

// Beat returns ErrUnsupported.
func (*Table) Beat() error { return ErrUnsupported }

// Rest returns ErrUnsupported.
func (*Table) Rest() error { return ErrUnsupported }

// Pulse is where one worker shows that it lives.
type Pulse struct{ n atomic.Uint64 }

// Take says that the worker takes its turn.
func (p *Pulse) Take() { p.n.Add(1) }

// Turns is how often it did.
func (p *Pulse) Turns() uint64 { return p.n.Load() }

// Heart does nothing here.
type Heart struct {
	Table   Beater
	Pulses  []*Pulse
	OnState func(on bool, err error)
	Hold    func() bool

	Beats, Missed atomic.Uint64
}

// On is false.
func (*Heart) On() bool { return false }

// Run waits for the end of ctx.
func (*Heart) Run(ctx context.Context) { <-ctx.Done() }

// Probe finds nothing here.
func Probe() (a Abilities) {
	a.judge("")
	return a
}

// Left is false.
func Left() bool { return false }
