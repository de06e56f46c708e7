package pcre

import (
	"bytes"
	"strings"
)

// Limits of one match.
const (
	// DefaultBudget is the number of steps a Machine may take until Reset.
	DefaultBudget = 1 << 20
	// memoAfter is the number of steps after which a match is run again with
	// memory. Nearly all matches of rules take less.
	memoAfter = 1 << 14
	// maxMemo bounds the memory in bits: 2 MB.
	maxMemo = 1 << 24
	// maxFrames bounds the stack: 4 MB.
	maxFrames = 1 << 18
	// maxSubject bounds the subject; positions are kept in 31 bits.
	maxSubject = 1<<31 - 2
)

// Machine is the memory of a matcher, reused for every match. The zero value
// is ready, with DefaultBudget steps.
type Machine struct {
	stack []frame
	slots []int32
	memo  []uint64
	mark  int32 // frame that the innermost open look-around or atomic group began with, or -1

	spent    int
	limit    int
	from     int
	useMemo  bool
	remember bool // use the memory from the start; tests compare both ways
	stop     bool // the budget is used up
	pause    int  // value of spent at which a match without memory gives up
}

// Reset gives the machine a new budget of steps for the matches that follow; 0
// means DefaultBudget.
func (m *Machine) Reset(budget int) {
	m.spent, m.limit = 0, budget
}

// Spent returns the steps taken since Reset.
func (m *Machine) Spent() int { return m.spent }

// Group returns where group n of the last match lies in the subject, or -1,
// -1 when it took no part. Group 0 is all of the match. Other groups are only
// recorded when the option stores them in variables.
func (m *Machine) Group(n int) (lo, hi int) {
	if 2*n+1 >= len(m.slots) || m.slots[2*n] < 0 || m.slots[2*n+1] < 0 {
		return -1, -1
	}
	return int(m.slots[2*n]), int(m.slots[2*n+1])
}

// frame is one entry of the stack: a place to go on after a failure, or what a
// failure must restore.
type frame struct {
	kind uint8
	pc   uint32
	pos  int32
	aux  int32
}

const (
	fChoice uint8 = iota // go on at pc, pos
	fUndo                // slot pc had pos
	fLoop                // opLoop at pc: try one less than pos, not below aux
	fLazy                // opLoopLazy at pc: try one more than pos, not above aux
	fLook                // an assertion began here, at pos; aux is the mark before
	fNot                 // as fLook, negative: goes on at pc when its body fails
	fGroup               // an atomic group began
	fFail                // all choices of state pc at pos (to aux) failed: remember it
)

// Match looks for the first match in subject that begins at or after from.
// Look-behind sees what lies before it. After a match Group tells the places.
func (r *Regexp) Match(subject []byte, from int, m *Machine) (bool, error) {
	if from < 0 || from > len(subject) || len(subject) > maxSubject {
		return false, nil
	}
	p := r.program()
	if m.limit <= 0 {
		m.limit = DefaultBudget
	}
	if n := p.slots; cap(m.slots) < n {
		m.slots = make([]int32, n)
	} else {
		m.slots = m.slots[:n]
	}
	m.from, m.useMemo, m.stop = from, false, false
	if p.must != "" && p.prefix == "" {
		m.spent += 1 + (len(subject)-from)>>6
		if m.spent >= m.limit {
			return false, ErrBudget
		}
		if !contains(subject[from:], p.must) {
			return false, nil
		}
	}
	m.pause = m.limit
	size := p.ids * (len(subject) + 1)
	if p.memo && size <= maxMemo {
		m.pause = min(m.limit, m.spent+memoAfter)
		if m.remember {
			m.pause = m.spent
		}
	}
	ok := m.search(p, subject)
	if m.stop && m.spent < m.limit && m.pause < m.limit {
		m.prepare(size)
		m.useMemo, m.stop, m.pause = true, false, m.limit
		ok = m.search(p, subject)
	}
	if m.stop {
		return false, ErrBudget
	}
	return ok, nil
}

// prepare clears the memory for so many states.
func (m *Machine) prepare(size int) {
	n := size>>6 + 1
	if cap(m.memo) < n {
		m.memo = make([]uint64, n)
	} else {
		m.memo = m.memo[:n]
		clear(m.memo)
	}
	m.spent += n >> 4
}

// failed reports whether the state is known to fail.
func (m *Machine) failed(id uint16, pos, width int) bool {
	i := (int(id)-1)*width + pos
	return m.memo[i>>6]>>(i&63)&1 != 0
}

// fail remembers that the state fails at the positions from lo to hi.
func (m *Machine) fail(id uint16, lo, hi, width int) {
	m.spent += (hi - lo) >> 4
	for i := (int(id)-1)*width + lo; lo <= hi; lo, i = lo+1, i+1 {
		m.memo[i>>6] |= 1 << (i & 63)
	}
}

// search tries one start after another.
func (m *Machine) search(p *prog, s []byte) bool {
	for at := m.from; at <= len(s); at++ {
		switch {
		case p.start == opStart && at > 0, p.start == opFrom && at > m.from:
			return false
		case p.start == opLineStart && at > 0:
			i := bytes.IndexByte(s[at-1:], '\n')
			if i < 0 {
				return false
			}
			m.spent += i >> 6
			at += i
		case p.start != 0:
		case p.prefix != "":
			i := index(s[at:], p.prefix)
			if i < 0 {
				return false
			}
			m.spent += i >> 6
			at += i
		case p.first != nil:
			from := at
			for at < len(s) && !p.first.has(s[at]) {
				at++
			}
			if m.spent += (at - from) >> 3; at == len(s) {
				return false
			}
		}
		if m.spent++; m.spent >= m.pause {
			m.stop = true
			return false
		}
		if m.try(p, s, at) {
			return true
		}
		if m.stop {
			return false
		}
	}
	return false
}

// index is bytes.Index for a string, which would else be copied.
func index(s []byte, lit string) int {
	if len(lit) == 1 {
		return bytes.IndexByte(s, lit[0])
	}
	return strings.Index(asString(s), lit)
}

func contains(s []byte, lit string) bool { return index(s, lit) >= 0 }

func (m *Machine) push(f frame) {
	if len(m.stack) >= maxFrames {
		m.stop = true
		return
	}
	m.stack = append(m.stack, f)
}

func (m *Machine) save(slot uint32, pos int) {
	m.push(frame{kind: fUndo, pc: slot, pos: m.slots[slot]})
	m.slots[slot] = int32(pos)
}

// cut removes the choices above the innermost mark and the mark itself, but
// keeps what a later failure must restore. It returns the mark's frame.
func (m *Machine) cut() frame {
	at := int(m.mark)
	f := m.stack[at]
	n := at
	for _, g := range m.stack[at+1:] {
		if g.kind == fUndo {
			m.stack[n] = g
			n++
		}
	}
	m.stack = m.stack[:n]
	m.mark = f.aux
	return f
}

// unwind removes everything above the innermost mark and the mark itself, and
// restores the slots.
func (m *Machine) unwind() frame {
	at := int(m.mark)
	for i := len(m.stack) - 1; i > at; i-- {
		if g := &m.stack[i]; g.kind == fUndo {
			m.slots[g.pc] = g.pos
		}
	}
	f := m.stack[at]
	m.stack = m.stack[:at]
	m.mark = f.aux
	return f
}
