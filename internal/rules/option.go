package rules

import (
	"math"
	"strings"
)

// splitOptions appends the options of text, which begins at byte base of the
// statement, as Suricata's SigParseOptions does: an option ends at a semicolon
// that has no backslash right before it, within quotes or not; its name ends
// at the first colon. The closing parentheses are taken away here.
func splitOptions(out []Option, st *statement, base int) ([]Option, int, *ValueError) {
	text := st.text
	end := len(text)
	for end > base && (text[end-1] == ')' || isBlank(text[end-1])) {
		end--
	}
	first := len(out)
	for pos := base; ; {
		for pos < end && isBlank(text[pos]) {
			pos++
		}
		if pos >= end {
			return out, 0, nil
		}
		if len(out)-first == MaxOptions {
			return out, pos, badValue("", "the rule has more than %d options", MaxOptions)
		}
		stop := semicolon(text, pos, end)
		if stop < 0 {
			cure := "end it with a semicolon"
			if i := strings.LastIndex(text[pos:end], ")"); i >= 0 {
				cure = "nothing may follow the closing parenthesis, and every option ends with a semicolon"
			}
			return out, pos, badValue(cure, "option %q has no semicolon at its end", clip(text[pos:end]))
		}
		o := Option{}
		line, col := st.at(pos)
		o.Line, o.Col = int32(line), col
		body := text[pos:stop]
		if i := strings.IndexByte(body, ':'); i >= 0 {
			o.HasValue = true
			o.Value = trim(body[i+1:])
			body = body[:i]
		}
		o.Name = lower(trim(body))
		if o.Name == "" {
			return out, pos, badValue("remove it", "empty option")
		}
		if err := checkQuotes(o); err != nil {
			return out, pos, err
		}
		out = append(out, o)
		pos = stop + 1
	}
}

// semicolon finds the end of the option at pos.
func semicolon(text string, pos, end int) int {
	for i := pos; i < end; {
		n := strings.IndexByte(text[i:end], ';')
		if n < 0 {
			return -1
		}
		i += n
		if i == pos || text[i-1] != '\\' {
			return i
		}
		i++
	}
	return -1
}

// checkQuotes refuses a value that begins with a quote and does not end with
// one: mostly a semicolon that should have been escaped.
func checkQuotes(o Option) *ValueError {
	v := o.Value
	if strings.HasPrefix(v, "!") {
		v = trim(v[1:])
	}
	if v == "" || v[0] != '"' || len(v) > 1 && v[len(v)-1] == '"' {
		return nil
	}
	return badValue(`write a semicolon within quotes as \; or |3B|`, "the value of %s opens a quote and does not close it", clip(o.Name))
}

func trim(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// general fills the fields of r that general options set. It returns the
// option in which an error is, and warnings.
func (r *Rule) general() (at Option, err *ValueError, warnings []*Problem) {
	var haveGID, haveMsg, havePriority bool
	twice := func(o Option) (Option, *ValueError, []*Problem) {
		return o, badValue("keep one of them", "%s is set twice", o.Name), nil
	}
	for _, o := range r.Options {
		switch o.Name {
		case "sid":
			if r.SID != 0 {
				return twice(o)
			}
			if r.SID, err = number(o, 1); err != nil {
				return o, err, nil
			}
		case "gid":
			if haveGID { // Suricata minds the others, not this one
				warnings = append(warnings, r.warning(o, "gid is set twice, the last counts"))
			}
			if r.GID, err = number(o, 0); err != nil {
				return o, err, nil
			}
			haveGID = true
		case "rev":
			if r.Rev != 0 {
				return twice(o)
			}
			if r.Rev, err = number(o, 1); err != nil {
				return o, err, nil
			}
		case "msg":
			if haveMsg {
				return twice(o)
			}
			if r.Msg, err = message(o); err != nil {
				return o, err, nil
			}
			haveMsg = true
		case "priority":
			var n uint32
			if n, err = number(o, 0); err != nil {
				return o, err, nil
			}
			if havePriority {
				warnings = append(warnings, r.warning(o, "priority is set twice, the higher one (the lower number) counts"))
				n = min(n, uint32(r.Priority))
			}
			r.Priority, havePriority = int(n), true
		case "classtype":
			if !o.HasValue || !isName(o.Value) {
				return o, badValue("write classtype:name; with a name of classification.config", "%q is no class", clip(o.Value)), nil
			}
			if r.Classtype != "" {
				warnings = append(warnings, r.warning(o, "classtype is set twice, the first counts"))
				continue
			}
			r.Classtype = o.Value
		}
	}
	if !haveGID {
		r.GID = 1
	}
	if r.SID == 0 {
		return Option{}, badValue("add sid:N; with a number of its own", "the rule has no sid"), nil
	}
	return Option{}, nil, warnings
}

func (r *Rule) warning(o Option, reason string) *Problem {
	p := r.Problem(o, &ValueError{Reason: reason})
	p.Warning = true
	return p
}

// number reads sid, gid, rev and priority. Suricata refuses the highest value.
func number(o Option, least uint64) (uint32, *ValueError) {
	n, err := ParseUint(o.Value, math.MaxUint32-1)
	if err != nil || strings.HasPrefix(o.Value, "0x") {
		return 0, badValue("", "%s needs a number from %d to %d, not %q", o.Name, least, uint32(math.MaxUint32-1), clip(o.Value))
	}
	if n < least {
		return 0, badValue("", "%s needs a number from %d to %d, not %d", o.Name, least, uint32(math.MaxUint32-1), n)
	}
	return uint32(n), nil
}

func message(o Option) (string, *ValueError) {
	v := o.Value
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return "", badValue(`write msg:"text";`, "the text of msg must be in double quotes")
	}
	if v = v[1 : len(v)-1]; v == "" {
		return "", badValue("write a text or leave msg out", "msg is empty")
	}
	return Unescape(v), nil
}

// isName reports whether s is a letter followed by letters, digits, - and _.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '-' && c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// findSID looks for the sid of a rule that could not be read whole.
func findSID(text string) uint32 {
	for i := 0; ; {
		n := strings.Index(text[i:], "sid:")
		if n < 0 {
			return 0
		}
		i += n + len("sid:")
		if before := i - len("sid:") - 1; before >= 0 && text[before] != ';' && text[before] != '(' && !isBlank(text[before]) {
			continue // part of another word
		}
		v := text[i:]
		if end := strings.IndexAny(v, ";)"); end >= 0 {
			v = v[:end]
		}
		if n, err := ParseUint(trim(v), 1<<32-2); err == nil {
			return uint32(n)
		}
	}
}
