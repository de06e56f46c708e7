package pcre

import (
	"bytes"
	"unsafe"
)

// asString views bytes as a string, for functions that only look at it.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// try matches at one start. It is a loop over instructions; a failure takes
// the last choice from the stack.
func (m *Machine) try(p *prog, s []byte, at int) bool {
	m.stack = m.stack[:0]
	m.mark = -1
	for i := range m.slots {
		m.slots[i] = -1
	}
	m.slots[0] = int32(at)
	width := len(s) + 1
	pc, pos := 0, at
	for {
		if m.spent++; m.spent >= m.pause || m.stop {
			m.stop = true
			return false
		}
		in := &p.code[pc]
		switch in.op {
		case opMatch:
			m.slots[1] = int32(pos)
			return true
		case opByte:
			if pos < len(s) && s[pos] == in.c {
				pos, pc = pos+1, pc+1
				continue
			}
		case opFold:
			if pos < len(s) && lower(s[pos]) == in.c {
				pos, pc = pos+1, pc+1
				continue
			}
		case opSet:
			if pos < len(s) && p.sets[in.s].has(s[pos]) {
				pos, pc = pos+1, pc+1
				continue
			}
		case opAny:
			if pos < len(s) {
				pos, pc = pos+1, pc+1
				continue
			}
		case opDot:
			if pos < len(s) && s[pos] != '\n' {
				pos, pc = pos+1, pc+1
				continue
			}
		case opString:
			if n := int(in.s); n <= len(s)-pos && string(s[pos:pos+n]) == p.lits[in.y:int(in.y)+n] {
				pos, pc = pos+n, pc+1
				continue
			}
		case opStringFold:
			if n := int(in.s); n <= len(s)-pos && equalFold(s[pos:pos+n], p.lits[in.y:int(in.y)+n]) {
				pos, pc = pos+n, pc+1
				continue
			}
		case opLoop, opLoopLazy, opLoopAll:
			if next, ok := m.loop(p, in, s, pc, pos); ok {
				pos, pc = next, pc+1
				continue
			}
		case opSplit, opSplitJump:
			if m.useMemo {
				if m.failed(in.id, pos, width) {
					break
				}
				m.push(frame{kind: fFail, pc: uint32(in.id), pos: int32(pos), aux: int32(pos)})
			}
			if in.op == opSplit {
				m.push(frame{kind: fChoice, pc: in.y, pos: int32(pos)})
				pc++
			} else {
				m.push(frame{kind: fChoice, pc: uint32(pc + 1), pos: int32(pos)})
				pc = int(in.y)
			}
			continue
		case opJump:
			pc = int(in.y)
			continue
		case opSave:
			m.save(uint32(in.s), pos)
			pc++
			continue
		case opNotEmpty:
			if int(m.slots[in.s]) == pos {
				pc = int(in.y)
			} else {
				pc++
			}
			continue
		case opLook:
			f := frame{kind: fLook, pc: in.y, pos: int32(pos), aux: m.mark}
			if in.c&lookNot != 0 {
				f.kind = fNot
			}
			m.push(f)
			m.mark = int32(len(m.stack) - 1)
			pc++
			continue
		case opLookEnd:
			if m.stack[m.mark].kind == fLook {
				f := m.cut()
				pos, pc = int(f.pos), pc+1
				continue
			}
			m.unwind() // the body of a negative assertion matched: fail
		case opAtomic:
			m.push(frame{kind: fGroup, aux: m.mark})
			m.mark = int32(len(m.stack) - 1)
			pc++
			continue
		case opAtomicEnd:
			m.cut()
			pc++
			continue
		case opBack:
			if n := int(in.y); n <= pos {
				pos, pc = pos-n, pc+1
				continue
			}
		case opBackref:
			if n, ok := m.backref(in, s, pos); ok {
				pos, pc = pos+n, pc+1
				continue
			}
		case opCond:
			if lo, hi := m.Group(int(in.s)); lo >= 0 && hi >= 0 {
				pc++
			} else {
				pc = int(in.y)
			}
			continue
		case opFail:
		default:
			if m.holds(in.op, s, pos) {
				pc++
				continue
			}
		}
		var ok bool
		if pc, pos, ok = m.back(p, s); !ok {
			return false
		}
	}
}

// back takes the last choice. ok is false when none is left.
func (m *Machine) back(p *prog, s []byte) (pc, pos int, ok bool) {
	for len(m.stack) > 0 {
		top := len(m.stack) - 1
		f := &m.stack[top]
		switch f.kind {
		case fChoice:
			pc, pos = int(f.pc), int(f.pos)
			m.stack = m.stack[:top]
			return pc, pos, true
		case fUndo:
			m.slots[f.pc] = f.pos
			m.stack = m.stack[:top]
		case fLoop:
			next := int(f.pos) - 1
			if next >= int(f.aux) {
				next = m.fewer(p, s, int(f.pc)+1, int(f.aux), next)
			}
			if next < int(f.aux) {
				m.stack = m.stack[:top]
				continue
			}
			f.pos = int32(next)
			return int(f.pc) + 1, next, true
		case fLazy:
			pc, pos = int(f.pc), int(f.pos)
			in := &p.code[pc]
			if pos >= int(f.aux) || !matches(p, in, s[pos]) ||
				m.useMemo && in.y>>16 == infinite && m.failed(in.id, pos+1, len(s)+1) {
				if m.useMemo && in.y>>16 == infinite {
					m.stack[top-1].aux = int32(pos) // the fFail below: nor from any place on the way
				}
				m.stack = m.stack[:top]
				continue
			}
			f.pos++
			return pc + 1, pos + 1, true
		case fNot:
			m.mark = f.aux
			pc, pos = int(f.pc), int(f.pos)
			m.stack = m.stack[:top]
			return pc, pos, true
		case fFail:
			m.fail(uint16(f.pc), int(f.pos), int(f.aux), len(s)+1)
			m.stack = m.stack[:top]
		default: // fLook, fGroup: the body failed
			m.mark = f.aux
			m.stack = m.stack[:top]
		}
	}
	return 0, 0, false
}

// fewer returns the largest position from lo to hi at which the instruction
// behind a loop can go on, or lo-1. It saves trying every one when that
// instruction needs a certain byte.
func (m *Machine) fewer(p *prog, s []byte, pc, lo, hi int) int {
	in := &p.code[pc]
	var b byte
	switch in.op {
	case opByte:
		b = in.c
	case opString:
		b = p.lits[in.y]
	default:
		return hi
	}
	i := bytes.LastIndexByte(s[lo:min(hi+1, len(s))], b)
	m.spent += (hi - lo - i) >> 5
	return lo + i
}

// loop runs a repetition of one byte and returns where to go on.
func (m *Machine) loop(p *prog, in *inst, s []byte, pc, pos int) (int, bool) {
	lo, hi := int(in.y&0xffff), int(in.y>>16)
	most := len(s)
	if hi != infinite {
		most = min(most, pos+hi)
	}
	if lo > len(s)-pos {
		return 0, false
	}
	least := pos + lo
	if in.op == opLoopLazy {
		if scan(p, in, s, pos, least) < least {
			return 0, false
		}
		m.spent += lo >> 4
		if m.useMemo {
			if m.failed(in.id, least, len(s)+1) {
				return 0, false
			}
			m.push(frame{kind: fFail, pc: uint32(in.id), pos: int32(least), aux: int32(least)})
		}
		m.push(frame{kind: fLazy, pc: uint32(pc), pos: int32(least), aux: int32(most)})
		return least, true
	}
	if in.op == opLoop && m.useMemo {
		return m.loopMemo(p, in, s, pc, pos, least, most)
	}
	end := scan(p, in, s, pos, most)
	m.spent += (end - pos) >> 4
	if end < least {
		return 0, false
	}
	if in.op == opLoopAll {
		return end, true
	}
	end = m.fewer(p, s, pc+1, least, end)
	if end < least {
		return 0, false
	}
	if end > least {
		m.push(frame{kind: fLoop, pc: uint32(pc), pos: int32(end), aux: int32(least)})
	}
	return end, true
}

// loopMemo is loop for a greedy repetition whose states are remembered.
func (m *Machine) loopMemo(p *prog, in *inst, s []byte, pc, pos, least, most int) (int, bool) {
	m.spent += (least - pos) >> 4
	if scan(p, in, s, pos, least) < least || m.failed(in.id, least, len(s)+1) {
		return 0, false
	}
	var end, last int
	if in.y>>16 == infinite {
		// Behind a place from which the loop failed, all was tried.
		for end = least; end < most && matches(p, in, s[end]) && !m.failed(in.id, end+1, len(s)+1); {
			end++
		}
		last = end
	} else {
		end, last = scan(p, in, s, least, most), least
	}
	m.spent += (end - least) >> 4
	m.push(frame{kind: fFail, pc: uint32(in.id), pos: int32(least), aux: int32(last)})
	end = m.fewer(p, s, pc+1, least, end)
	if end < least {
		return 0, false
	}
	m.push(frame{kind: fLoop, pc: uint32(pc), pos: int32(end), aux: int32(least)})
	return end, true
}

// scan returns the end of the bytes from pos to at most most that the loop's
// matcher takes.
func scan(p *prog, in *inst, s []byte, pos, most int) int {
	switch in.c {
	case opAny:
		return most
	case opDot:
		if i := bytes.IndexByte(s[pos:most], '\n'); i >= 0 {
			return pos + i
		}
		return most
	case opSet:
		set := &p.sets[in.s]
		for pos < most && set.has(s[pos]) {
			pos++
		}
		return pos
	}
	for pos < most && matches(p, in, s[pos]) {
		pos++
	}
	return pos
}

// matches applies the matcher of a loop to one byte.
func matches(p *prog, in *inst, b byte) bool {
	switch in.c {
	case opByte:
		return b == uint8(in.s)
	case opFold:
		return lower(b) == uint8(in.s)
	case opSet:
		return p.sets[in.s].has(b)
	case opDot:
		return b != '\n'
	}
	return true
}

func (m *Machine) backref(in *inst, s []byte, pos int) (int, bool) {
	lo, hi := m.Group(int(in.s))
	if lo < 0 || hi-lo > len(s)-pos {
		return 0, false
	}
	m.spent += (hi - lo) >> 4
	if in.c != 0 {
		return hi - lo, equalFold2(s[lo:hi], s[pos:pos+hi-lo])
	}
	return hi - lo, bytes.Equal(s[lo:hi], s[pos:pos+hi-lo])
}

// holds reports whether an assertion is true at pos.
func (m *Machine) holds(op uint8, s []byte, pos int) bool {
	switch op {
	case opStart:
		return pos == 0
	case opFrom:
		return pos == m.from
	case opEnd:
		return pos == len(s)
	case opEndNewline:
		return pos == len(s) || pos == len(s)-1 && s[pos] == '\n'
	case opLineStart: // not behind a newline that ends the subject
		return pos == 0 || s[pos-1] == '\n' && pos < len(s)
	case opLineEnd:
		return pos == len(s) || s[pos] == '\n'
	}
	at := pos < len(s) && wordByte(s[pos])
	before := pos > 0 && wordByte(s[pos-1])
	return (at != before) == (op == opWord)
}

func wordByte(b byte) bool { return letter(b) || '0' <= b && b <= '9' || b == '_' }

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// equalFold compares with a text in lower case.
func equalFold(s []byte, lit string) bool {
	for i, b := range s {
		if lower(b) != lit[i] {
			return false
		}
	}
	return true
}

func equalFold2(a, b []byte) bool {
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
