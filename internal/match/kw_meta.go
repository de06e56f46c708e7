package match

import (
	"errors"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/rules"
)

var metaKeywords = []Keyword{
	{Name: "msg", Family: "meta", Doc: "text of the alert", Example: `msg:"text";`, Setup: nothing},
	{Name: "sid", Family: "meta", Doc: "number of the rule", Example: `sid:1;`, Setup: nothing},
	{Name: "gid", Family: "meta", Doc: "group of the number", Example: `gid:1;`, Setup: nothing},
	{Name: "rev", Family: "meta", Doc: "revision", Example: `rev:1;`, Setup: nothing},
	{Name: "classtype", Family: "meta", Doc: "class, gives category and severity", Example: `classtype:misc-activity;`, Setup: nothing},
	{Name: "priority", Family: "meta", Doc: "severity, 1 is the highest", Example: `priority:1;`, Setup: nothing},
	{Name: "reference", Family: "meta", Doc: "system,id of a description", Example: `reference:cve,2021-44228;`, Setup: func(c *compiler, o rules.Option) error {
		if err := require(o); err != nil {
			return err
		}
		p := split(unquote(o.Value))
		if len(p) < 2 {
			return fail("reference needs a system and an id")
		}
		c.m.References = append(c.m.References, c.b.keep(unquote(o.Value)))
		return nil
	}},
	{Name: "metadata", Family: "meta", Doc: "key value pairs for the alert", Example: `metadata:created_at 2024_01_01;`, Setup: func(c *compiler, o rules.Option) error {
		for _, p := range split(o.Value) {
			k, v, _ := strings.Cut(p, " ")
			if k == "" {
				continue
			}
			c.m.Metadata = append(c.m.Metadata, event.Pair{Key: c.b.keep(k), Value: c.b.keep(strings.TrimSpace(v))})
		}
		return nil
	}},
	{Name: "target", Family: "meta", Doc: "which side is attacked: src_ip or dest_ip", Example: `target:src_ip;`, Setup: func(c *compiler, o rules.Option) error {
		switch v := unquote(o.Value); v {
		case "src_ip", "dest_ip":
			c.m.Target = c.b.keep(v)
			return nil
		default:
			return fail("target knows src_ip and dest_ip, not %q", v)
		}
	}},
	{Name: "tag", Family: "meta", Doc: "accepted: packets after the match are not recorded", Example: `content:"x"; tag:session,5,packets;`, Setup: nothing, Inert: "no packets are recorded"},
	{Name: "logto", Family: "meta", Doc: "accepted", Example: `content:"x"; logto:"x";`, Setup: nothing, Inert: "all alerts go one way"},
	{Name: "requires", Family: "meta", Doc: "what the rule needs of the engine", Example: `requires: version >= 7;`, Setup: setupRequires},
	{Name: "prefilter", Family: "payload", Doc: "accepted: filters are chosen by the engine", Example: `content:"x"; prefilter;`, Setup: nothing, Inert: "filters are chosen by the engine"},
}

// errSkip says that a rule asks for another engine: it is left out, which is
// no fault of the rule.
var errSkip = errors.New("the rule requires what is not there: left out as it wishes")

func setupRequires(c *compiler, o rules.Option) error {
	for _, p := range split(unquote(o.Value)) {
		f := strings.Fields(p)
		switch {
		case len(f) == 0:
		case f[0] == "feature":
			return errSkip
		case f[0] == "keyword" && len(f) == 2:
			if c.b.keywords[f[1]] == nil {
				return errSkip
			}
		case f[0] == "version":
			if !versionFits(f[1:]) {
				return errSkip
			}
		default:
			return fail("requires does not know %q", p)
		}
	}
	return nil
}

// languageVersion is the version of Suricata whose language this is.
var languageVersion = [3]int{7, 0, 10}

// versionFits reads ">= 7.0.3 < 8" with | between alternatives.
func versionFits(f []string) bool {
	for len(f) > 0 {
		ok, n := true, 0
		for n < len(f) && f[n] != "|" {
			if n+1 >= len(f) {
				return false
			}
			v, good := parseVersion(f[n+1])
			if !good {
				return false
			}
			cmp := 0
			for i := range v {
				if cmp == 0 {
					cmp = languageVersion[i] - v[i]
				}
			}
			switch f[n] {
			case ">=":
				ok = ok && cmp >= 0
			case ">":
				ok = ok && cmp > 0
			case "<=":
				ok = ok && cmp <= 0
			case "<":
				ok = ok && cmp < 0
			default:
				return false
			}
			n += 2
		}
		if ok {
			return true
		}
		f = f[min(n+1, len(f)):]
	}
	return false
}

func parseVersion(s string) (v [3]int, ok bool) {
	for i, p := range strings.SplitN(s, ".", 3) {
		n, err := rules.ParseUint(p, 1<<16)
		if err != nil {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}
