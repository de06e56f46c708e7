package pcre

import (
	"errors"
	"fmt"
	"strings"
)

// class reads a bracket expression behind its opening bracket.
func (p *parser) class() (*node, error) {
	n := &node{kind: nSet}
	negated := p.accept("^")
	for first := true; ; first = false {
		if !p.more() {
			return nil, errors.New("missing ]")
		}
		if p.accept(`\E`) {
			continue
		}
		if p.accept(`\Q`) {
			end := strings.Index(p.s[p.i:], `\E`)
			if end < 0 {
				return nil, errors.New("missing ]")
			}
			for ; end > 0; end-- {
				n.set.add(p.s[p.i])
				p.i++
			}
			continue
		}
		if p.s[p.i] == ']' && !first {
			p.i++
			break
		}
		if err := p.classItem(&n.set); err != nil {
			return nil, err
		}
	}
	if p.opts&fold != 0 {
		n.set.foldCase()
	}
	if negated {
		n.set.invert()
	}
	return n, nil
}

// classItem adds one byte, range, shorthand or POSIX class.
func (p *parser) classItem(s *set) error {
	if strings.HasPrefix(p.s[p.i:], "[:") {
		if end := strings.Index(p.s[p.i:], ":]"); end > 0 && letters(p.s[p.i+2:p.i+end]) {
			return p.posix(s, end)
		}
	}
	lo, many, err := p.classByte()
	if err != nil {
		return err
	}
	if many != nil {
		s.union(many)
		return nil
	}
	// A hyphen makes a range unless it is the last byte.
	if p.i+1 < len(p.s) && p.s[p.i] == '-' && p.s[p.i+1] != ']' {
		at := p.i
		p.i++
		hi, many, err := p.classByte()
		if err != nil {
			return err
		}
		if many != nil { // as in [a-\d]: the hyphen stands for itself
			s.add(lo)
			s.add('-')
			s.union(many)
			return nil
		}
		if hi < lo {
			p.i = at
			return errors.New("range out of order in character class")
		}
		s.addRange(lo, hi)
		return nil
	}
	s.add(lo)
	return nil
}

func letters(s string) bool {
	return strings.Trim(strings.TrimPrefix(s, "^"), "abcdefghijklmnopqrstuvwxyz") == ""
}

func (p *parser) posix(s *set, end int) error {
	name, negated := strings.CutPrefix(p.s[p.i+2:p.i+end], "^")
	if p.opts&fold != 0 && (name == "upper" || name == "lower") {
		name = "alpha"
	}
	c, ok := posix(name)
	if !ok {
		return fmt.Errorf("unknown POSIX class %q", name)
	}
	if negated {
		c.invert()
	}
	s.union(&c)
	p.i += end + 2
	return nil
}

// classByte reads one byte of a class, or a shorthand for several.
func (p *parser) classByte() (byte, *set, error) {
	if !p.more() {
		return 0, nil, errors.New("missing ]")
	}
	ch := p.s[p.i]
	p.i++
	if ch != '\\' {
		return ch, nil, nil
	}
	if !p.more() {
		return 0, nil, errors.New(`\ at the end`)
	}
	ch = p.s[p.i]
	if s, ok := shorthand(ch); ok && ch != 'N' {
		p.i++
		return 0, &s, nil
	}
	switch {
	case ch == 'b':
		p.i++
		return '\b', nil, nil
	case '0' <= ch && ch <= '7':
		b, err := p.octal(3)
		return b, nil, err
	case ch == '8' || ch == '9':
		p.i++
		return ch, nil, nil
	}
	b, err := p.byteEscape()
	return b, nil, err
}

// byteEscape reads, behind the backslash, an escape that stands for one byte.
func (p *parser) byteEscape() (byte, error) {
	ch := p.s[p.i]
	p.i++
	switch ch {
	case 'a':
		return '\a', nil
	case 'e':
		return 0x1b, nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'x':
		return p.hex()
	case 'o':
		if p.accept("{") {
			b, err := p.octal(len(p.s))
			if err == nil && !p.accept("}") {
				err = errors.New(`\o{ without }`)
			}
			return b, err
		}
		return 0, errors.New(`\o without {`)
	case 'c':
		if !p.more() || p.s[p.i] < ' ' || p.s[p.i] > '~' {
			return 0, errors.New(`\c without a printable character`)
		}
		ch = p.s[p.i]
		p.i++
		if 'a' <= ch && ch <= 'z' {
			ch -= 0x20
		}
		return ch ^ 0x40, nil
	}
	if 'a' <= ch|0x20 && ch|0x20 <= 'z' || '0' <= ch && ch <= '9' {
		return 0, fmt.Errorf(`unsupported escape \%c`, ch)
	}
	return ch, nil
}

// octal reads up to n octal digits.
func (p *parser) octal(n int) (byte, error) {
	v, from := 0, p.i
	for p.more() && p.i-from < n && '0' <= p.s[p.i] && p.s[p.i] <= '7' {
		v = v<<3 | int(p.s[p.i]-'0')
		p.i++
		if v > 0xff {
			return 0, errors.New("octal value over 0377")
		}
	}
	if p.i == from {
		return 0, errors.New("octal digits are missing")
	}
	return byte(v), nil
}

// hex reads what follows \x: up to two digits, or any number in braces.
func (p *parser) hex() (byte, error) {
	v, most, braces := 0, 2, p.accept("{")
	if braces {
		most = len(p.s)
	}
	from := p.i
	for p.more() && p.i-from < most {
		d := strings.IndexByte("0123456789abcdef", p.s[p.i]|0x20)
		if p.s[p.i] < '0' || d < 0 || d > 9 && p.s[p.i] < 'A' {
			break
		}
		v = v<<4 | d
		p.i++
		if v > 0xff {
			return 0, errors.New("value over 0xff")
		}
	}
	if braces && (p.i == from || !p.accept("}")) {
		return 0, errors.New(`bad \x{`)
	}
	return byte(v), nil
}
