package inspect

import (
	"errors"

	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
)

// Limits of what Compile accepts; what lies beyond is refused with an error.
const (
	// MaxPattern is the longest content. Suricata keeps the length in 16 bits.
	MaxPattern = 1<<16 - 1
	// MaxSteps is the most steps of one program. More than 3000 can never all
	// be executed, as stepLimit ends the inspection.
	MaxSteps = 4096
	// MaxVars is the number of byte_extract and byte_math variables of one
	// rule.
	MaxVars = 64
	// maxRange bounds distance, within, offset and depth, as Suricata's
	// DETECT_CONTENT_VALUE_MAX does.
	maxRange = 1 << 20
)

// ErrArenaFull is returned by Compile when the arena cannot hold the program.
var ErrArenaFull = errors.New("arena of compiled rules is full")

// Arena holds the compiled form of many programs in a few flat arrays that the
// garbage collector need not trace, apart from the regular expressions. Fill
// it from one goroutine; after Seal any number may match.
type Arena struct {
	ops   []op
	bytes []byte
	res   []*pcre.Regexp
	funcs []func([]byte, any) bool
	known map[string]uint32
}

// NewArena returns an empty arena.
func NewArena() *Arena { return &Arena{known: map[string]uint32{}} }

// Seal ends the filling: it gives back memory that only compiling needs.
// Compile must not be called afterwards.
func (a *Arena) Seal() {
	a.known = nil
	a.ops = append(make([]op, 0, len(a.ops)), a.ops...)
	a.bytes = append(make([]byte, 0, len(a.bytes)), a.bytes...)
}

// Size returns the bytes of memory the compiled form holds, without the
// regular expressions.
func (a *Arena) Size() int {
	return cap(a.ops)*opSize + cap(a.bytes) + 8*cap(a.res) + 8*cap(a.funcs)
}

// intern stores p once and returns its place.
func (a *Arena) intern(p []byte) (uint32, error) {
	if at, ok := a.known[string(p)]; ok {
		return at, nil
	}
	if len(a.bytes)+len(p) > 1<<31-1 {
		return 0, ErrArenaFull
	}
	at := uint32(len(a.bytes))
	a.bytes = append(a.bytes, p...)
	if a.known != nil {
		a.known[string(p)] = at
	}
	return at, nil
}

// Vars names the byte variables of one rule. Programs of the same rule on
// different buffers share it, so that one can use what another extracted. The
// zero value is ready.
type Vars struct{ names []string }

// Len returns the number of variables.
func (v *Vars) Len() int { return len(v.names) }

func (v *Vars) lookup(name string) (int32, bool) {
	for i, n := range v.names {
		if n == name {
			return int32(i), true
		}
	}
	return 0, false
}

func (v *Vars) define(name string) (int32, bool) {
	if i, ok := v.lookup(name); ok {
		return i, true
	}
	if len(v.names) == MaxVars {
		return 0, false
	}
	v.names = append(v.names, name)
	return int32(len(v.names) - 1), true
}
