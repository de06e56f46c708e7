//go:build !linux

package plugin

import "fmt"

// Plugin does not exist here.
type Plugin struct{}

// Start returns ErrRefused.
func Start(Config) (*Plugin, error) { return nil, fmt.Errorf("%w: it needs Linux", ErrRefused) }

// State is empty.
func (*Plugin) State() State { return State{} }

// Stop does nothing.
func (*Plugin) Stop() error { return nil }
