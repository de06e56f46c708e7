package rules

import (
	"strings"
	"testing"
)

// FuzzParse: no text makes the reader panic, what it reads can be written and
// read again to the same tree, and problems are within the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`alert tcp [$HOME_NET,!10.0.0.1,::1-::5] [1024:,!2000:3000] <> !$EXTERNAL_NET ![80,[443]] (msg:"a\;b"; content:!"|00 01|a"; nocase; sid:1; rev:2; gid:3; priority:4; classtype:a-b;)`,
		"# drop http1:request_line any any => any $HTTP_PORTS \\\n# (sid:2;)\nalert ip any any -> any any \\\n (sid:3;)",
		"suppress gen_id 1, sig_id 2, track by_src, ip [1.2.3.4,!$HOME_NET]",
		"rate_filter gen_id 1, sig_id 4, track by_rule, count 10, seconds 60, new_action drop, timeout 0",
		"config classification: a,b,1\nconfig reference: cve http://x/",
		"alert tcp [[[!!]]] :: -> ,, [ (;;)", "\\\n\\\n", "#\\\n#alert ip any any -> any any (sid:1;)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, problems := parse(text, ParseConfig{Disabled: true})
		lines := strings.Count(text, "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Col < 1 || p.Col > len(text)+1 || p.Reason == "" {
				t.Fatalf("%v in %d lines", p, lines)
			}
		}
		again(t, rules)
		for _, r := range rules {
			for _, o := range r.Options {
				if c, err := ParseContent(o.Value); err == nil {
					back, err := ParsePattern(string(AppendPattern(nil, c.Bytes)))
					if err != nil || string(back) != string(c.Bytes) {
						t.Fatalf("%q: %q, %v", c.Bytes, back, err)
					}
				}
				if u, err := ParseUintRange(o.Value, 1<<32-1); err == nil {
					if back, err := ParseUintRange(u.String(), 1<<32-1); err != nil || back != u {
						t.Fatalf("%q: %v, %v", o.Value, back, err)
					}
				}
				_, _ = ParseSize(o.Value, 1<<40)
				_, _ = ParseInt(o.Value, -1<<31, 1<<31)
				SplitList(nil, o.Value, ',')
				Unescape(o.Value)
			}
		}
		ParseClassification("c", strings.NewReader(text))
		ParseReferences("r", strings.NewReader(text))
		ParseThresholds("t", strings.NewReader(text), Vars{})
	})
}

// FuzzList: a list that is read holds sorted ranges and answers as they do.
func FuzzList(f *testing.F) {
	f.Add("[1.2.3.0/24,!1.2.3.4,::1]", "[1:,!5:9,![$HTTP_PORTS]]")
	f.Add("!$EXTERNAL_NET", "!$SHELLCODE_PORTS")
	f.Fuzz(func(t *testing.T, addresses, ports string) {
		p := newParser(ParseConfig{})
		if a, off, err := p.addresses(addresses); err == nil {
			v4 := a.Set().V4()
			for i, r := range v4 {
				if r.Lo > r.Hi || i > 0 && uint64(r.Lo) <= uint64(v4[i-1].Hi)+1 || !a.Set().Contains4(r.Lo) || !a.Set().Contains4(r.Hi) {
					t.Fatalf("%q: %v", addresses, v4)
				}
				if i > 0 && a.Set().Contains4(r.Lo-1) {
					t.Fatalf("%q holds %d", addresses, r.Lo-1)
				}
			}
			for _, r := range a.Set().V6() {
				lo, hi := r.Lo, r.Hi
				if [12]byte(lo[:12]) != mappedPrefix && !a.Contains(&lo) || [12]byte(hi[:12]) != mappedPrefix && !a.Contains(&hi) {
					t.Fatalf("%q: %v", addresses, r)
				}
			}
		} else if off < 0 || off > len(addresses) {
			t.Fatalf("%q: %v at %d", addresses, err, off)
		}
		if a, off, err := p.portList(ports); err == nil {
			n := 0
			for _, r := range a.Set().Ranges() {
				n += int(r.Hi) - int(r.Lo) + 1
			}
			for i := range 1 << 16 {
				if a.Contains(uint16(i)) {
					n--
				}
			}
			if n != 0 {
				t.Fatalf("%q: %v", ports, a.Set().Ranges())
			}
		} else if off < 0 || off > len(ports) {
			t.Fatalf("%q: %v at %d", ports, err, off)
		}
	})
}
