package rules

import (
	"io"
	"math"
	"strings"
)

// Class is a line of classification.config: what a classtype means.
type Class struct {
	Name        string // lower case; Suricata compares without case
	Description string
	Priority    int // 1 is the most severe
}

// ParseClassification reads a classification.config:
//
//	config classification: name,description,priority
//
// The map is by name. A name that comes twice keeps its first meaning.
func ParseClassification(file string, r io.Reader) (map[string]Class, []*Problem) {
	out := map[string]Class{}
	problems := parseConfig(file, r, func(st *statement) (int, *ValueError) {
		rest, off, err := configBody(st.text, "classification")
		if err != nil {
			return off, err
		}
		// The description may hold commas.
		name, more, _ := strings.Cut(rest, ",")
		i := strings.LastIndexByte(more, ',')
		if i < 0 {
			return off, badValue("write config classification: name,description,priority", "a class needs a name, a description and a priority")
		}
		c := Class{Name: lower(trim(name)), Description: trim(more[:i])}
		if !isName(c.Name) {
			return off, badValue("", "%q is no name of a class", clip(c.Name))
		}
		n, e := ParseUint(trim(more[i+1:]), math.MaxInt32)
		if e != nil {
			return off + len(name) + 1 + i + 1, badValue("", "%q is no priority", clip(trim(more[i+1:])))
		}
		c.Priority = int(n)
		if c.Description == "" {
			return off + len(name) + 1, badValue("", "the class %s has no description", c.Name)
		}
		if _, ok := out[c.Name]; ok {
			return off, setTwice("class", c.Name)
		}
		if len(out) >= MaxConfigEntries {
			return off, badValue("", "there are more than %d classes", MaxConfigEntries)
		}
		out[c.Name] = c
		return 0, nil
	})
	return out, problems
}

// ParseReferences reads a reference.config:
//
//	config reference: system URL
//
// The map is from the lower-case name of the system to the text that is put
// before a reference. A name that comes twice keeps its first meaning.
func ParseReferences(file string, r io.Reader) (map[string]string, []*Problem) {
	out := map[string]string{}
	problems := parseConfig(file, r, func(st *statement) (int, *ValueError) {
		rest, off, err := configBody(st.text, "reference")
		if err != nil {
			return off, err
		}
		i := strings.IndexAny(rest, blanks)
		if i < 0 {
			return off, badValue("write config reference: system URL", "a reference needs a system and a URL")
		}
		name := lower(rest[:i])
		if !isName(name) {
			return off, badValue("", "%q is no name of a reference system", clip(name))
		}
		if _, ok := out[name]; ok {
			return off, setTwice("reference system", name)
		}
		if len(out) >= MaxConfigEntries {
			return off, badValue("", "there are more than %d reference systems", MaxConfigEntries)
		}
		out[name] = trim(rest[i:])
		return 0, nil
	})
	return out, problems
}

// setTwice is no more than a warning: Suricata's own reference.config has one.
func setTwice(what, name string) *ValueError {
	err := badValue("remove one of them", "the %s %s is set twice, the first counts", what, name)
	err.warning = true
	return err
}

// MaxConfigEntries bounds the lines taken from one *.config file.
const MaxConfigEntries = 1 << 16

// parseConfig hands every line to line, which returns the offset of its error.
func parseConfig(file string, r io.Reader, line func(*statement) (int, *ValueError)) []*Problem {
	text, err := readText(r, MaxFile)
	if err != nil {
		return []*Problem{{File: file, Reason: fileReason(err)}}
	}
	var p parser
	l := lexer{text: text}
	for {
		st, ok := l.nextConfig()
		if !ok {
			_, problems := p.finish()
			return problems
		}
		off, err := 0, (*ValueError)(nil)
		if st.long {
			err = badValue("", "the line has more than %d bytes", MaxRule)
		} else if off, err = line(&st); err == nil {
			continue
		}
		n, col := st.at(off)
		p.problem(&Problem{File: file, Line: n, Col: col, Reason: err.Reason, Cure: err.Cure, Warning: err.warning})
	}
}

// configBody is what stands after "config kind:", and where.
func configBody(text, kind string) (string, int, *ValueError) {
	c := cursor{text: text}
	word := c.word()
	if word.text != "config" {
		return "", 0, badValue("write config "+kind+": …", "a line begins with config, not with %q", clip(word.text))
	}
	c.skip()
	at := c.pos
	rest, ok := strings.CutPrefix(text[at:], kind)
	if rest = strings.TrimLeft(rest, blanks); !ok || !strings.HasPrefix(rest, ":") {
		return "", at, badValue("write config "+kind+": …", "the word config is followed by %q", clip(text[at:]))
	}
	rest = strings.TrimLeft(rest[1:], blanks)
	return rest, len(text) - len(rest), nil
}
