// Package pcre reads and runs the regular expressions of Suricata's rules:
// Perl compatible, on bytes, with a bound on the work.
//
// The engine is a backtracking matcher on a compact program, so that
// possessive and atomic groups, look-around, back-references and conditions
// behave as in PCRE2. When an expression without back-references takes many
// steps, the match is run again with a memory of failed states, which makes
// the time linear in the length of the subject. What still takes too long ends
// with ErrBudget. Expressions are checked when parsed and compiled when first
// used.
//
// Not supported, and refused by Parse: recursion and calls of groups, \p and
// \X, backtracking verbs but (*FAIL), callouts, and two groups of one name.
package pcre

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// ErrBudget is returned by Match when the work exceeds the Machine's budget or
// its memory. Whether the expression matches is then unknown; Suricata, which
// has such a limit too, counts it as no match, also for a negated expression.
var ErrBudget = errors.New("pcre: too many steps")

// maxOption is the longest option text. The longest of ET Open has about 1,000
// bytes; Suricata's own limit for a rule is 8192.
const maxOption = 8192

// maxCaptures is the number of variables one expression can fill, Suricata's
// SC_PCRE_CAP_MAX.
const maxCaptures = 8

// CaptureKind is where a captured group is stored.
type CaptureKind uint8

// Kinds of captures: a variable of the flow, of the packet (logged with the
// alert), or a field of the alert.
const (
	CaptureFlow CaptureKind = iota + 1
	CapturePacket
	CaptureAlert
)

// Capture is a variable filled by a group. The n-th one (from 0) takes group
// n+1, whatever other groups there are; that is Suricata's rule.
type Capture struct {
	Kind CaptureKind
	Name string
}

// Regexp is one pcre option. It is safe for concurrent use, each goroutine
// with its own Machine.
type Regexp struct {
	src      string // between the slashes
	opts     flags
	negated  bool
	relative bool
	noLimit  bool
	buffer   byte
	captures []Capture
	lit      string
	litFold  bool
	prog     atomic.Pointer[prog]
}

// Negated reports whether the option is !"/…/".
func (r *Regexp) Negated() bool { return r.negated }

// Relative reports the flag R: the subject begins at the end of the last match.
func (r *Regexp) Relative() bool { return r.relative }

// NoLimit reports the flag O, with which Suricata lifts its match limit. The
// budget of the Machine holds in any case.
func (r *Regexp) NoLimit() bool { return r.noLimit }

// Buffer returns the letter that selects the inspected buffer, or 0:
// B raw bytes, U http.uri, I http.uri.raw, P http.request_body, Q
// http.response_body, H http.header, D http.header.raw, M http.method, C
// http.cookie, S http.stat_code, Y http.stat_msg, V http.user_agent, W
// http.host, Z http.host.raw.
func (r *Regexp) Buffer() byte { return r.buffer }

// Captures returns the variables the expression fills.
func (r *Regexp) Captures() []Capture { return r.captures }

// Source returns the text between the slashes.
func (r *Regexp) Source() string { return r.src }

// Literal returns the longest text that every match contains, and whether it
// may appear in any ASCII case (then it is lower case). It is empty when there
// is none. A subject without it need not be matched.
func (r *Regexp) Literal() (lit string, nocase bool) { return r.lit, r.litFold }

// Parse reads the value of a pcre option as it stands in a rule, for example
//
//	"/^foo\d+$/Ri"        !"/bar/U"        "/(\w+)/, flow:user"
//
// with or without the quotes, and checks that the expression is valid.
func Parse(value string) (*Regexp, error) {
	if len(value) > maxOption {
		return nil, fmt.Errorf("pcre: %d bytes, at most %d", len(value), maxOption)
	}
	r := &Regexp{}
	s := strings.TrimSpace(value)
	if rest, ok := strings.CutPrefix(s, "!"); ok {
		r.negated = true
		s = strings.TrimSpace(rest)
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if rest, ok := strings.CutPrefix(s, "!"); ok && !r.negated {
		r.negated = true
		s = strings.TrimSpace(rest)
	}
	if s == "" || s[0] != '/' {
		return nil, errors.New("pcre: expression must begin with a slash")
	}
	end := lastSlash(s)
	if end <= 0 {
		return nil, errors.New("pcre: closing slash is missing")
	}
	r.src = s[1:end]
	letters, vars, _ := strings.Cut(s[end+1:], ",")
	if err := r.letters(strings.TrimSpace(letters)); err != nil {
		return nil, err
	}
	tree, err := parse(r.src, r.opts)
	if err != nil {
		return nil, fmt.Errorf("pcre: %w", err)
	}
	if err := r.variables(vars, tree); err != nil {
		return nil, err
	}
	if _, err := compile(tree, r.opts, len(r.captures)); err != nil {
		return nil, fmt.Errorf("pcre: %w", err)
	}
	lit, fold := literal(tree.root)
	r.lit, r.litFold = string(lit), fold
	return r, nil
}

// lastSlash returns the place of the last slash of s that no backslash
// escapes, or -1.
func lastSlash(s string) int {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] != '/' {
			continue
		}
		n := 0
		for i-1-n > 0 && s[i-1-n] == '\\' {
			n++
		}
		if n%2 == 0 {
			return i
		}
	}
	return -1
}

func (r *Regexp) letters(s string) error {
	for i := range len(s) {
		switch ch := s[i]; ch {
		case 'i':
			r.opts |= fold
		case 's':
			r.opts |= dotAll
		case 'm':
			r.opts |= multiline
		case 'x':
			r.opts |= extended
		case 'A':
			r.opts |= anchored
		case 'E':
			r.opts |= endOnly
		case 'G':
			r.opts |= ungreedy
		case 'O':
			r.noLimit = true
		case 'R':
			r.relative = true
		case 'B', 'U', 'I', 'P', 'Q', 'H', 'D', 'M', 'C', 'S', 'Y', 'V', 'W', 'Z':
			if r.buffer != 0 && r.buffer != ch {
				return fmt.Errorf("pcre: flags %c and %c select two buffers", r.buffer, ch)
			}
			r.buffer = ch
		default:
			return fmt.Errorf("pcre: unknown flag %q", ch)
		}
	}
	return nil
}

// variables reads the list behind the flags, or else the names of groups such
// as (?P<flow_user>…).
func (r *Regexp) variables(list string, t *tree) error {
	if strings.TrimSpace(list) == "" {
		for _, name := range t.names {
			if kind, rest, ok := strings.Cut(name, "_"); ok && rest != "" {
				if k := captureKind(kind); k != 0 {
					r.captures = append(r.captures, Capture{k, strings.Clone(rest)})
				}
			}
		}
	} else {
		for item := range strings.SplitSeq(list, ",") {
			kind, name, ok := strings.Cut(strings.TrimSpace(item), ":")
			k := captureKind(kind)
			if !ok || k == 0 || name == "" {
				return fmt.Errorf("pcre: variable %q, wanted flow:NAME, pkt:NAME or alert:NAME", strings.TrimSpace(item))
			}
			r.captures = append(r.captures, Capture{k, strings.Clone(name)})
		}
	}
	if len(r.captures) > maxCaptures {
		return fmt.Errorf("pcre: %d variables, at most %d", len(r.captures), maxCaptures)
	}
	if len(r.captures) > t.groups {
		return fmt.Errorf("pcre: %d variables for %d groups", len(r.captures), t.groups)
	}
	return nil
}

func captureKind(s string) CaptureKind {
	switch s {
	case "flow":
		return CaptureFlow
	case "pkt":
		return CapturePacket
	case "alert":
		return CaptureAlert
	}
	return 0
}

// program returns the compiled form, made on first use. Two workers may both
// compile; one result is kept.
func (r *Regexp) program() *prog {
	if p := r.prog.Load(); p != nil {
		return p
	}
	tree, err := parse(r.src, r.opts)
	if err != nil {
		return failing // Parse has refused it before
	}
	p, err := compile(tree, r.opts, len(r.captures))
	if err != nil {
		return failing
	}
	if !r.prog.CompareAndSwap(nil, p) {
		p = r.prog.Load()
	}
	return p
}

var failing = &prog{code: []inst{{op: opFail}}}
