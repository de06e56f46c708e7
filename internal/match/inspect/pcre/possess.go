package pcre

// maxFollow bounds the instructions looked at behind one loop.
const maxFollow = 64

// possess turns greedy loops of one byte into possessive ones where giving
// back a byte can never help: what follows must begin with a byte the loop
// does not take, or needs nothing. It saves most of the backtracking of
// expressions such as \w+\s*= on text that does not match.
func (p *prog) possess() {
	for pc := range p.code {
		if in := &p.code[pc]; in.op == opLoop {
			f := follow{p: p, takes: p.loopSet(in)}
			if f.disjoint(pc + 1) {
				in.op = opLoopAll
			}
		}
	}
}

// loopSet returns the bytes a loop's matcher takes.
func (p *prog) loopSet(in *inst) (s set) {
	for b := range 256 {
		if matches(p, in, byte(b)) {
			s.add(byte(b))
		}
	}
	return s
}

type follow struct {
	p     *prog
	takes set
	seen  [maxFollow]int
	n     int
}

// disjoint reports whether no path from pc takes a byte of f.takes first.
func (f *follow) disjoint(pc int) bool {
	for {
		for _, old := range f.seen[:f.n] {
			if old == pc {
				return true
			}
		}
		if f.n == maxFollow {
			return false
		}
		f.seen[f.n] = pc
		f.n++
		in := &f.p.code[pc]
		switch in.op {
		case opMatch, opLookEnd, opFail, opEnd:
			// Reached at once without giving back; \z is not true before a byte.
			return true
		case opEndNewline, opLineEnd:
			return !f.takes.has('\n')
		case opByte:
			return !f.takes.has(in.c)
		case opFold:
			return !f.takes.has(in.c) && !f.takes.has(in.c&^0x20)
		case opString:
			return !f.takes.has(f.p.lits[in.y])
		case opStringFold:
			b := f.p.lits[in.y]
			return !f.takes.has(b) && !(letter(b) && f.takes.has(b&^0x20))
		case opSet:
			return !overlap(&f.takes, &f.p.sets[in.s])
		case opAny:
			return f.takes == set{}
		case opDot:
			return f.takes == set{} || f.takes == setOf("\n")
		case opLoop, opLoopLazy, opLoopAll:
			s := f.p.loopSet(in)
			if overlap(&f.takes, &s) {
				return false
			}
			if in.y&0xffff > 0 {
				return true
			}
			pc++
		case opSplit, opSplitJump, opNotEmpty, opCond:
			if !f.disjoint(int(in.y)) {
				return false
			}
			pc++
		case opJump:
			pc = int(in.y)
		case opSave, opAtomic, opAtomicEnd:
			pc++
		default:
			return false // assertions on both sides, references
		}
	}
}

func overlap(a, b *set) bool {
	for i := range a {
		if a[i]&b[i] != 0 {
			return true
		}
	}
	return false
}
