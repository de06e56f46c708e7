package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Version is one of Suricata's.
type Version [3]int

// stock is the Suricata whose answers are asked for.
var stock = Version{7, 0, 10}

// lastOf is the number of the last release of a series, whatever it will be.
const lastOf = 99

// version is the Suricata that a test is judged by: stock, or for a test that
// needs a newer one the last release of the series that the test begins with.
func (t *Test) version() Version {
	if t.Needs.Min == "" || stock.compare(t.Needs.Min) <= 0 {
		return stock
	}
	v := Version{2: lastOf}
	for i, p := range strings.Split(t.Needs.Min, ".") {
		if i < 2 {
			v[i], _ = strconv.Atoi(p)
		}
	}
	return v
}

// Outcome is what became of a check.
type Outcome uint8

// Outcomes.
const (
	Pass Outcome = iota
	Fail
	NotApplicable // of another version
	NotRun        // of a kind that is not evaluated
)

// applies reports whether the conditions hold for a version. Features count as
// present: their absence would be a reason to fail.
func (r Requires) applies(v Version) bool {
	if r.Min != "" && v.compare(r.Min) > 0 {
		return false
	}
	if r.Lt != "" && v.compare(r.Lt) <= 0 {
		return false
	}
	return r.Gt == "" || v.compare(r.Gt) < 0
}

// compare says where o lies relative to v; parts that o does not name
// count as equal for the greater and zero for the lesser, as in "8" or "7.0.7".
func (v Version) compare(o string) int {
	parts := strings.Split(o, ".")
	for i, have := range v {
		want := 0
		if i < len(parts) {
			want, _ = strconv.Atoi(parts[i])
		} else if i > 0 && want == 0 {
			return 0
		}
		if want != have {
			if want > have {
				return 1
			}
			return -1
		}
	}
	return 0
}

// eval judges one check on the events of a run.
func (c *Check) eval(events []map[string]any, v Version) (Outcome, string) {
	if !c.Requires.applies(v) {
		return NotApplicable, ""
	}
	switch c.Kind {
	case "filter":
		if c.Filename != "eve.json" {
			return NotRun, ""
		}
		n := 0
		for _, ev := range events {
			if matches(ev, c.Match) {
				n++
			}
		}
		if n == c.Count {
			return Pass, ""
		}
		return Fail, fmt.Sprintf("%d instead of %d of %s", n, c.Count, describe(c.Match))
	case "shell":
		return c.shell(events)
	case "stats":
		var last map[string]any
		for _, ev := range events {
			if ev["event_type"] == "stats" {
				last = ev
			}
		}
		for _, m := range c.Match {
			if got := text(find(last, "stats."+m.Path)); got != text(m.Want) {
				return Fail, fmt.Sprintf("stats.%s is %q instead of %s", m.Path, got, text(m.Want))
			}
		}
		return Pass, ""
	}
	return NotRun, ""
}

// shell evaluates the one command line that is common: the number of alerts
// counted in the fast log.
func (c *Check) shell(events []map[string]any) (Outcome, string) {
	if c.Shell != "cat fast.log | wc -l | xargs" {
		return NotRun, ""
	}
	n := 0
	for _, ev := range events {
		if ev["event_type"] == "alert" {
			n++
		}
	}
	if strconv.Itoa(n) == c.Expect {
		return Pass, ""
	}
	return Fail, fmt.Sprintf("%d instead of %s alerts in all", n, c.Expect)
}

// plainAlert reports whether the check counts alerts of a sid and asks for
// nothing else.
func (c *Check) plainAlert() bool {
	if c.Kind != "filter" || c.Filename != "eve.json" {
		return false
	}
	alert := false
	for _, m := range c.Match {
		switch m.Path {
		case "event_type":
			alert = m.Want == "alert"
		case "alert.signature_id":
		default:
			return false
		}
	}
	return alert
}

func describe(ms []Cond) string {
	var b strings.Builder
	for i, m := range ms {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == 6 {
			b.WriteString("…")
			break
		}
		fmt.Fprintf(&b, "%s=%s", strings.TrimPrefix(m.Path, "alert."), text(m.Want))
	}
	return b.String()
}

func matches(ev map[string]any, ms []Cond) bool {
	for _, m := range ms {
		switch m.Path {
		case "has-key":
			if find(ev, text(m.Want)) == nil {
				return false
			}
			continue
		case "not-has-key":
			if find(ev, text(m.Want)) != nil {
				return false
			}
			continue
		}
		path, op := m.Path, ""
		if i := strings.LastIndex(path, ".__"); i >= 0 {
			path, op = path[:i], path[i+1:]
		}
		if !holds(find(ev, path), op, m.Want) {
			return false
		}
	}
	return true
}

func holds(v any, op string, want any) bool {
	switch op {
	case "":
		return equal(v, want)
	case "__len":
		n := -1
		switch v := v.(type) {
		case string:
			n = len(v)
		case []any:
			n = len(v)
		case map[string]any:
			n = len(v)
		}
		return strconv.Itoa(n) == text(want)
	case "__contains":
		if list, ok := v.([]any); ok {
			for _, x := range list {
				if equal(x, want) {
					return true
				}
			}
			return false
		}
		return v != nil && strings.Contains(text(v), text(want))
	case "__find":
		return v != nil && strings.Contains(text(v), text(want))
	case "__startswith":
		return v != nil && strings.HasPrefix(text(v), text(want))
	case "__endswith":
		return v != nil && strings.HasSuffix(text(v), text(want))
	}
	return false
}

func equal(v, want any) bool {
	a, b := text(v), text(want)
	if a == b {
		return v != nil || want == nil
	}
	// 2001:db8:0:0:0:0:0:1 and 2001:db8::1 are one address.
	if p, err := netip.ParseAddr(a); err == nil {
		q, err := netip.ParseAddr(b)
		return err == nil && p == q
	}
	// 4.150007324019584 in YAML and in JSON need not print alike.
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && x == y
}

// find follows a path like smtp.rcpt_to[0] or dns.answers[1].rdata.
func find(ev map[string]any, path string) any {
	var cur any = ev
	for part := range strings.SplitSeq(path, ".") {
		index := -1
		if i := strings.IndexByte(part, '['); i >= 0 && strings.HasSuffix(part, "]") {
			n, err := strconv.Atoi(part[i+1 : len(part)-1])
			if err != nil {
				return nil
			}
			part, index = part[:i], n
		}
		m, ok := cur.(map[string]any)
		if !ok {
			return nil
		}
		if cur, ok = m[part]; !ok {
			return nil
		}
		if index >= 0 {
			list, ok := cur.([]any)
			if !ok || index >= len(list) {
				return nil
			}
			cur = list[index]
		}
	}
	return cur
}

// text prints a value of YAML or JSON so that equal ones print alike.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
