package policy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Enforced is one block that holds now, for a mechanism outside of the engine
// and for lists.
type Enforced struct {
	ID     string
	Kind   Kind
	Device string       // identity; empty: all devices
	Dest   netip.Prefix // zero: any destination
	Host   string       // and all names under it; empty: any
	Port   uint16       // of the destination; 0: any
	Reject bool
	Reason string
	Left   time.Duration // until it ends, or its schedule pauses; 0: no end
}

// View is what a mechanism has to carry out: the blocks, except for what is on
// the never-block list.
type View struct {
	Generation uint32
	Blocks     []Enforced
	Never      []Enforced
}

// Enforced returns the view of the snapshot in force.
func (m *Manager) Enforced() View {
	m.mu.Lock()
	defer m.mu.Unlock()
	mono, wall := m.now()
	v := View{Generation: m.gen}
	add := func(it *item) {
		c := compile(&it.e, nil)
		x := Enforced{ID: it.e.ID, Kind: it.e.Kind, Device: c.device, Host: c.host, Port: c.port, Reject: it.e.Reject, Reason: it.e.Reason}
		if c.hasDest {
			x.Dest = c.prefixOf()
		}
		if it.deadline != 0 {
			x.Left = max(1, it.deadline-mono)
		}
		if s := it.e.Schedule; s != nil {
			if l := s.left(wall.In(m.cfg.Location)); x.Left == 0 || l < x.Left {
				x.Left = l
			}
		}
		switch it.e.Kind {
		case Never:
			v.Never = append(v.Never, x)
		case BlockEntry, Quarantine, Pause:
			v.Blocks = append(v.Blocks, x)
		}
	}
	for _, it := range m.entries {
		if it.on {
			add(it)
		}
	}
	for _, it := range m.fixed {
		add(it)
	}
	byID := func(a, b Enforced) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(v.Blocks, byID)
	slices.SortFunc(v.Never, byID)
	return v
}

// key is a short stable name of a scope of the never-block list.
func (s *Scope) key() string {
	k := s.Device + "/" + s.Dest + "/" + s.Host
	if s.Port != 0 {
		k += "/" + strconv.Itoa(int(s.Port))
	}
	return strings.Trim(k, "/")
}
