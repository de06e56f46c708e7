// Package rules reads Suricata's rule language (version 7, and what version 8
// adds to the header) into a syntax tree and writes it back. It judges form
// only: which protocols and keywords exist is for the matcher to say.
//
// A bad rule never stops the others: every reader returns what it understood
// and a [Problem] for each line that it did not.
//
// The strings of a tree share the memory of the file they were read from.
// Whoever outlives the tree clones what it keeps.
package rules

import "fmt"

// Limits of hostile input. A rule that exceeds one is refused with a Problem.
const (
	MaxFile        = 128 << 20 // bytes of all files of one load; 50,000 rules have 30 MB
	MaxRules       = 250_000   // rules of one load
	MaxAllOptions  = 4 << 20   // options of all rules of one load, about 200 MB; 50,000 rules have 0.7 million
	MaxRule        = 64 << 10  // bytes of one rule, lines joined; Suricata takes 8 kB
	MaxLines       = 4096      // lines of one rule
	MaxOptions     = 1024      // options of one rule; ET Open has at most 120
	MaxNesting     = 16        // brackets and variables in one another in a list
	MaxListEntries = 16 << 10  // entries of one address or port list, variables expanded
	MaxProblems    = 100_000   // problems kept of one load; further ones are only counted
)

// Action is what a rule does when it matches.
type Action uint8

// Actions. The three rejects after Reject say whom to answer; Reject itself
// answers the sender.
const (
	Alert Action = iota + 1
	Drop
	Reject
	RejectSrc
	RejectDst
	RejectBoth
	Pass
)

// String is the word a rule begins with.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "unknown"
}

var actionNames = [...]string{"unknown", "alert", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "pass"}

// Direction is the arrow of a rule's header.
type Direction uint8

// Directions.
const (
	ToRight Direction = iota // ->
	Either                   // <>, the rule is tried both ways
	BothOf                   // =>, Suricata 8: one transaction, both of its directions
)

// String is the arrow.
func (d Direction) String() string {
	switch d {
	case Either:
		return "<>"
	case BothOf:
		return "=>"
	}
	return "->"
}

// Rule is one rule. It is not changed after it was read and may be shared.
type Rule struct {
	Action Action
	Dir    Direction
	Both   bool // Dir is Either, and the two ends differ: the rule counts both ways
	// Enabled is false for a rule in a comment, read only with
	// ParseConfig.Disabled.
	Enabled bool
	// Proto is as written, lower case for the protocols Suricata takes in
	// any case ("tcp", "ip"…). It may carry a hook of Suricata 8 ("http1:request_line",
	// see ProtoHook). Whether it exists is not checked here.
	Proto              string
	Src, Dst           Addrs
	SrcPorts, DstPorts Ports
	// Options are all options in their order, also those with a field here.
	Options []Option
	// SID is never 0; GID is 1 when the rule says none; Rev is 0 then.
	SID, GID, Rev uint32
	// Priority is 0 when the rule sets none (or sets 0).
	Priority  int
	Msg       string // without quotes and escapes
	Classtype string
	File      string
	Line      int    // first line, from 1
	Raw       string // the rule's text, lines joined, comment signs taken away
}

// Option is one option of a rule: "name;" or "name:value;".
type Option struct {
	Name  string // lower case
	Value string // as written, with its quotes and escapes, without blanks around it
	// Col is the column of the name in its line, from 1, in bytes.
	Col      int
	Line     int32 // the line of the name, from 1
	HasValue bool  // there was a colon
}

// ProtoHook splits Proto at the colon of Suricata 8's hooks: "http1" and
// "request_line". Without a hook the second is empty.
func (r *Rule) ProtoHook() (proto, hook string) {
	for i := range len(r.Proto) {
		if r.Proto[i] == ':' {
			return r.Proto[:i], r.Proto[i+1:]
		}
	}
	return r.Proto, ""
}

// Option returns the first option of that (lower-case) name.
func (r *Rule) Option(name string) (Option, bool) {
	for _, o := range r.Options {
		if o.Name == name {
			return o, true
		}
	}
	return Option{}, false
}

// Problem returns a problem of the rule at an option, or of its header when o
// is the zero Option. An err of this package brings its cure.
func (r *Rule) Problem(o Option, err error) *Problem {
	p := &Problem{File: r.File, Line: r.Line, Col: 1, SID: r.SID, Reason: err.Error()}
	if o.Line > 0 {
		p.Line, p.Col = int(o.Line), o.Col
	}
	if v, ok := err.(*ValueError); ok {
		p.Reason, p.Cure = v.Reason, v.Cure
	}
	return p
}

// Problem is what is wrong with a rule or a line, and where.
type Problem struct {
	File   string
	Line   int    // from 1; 0 when the file itself is the problem
	Col    int    // from 1, in bytes; 0 when unknown
	SID    uint32 // 0 when the rule did not say or could not be read so far
	Reason string
	Cure   string // what to write instead; empty when nothing is known
	// Warning marks a problem that did not keep the line from being taken.
	Warning bool
}

// Error is "file:line:col: sid N: reason (cure)" with what is known.
func (p *Problem) Error() string {
	s := p.File
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, p.Line)
		if p.Col > 0 {
			s = fmt.Sprintf("%s:%d", s, p.Col)
		}
	}
	if p.SID > 0 {
		s = fmt.Sprintf("%s: sid %d", s, p.SID)
	}
	s += ": " + p.Reason
	if p.Cure != "" {
		s += " (" + p.Cure + ")"
	}
	return s
}

// ValueError says why a value is refused and, where known, what to write.
type ValueError struct {
	Reason, Cure string
	warning      bool
}

func (e *ValueError) Error() string {
	if e.Cure == "" {
		return e.Reason
	}
	return e.Reason + " (" + e.Cure + ")"
}

func badValue(cure, format string, args ...any) *ValueError {
	return &ValueError{Reason: fmt.Sprintf(format, args...), Cure: cure}
}
