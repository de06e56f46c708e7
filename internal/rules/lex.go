package rules

import "strings"

// statement is one rule's text: a line, or several joined by a backslash at
// their end, as Suricata's DetectLoadSigFile joins them.
type statement struct {
	text    string
	line    int    // of the first byte
	col     int    // of the first byte
	marks   []mark // where further lines begin in text, ascending
	comment bool   // it stood behind a comment sign
	long    bool   // it was cut at MaxRule or MaxLines
	open    bool   // the file ended after a backslash
	indent  bool   // it stood behind blanks, where Suricata does not look
}

type mark struct{ off, line, col int }

// at is the line and column of a byte of the text.
func (s *statement) at(off int) (line, col int) {
	line, col = s.line, s.col+off
	for _, m := range s.marks {
		if off < m.off {
			break
		}
		line, col = m.line, m.col+off-m.off
	}
	return line, col
}

// lexer cuts a file into statements.
type lexer struct {
	text     string
	pos      int
	line     int  // lines read so far
	comments bool // also return comments that may be rules
}

// physical returns the next line without its end.
func (l *lexer) physical() (string, bool) {
	if l.pos >= len(l.text) {
		return "", false
	}
	rest := l.text[l.pos:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	l.pos += len(rest) + 1
	l.line++
	return strings.TrimSuffix(rest, "\r"), true
}

// next returns the next rule, comments that may be rules included if wanted.
func (l *lexer) next() (statement, bool) {
	for {
		s, ok := l.physical()
		if !ok {
			return statement{}, false
		}
		if s == "" {
			continue
		}
		switch s[0] {
		case '#':
			if !l.comments {
				continue
			}
			body := strings.TrimLeft(s, "# \t")
			if !beginsRule(body) {
				continue
			}
			st := statement{line: l.line, col: 1 + len(s) - len(body), comment: true}
			l.join(&st, body)
			return st, true
		case ' ', '\t', '\v', '\f':
			// Suricata passes over such lines without a word; say so
			// when a rule is lost by it.
			body := strings.TrimLeft(s, " \t\v\f")
			if !beginsRule(body) {
				continue
			}
			st := statement{line: l.line, col: 1 + len(s) - len(body), indent: true}
			l.join(&st, body)
			return st, true
		}
		st := statement{line: l.line, col: 1}
		l.join(&st, s)
		return st, true
	}
}

const blanks = " \t\r\v\f"

// join completes st with the lines that continue s.
func (l *lexer) join(st *statement, s string) {
	t := strings.TrimRight(s, blanks)
	if !strings.HasSuffix(t, `\`) {
		st.text = t
		st.cut()
		return
	}
	var b strings.Builder
	b.WriteString(t[:len(t)-1])
	for {
		s, ok := l.peekContinuation(st.comment)
		if !ok {
			st.open = true
			break
		}
		t := strings.TrimRight(s.text, blanks)
		more := strings.HasSuffix(t, `\`)
		if more {
			t = t[:len(t)-1]
		}
		if len(st.marks) >= MaxLines-1 {
			st.long = true
		} else if b.Len() <= MaxRule { // beyond it the lines are only passed over
			st.marks = append(st.marks, mark{b.Len(), l.line, s.col})
			b.WriteString(t)
		}
		if !more {
			break
		}
	}
	st.text = strings.TrimRight(b.String(), blanks)
	st.cut()
}

// peekContinuation takes the next line if it can continue a rule: any for an
// active rule, a further comment for one in a comment.
func (l *lexer) peekContinuation(comment bool) (statement, bool) {
	pos, line := l.pos, l.line
	s, ok := l.physical()
	if !ok {
		return statement{}, false
	}
	if !comment {
		return statement{text: s, col: 1}, true
	}
	body := strings.TrimLeft(s, "# \t")
	if s == "" || s[0] != '#' || beginsRule(body) {
		l.pos, l.line = pos, line
		return statement{}, false
	}
	return statement{text: body, col: 1 + len(s) - len(body)}, true
}

func (s *statement) cut() {
	if len(s.text) > MaxRule {
		s.text, s.long = s.text[:MaxRule], true
	}
}

// beginsRule reports whether s begins with an action and a blank, as rules do.
func beginsRule(s string) bool {
	i := strings.IndexAny(s, " \t")
	if i < 0 || i > len("rejectboth") {
		return false
	}
	_, ok := actionOf(s[:i])
	return ok
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

// lower is strings.ToLower for ASCII; it allocates only when it changes s.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

// nextConfig returns the next line of a *.config file, continued lines joined,
// without the blanks before it; comments may stand behind blanks there.
func (l *lexer) nextConfig() (statement, bool) {
	for {
		s, ok := l.physical()
		if !ok {
			return statement{}, false
		}
		body := strings.TrimLeft(s, blanks)
		if body == "" || body[0] == '#' {
			continue
		}
		st := statement{line: l.line, col: 1 + len(s) - len(body)}
		l.join(&st, body)
		return st, true
	}
}
