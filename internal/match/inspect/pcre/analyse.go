package pcre

// canBeEmpty reports whether n can match without taking a byte. It may say yes
// without need, never no.
func canBeEmpty(n *node) bool {
	switch n.kind {
	case nSet, nFail:
		return false
	case nCat:
		for _, s := range n.subs {
			if !canBeEmpty(s) {
				return false
			}
		}
	case nAlt:
		for _, s := range n.subs {
			if canBeEmpty(s) {
				return true
			}
		}
		return false
	case nRepeat:
		return n.min == 0 || canBeEmpty(n.subs[0])
	case nCapture, nAtomic:
		return canBeEmpty(n.subs[0])
	}
	return true
}

// startAssertion returns the assertion that every match of n begins with:
// opStart, opFrom or opLineStart, or 0.
func startAssertion(n *node) uint8 {
	switch n.kind {
	case nAssert:
		switch op := uint8(n.n); op {
		case opStart, opFrom, opLineStart:
			return op
		}
	case nCat:
		for _, s := range n.subs {
			if s.kind == nLook || s.kind == nKeep {
				continue // takes no byte
			}
			return startAssertion(s)
		}
	case nAlt:
		first := startAssertion(n.subs[0])
		for _, s := range n.subs[1:] {
			if startAssertion(s) != first {
				return 0
			}
		}
		return first
	case nCapture, nAtomic:
		return startAssertion(n.subs[0])
	case nRepeat:
		if n.min > 0 {
			return startAssertion(n.subs[0])
		}
	}
	return 0
}

// firstSet returns the bytes a match of n can begin with; ok is false when it
// can be empty or is not known.
func firstSet(n *node) (s set, ok bool) {
	switch n.kind {
	case nSet:
		return n.set, true
	case nFail:
		return s, true
	case nCat:
		for _, sub := range n.subs {
			f, ok := firstSet(sub)
			if ok {
				s.union(&f)
				return s, true
			}
			if sub.kind == nLook || sub.kind == nAssert || sub.kind == nKeep {
				continue
			}
			// An item that can be left out: its bytes, or those of the next.
			if sub.kind != nRepeat || sub.min > 0 {
				return s, false
			}
			if f, ok = firstSet(sub.subs[0]); !ok {
				return s, false
			}
			s.union(&f)
		}
		return s, false
	case nAlt:
		for _, sub := range n.subs {
			f, ok := firstSet(sub)
			if !ok {
				return s, false
			}
			s.union(&f)
		}
		return s, true
	case nRepeat:
		if n.min > 0 {
			return firstSet(n.subs[0])
		}
	case nCapture, nAtomic:
		return firstSet(n.subs[0])
	}
	return s, false
}

// literal returns the longest run of bytes that every match contains, in lower
// case when folded. It is what is left when everything optional is taken away.
func literal(n *node) (lit []byte, folded bool) {
	switch n.kind {
	case nSet:
		return run([]*node{n})
	case nCat:
		for i := 0; i < len(n.subs); {
			text, f := run(n.subs[i:])
			step := max(len(text), 1)
			if len(text) == 0 {
				text, f = literal(n.subs[i])
			}
			if len(text) > len(lit) {
				lit, folded = text, f
			}
			i += step
		}
	case nRepeat:
		if n.min > 0 {
			return literal(n.subs[0])
		}
	case nCapture, nAtomic:
		return literal(n.subs[0])
	}
	return lit, folded
}
