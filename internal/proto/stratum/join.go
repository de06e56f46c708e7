package stratum

// Join adds what another session has shown to s, as far as it may be added
// again and again: marks, names and the latest difficulty, but no counts. It is
// for work that is asked for over many connections.
func (s *Session) Join(o *Session) {
	for m := range NumMarks {
		if o.Marks.Has(m) {
			s.add(m)
		}
	}
	s.is(o.Dialect)
	s.Methods |= o.Methods
	s.Agent.Set(o.Agent.Bytes())
	s.Login.Set(o.Login.Bytes())
	s.Worker.Set(o.Worker.Bytes())
	s.Algorithm.Set(o.Algorithm.Bytes())
	s.Pool.Set(o.Pool.Bytes())
	s.Diff.Set(o.Diff.Bytes())
	if o.Effort.PerShare > 0 {
		s.Effort.PerShare, s.Effort.Assumed, s.Effort.Solutions = o.Effort.PerShare, o.Effort.Assumed, o.Effort.Solutions
	}
	switch {
	case o.miner > 0:
		s.miner = min(s.miner+1, 100)
	case o.miner < 0:
		s.miner = max(s.miner-1, -100)
	}
	if s.First == 0 || o.First != 0 && o.First < s.First {
		s.First = o.First
	}
	s.Last = max(s.Last, o.Last)
}

// Saw reports whether a message called the method.
func (s *Session) Saw(m Method) bool { return s.Methods&(1<<m) != 0 }

// Asked notes that a method was called outside the messages.
func (s *Session) Asked(m Method) { s.Methods |= 1 << m }
