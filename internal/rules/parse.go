package rules

import (
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"strings"
)

// ParseConfig says how rules are read.
type ParseConfig struct {
	// Vars are the variables; the zero value means DefaultVars.
	Vars Vars
	// Disabled also reads rules in comments ("# alert tcp …"), with
	// Enabled false. A rule that is no comment wins over one that is.
	Disabled bool
}

// Parse reads the rules of one file; the name is used in problems only. It
// returns the rules in their order, each sid of a gid once, and a problem for
// each rule that it left out or that deserves a warning. Of rules with the
// same sid and gid the one with the highest rev stays, the first of equals.
func Parse(file string, r io.Reader, cfg ParseConfig) ([]*Rule, []*Problem) {
	p := newParser(cfg)
	p.read(file, r)
	return p.finish()
}

// parser holds what the rules of one load share.
type parser struct {
	cfg      ParseConfig
	addrs    map[string]Addrs
	ports    map[string]Ports
	addrSets map[uint64]*AddrSet // by the hash of their content
	portSets map[uint64]*PortSet
	al, pl   lister
	hash     maphash.Hash

	rules    []*Rule
	problems []*Problem
	unkept   int // problems beyond MaxProblems
	bytes    int // read so far
	options  int // kept so far

	// Rules and options are taken from blocks: 25,000 rules would else be
	// as many small allocations each.
	ruleBlock   []Rule
	optionBlock []Option
	scratch     []Option
}

func newParser(cfg ParseConfig) *parser {
	if cfg.Vars.Addrs == nil && cfg.Vars.Ports == nil {
		cfg.Vars = DefaultVars()
	}
	return &parser{
		cfg:      cfg,
		addrs:    map[string]Addrs{"any": {}},
		ports:    map[string]Ports{"any": {}},
		addrSets: map[uint64]*AddrSet{},
		portSets: map[uint64]*PortSet{},
		al:       lister{what: "address", vars: cfg.Vars.Addrs, full: addrFull, one: address},
		pl:       lister{what: "port", flat: true, vars: cfg.Vars.Ports, full: portFull, one: port},
	}
}

func (p *parser) read(file string, r io.Reader) {
	text, err := readText(r, MaxFile-p.bytes)
	if err != nil {
		q := &Problem{File: file, Reason: fileReason(err)}
		if v, ok := err.(*ValueError); ok {
			q.Reason, q.Cure = v.Reason, v.Cure
		}
		p.problem(q)
		return
	}
	if q := notRules(text); q != nil {
		q.File = file
		p.problem(q)
		return
	}
	p.bytes += len(text)
	p.text(file, text)
}

// otherFiles are the first bytes of files that are given in place of rules.
var otherFiles = [...]struct{ magic, what, cure string }{
	{"\x1f\x8b", "is compressed with gzip", "decompress it with gunzip"},
	{"\x28\xb5\x2f\xfd", "is compressed with zstd", "decompress it with unzstd"},
	{"\xfd7zXZ\x00", "is compressed with xz", "decompress it with unxz"},
	{"BZh", "is compressed with bzip2", "decompress it with bunzip2"},
	{"PK\x03\x04", "is a ZIP archive", "take the rules out of it with unzip"},
	{"\xff\xfe", "is in UTF-16", "save it as UTF-8"},
	{"\xfe\xff", "is in UTF-16", "save it as UTF-8"},
	{"\x7fELF", "is a program", "name a file of rules"},
}

// binaryLook is how much of a file is looked at for zero bytes.
const binaryLook = 4096

// notRules tells of a file that holds something else, which would be a problem
// with each of its lines; nil for others.
func notRules(text string) *Problem {
	for _, f := range otherFiles {
		if strings.HasPrefix(text, f.magic) {
			return &Problem{Line: 1, Col: 1, Reason: "the file " + f.what + ", it holds no rules", Cure: f.cure}
		}
	}
	head := text[:min(len(text), binaryLook)]
	if i := strings.IndexByte(head, 0); i >= 0 {
		line := strings.Count(head[:i], "\n")
		return &Problem{Line: line + 1, Col: i - strings.LastIndexByte(head[:i], '\n'),
			Reason: "there is a zero byte, the file is no text", Cure: "name a file of rules, a line each"}
	}
	if t := strings.TrimLeft(head, blanks+"\n"); strings.HasPrefix(t, "<") {
		if t = lower(t[:min(len(t), 15)]); strings.HasPrefix(t, "<!doctype html") || strings.HasPrefix(t, "<html") || strings.HasPrefix(t, "<?xml") {
			return &Problem{Line: 1, Col: 1, Reason: "the file is a web page, it holds no rules", Cure: "fetch the rules again: a server answered with a page of its own"}
		}
	}
	return nil
}

// readText reads all of r, at most most bytes, into one string.
func readText(r io.Reader, most int) (string, error) {
	var b strings.Builder
	b.Grow(min(sizeOf(r), most) + 1)
	n, err := io.Copy(&b, io.LimitReader(r, int64(most)+1))
	if err != nil {
		return "", err
	}
	if n > int64(most) {
		return "", badValue("load fewer files, or leave rules out that you do not need", "there are more than %d bytes in the files", MaxFile)
	}
	return strings.TrimPrefix(b.String(), "\ufeff"), nil
}

// sizeOf is how much there is to read, as far as r knows; 0 else.
func sizeOf(r io.Reader) int {
	switch r := r.(type) {
	case interface{ Len() int }:
		return r.Len()
	case interface{ Stat() (fs.FileInfo, error) }:
		if st, err := r.Stat(); err == nil && st.Mode().IsRegular() {
			return int(st.Size())
		}
	}
	return 0
}

func (p *parser) text(file, text string) {
	l := lexer{text: text, comments: p.cfg.Disabled}
	for {
		st, ok := l.next()
		if !ok {
			return
		}
		if len(p.rules) >= MaxRules || p.options >= MaxAllOptions {
			p.problem(&Problem{
				File: file, Line: st.line, Col: st.col,
				Reason: fmt.Sprintf("there are more than %d rules or %d options, the rest of the file is not read", MaxRules, MaxAllOptions),
			})
			return
		}
		p.statement(file, &st)
	}
}

func (p *parser) problem(q *Problem) {
	if len(p.problems) >= MaxProblems {
		p.unkept++
		return
	}
	p.problems = append(p.problems, q)
}

func (p *parser) fail(file string, st *statement, off int, err *ValueError) {
	line, col := st.at(off)
	p.problem(&Problem{File: file, Line: line, Col: col, SID: findSID(st.text), Reason: err.Reason, Cure: err.Cure})
}

// statement reads one rule and keeps it or the problem.
func (p *parser) statement(file string, st *statement) {
	h, off, err := splitHeader(st.text)
	if st.comment || st.indent {
		// Prose may begin with an action: "pass it to …". Only what has a
		// header's shape is a rule.
		if err != nil || !strings.HasPrefix(trim(st.text[h.dstPorts.end():]), "(") {
			return
		}
		if st.indent {
			p.fail(file, st, 0, badValue("remove the blanks before the action", "a line that begins with a blank is not read"))
			return
		}
	}
	switch {
	case st.long:
		p.fail(file, st, 0, badValue("", "the rule has more than %d bytes or %d lines", MaxRule, MaxLines))
		return
	case st.open && !st.comment:
		p.fail(file, st, 0, badValue("remove the backslash at the end of its last line", "the file ends within the rule"))
		return
	}
	// The action first: it explains most about a line that is no rule.
	action, ok := actionOf(h.action.text)
	if !ok {
		p.fail(file, st, h.action.off, badAction(h.action.text))
		return
	}
	if err != nil {
		p.fail(file, st, off, err)
		return
	}
	r := Rule{
		Action: action, Proto: protoOf(h.proto.text), Dir: h.dir, Both: h.dir == Either,
		Enabled: !st.comment, File: file, Line: st.line, Raw: st.text,
	}
	if r.Src, off, err = p.addresses(h.src.text); err != nil {
		p.fail(file, st, h.src.off+off, err)
		return
	}
	if r.SrcPorts, off, err = p.portList(h.srcPorts.text); err != nil {
		p.fail(file, st, h.srcPorts.off+off, err)
		return
	}
	if r.Dst, off, err = p.addresses(h.dst.text); err != nil {
		p.fail(file, st, h.dst.off+off, err)
		return
	}
	if r.DstPorts, off, err = p.portList(h.dstPorts.text); err != nil {
		p.fail(file, st, h.dstPorts.off+off, err)
		return
	}
	if r.Src.Set() == r.Dst.Set() && r.SrcPorts.Set() == r.DstPorts.Set() {
		r.Both = false // one way is the other
	}
	p.scratch, off, err = splitOptions(p.scratch[:0], st, h.options)
	if err != nil {
		p.fail(file, st, off, err)
		return
	}
	r.Options = p.scratch // until it is known to be good
	at, err, warnings := r.general()
	if err != nil {
		if at.Name == "" {
			p.fail(file, st, h.options, err)
			return
		}
		q := r.Problem(at, err)
		if q.SID == 0 {
			q.SID = findSID(st.text)
		}
		p.problem(q)
		return
	}
	r.Options = p.keepOptions(p.scratch)
	for _, w := range warnings {
		w.SID = r.SID
		p.problem(w)
	}
	p.keep(r)
}

func (p part) end() int { return p.off + len(p.text) }
