package match_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// shown is what alerts show of the rules' findings.
type shown struct {
	Alert struct {
		SID     uint32                     `json:"signature_id"`
		Context map[string]json.RawMessage `json:"context"`
	} `json:"alert"`
	Metadata struct {
		Flowvars []map[string]string `json:"flowvars"`
		Pktvars  []map[string]string `json:"pktvars"`
	} `json:"metadata"`
}

// told runs traffic and returns the alerts as they are written.
func told(t *testing.T, set *match.Set, traffic func(r *replayer)) []shown {
	t.Helper()
	var out bytes.Buffer
	w := &event.Writer{W: &out}
	r := replay(t, set)
	r.e.Close()
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: set, Seed: 1, Sink: func(int) event.Sink { return w }})
	if err != nil {
		t.Fatal(err)
	}
	r.e = e
	traffic(r)
	r.end()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var all []shown
	for line := range bytes.Lines(out.Bytes()) {
		var s shown
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if s.Alert.SID != 0 {
			all = append(all, s)
		}
	}
	return all
}

// TestDataJSON: data sets in JSON, in each of their shapes, and what alerts
// show of them.
func TestDataJSON(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, file, option, want string }{
		{"array", `[{"host":"other.example","n":1}, {"host":"example.org","n":2}]`, "format json, value_key host", `{"host":"example.org","n":2}`},
		{"array_key", `{"a":[0],"list":[{"host":"example.org"}],"b":{}}`, "format json, value_key host, array_key list", `{"host":"example.org"}`},
		{"nested", `{"x":{"list":[{"h":{"fqdn":"example.org"}}, {"h":{}}]}}`, "format json, value_key h.fqdn, array_key x.list", `{"h":{"fqdn":"example.org"}}`},
		{"ndjson", "{\"host\":\"a\"}\n\n{\"host\":\"example.org\",\"n\":[1, 2]}\n", "format ndjson, value_key host", `{"host":"example.org","n":[1,2]}`},
		{"remove_key", "{\"host\":\"example.org\",\"n\":3}\n", "format ndjson, value_key host, remove_key", `{"n":3}`},
		{"remove nested", "{\"h\":{\"host\":\"example.org\",\"m\":1},\"n\":3}\n", "format ndjson, value_key h.host, remove_key", `{"h":{"m":1},"n":3}`},
	} {
		file := strings.ReplaceAll(c.name, " ", "")
		if err := os.WriteFile(filepath.Join(dir, file), []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		set := compile(t, `alert http any any -> any any (http.host; dataset:isset,`+file+`,type string,load `+file+`,context_key the_host,`+c.option+`; sid:1;)
alert http any any -> any any (http.host; dataset:isset,`+file+`,type string,load `+file+`,context_key the_host,`+c.option+`; content:"nothing"; sid:2;)
alert http any any -> any any (http.uri; content:"one"; sid:3;)
`, match.Options{Data: dir})
		got := told(t, set, func(r *replayer) {
			f := r.open(4000, 80)
			f.get("/one", "x")
			f.close()
		})
		if len(got) != 2 || got[0].Alert.SID != 1 || string(got[0].Alert.Context["the_host"]) != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		} else if len(got[1].Alert.Context) != 0 {
			t.Errorf("%s: another rule's alert shows %v", c.name, got[1].Alert.Context)
		}
	}
}

func TestDataJSONFaults(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ file, option, want string }{
		{`[{"host":"x"}]`, "format json", "needs value_key and context_key"},
		{`[{"host":"x"}]`, "format json, value_key host", "needs value_key and context_key"},
		{`[{"host":"x"}]`, "format yaml, value_key host, context_key k", "not \"yaml\""},
		{`{"host":"x"}`, "format json, value_key host, context_key k", "no array"},
		{`{"a":[]}`, "format json, value_key host, context_key k, array_key b", `there is no "b"`},
		{`[{"host":1}]`, "format json, value_key host, context_key k", "entry 1"},
		{`[{"host":"x"}`, "format json, value_key host, context_key k", "EOF"},
		{"{\"host\":\"x\"}\n{", "format ndjson, value_key host, context_key k", "line 2"},
		{"{\"host\":\"x\"}", "format ndjson, value_key h" + strings.Repeat(".h", 16) + ", context_key k", "at most 16 names"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "set"), []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		rs, _ := rules.Parse(filepath.Join(dir, "t.rules"), strings.NewReader("alert http any any -> any any (http.host; dataset:isset,d,type string,load set,"+c.option+"; sid:1;)"), rules.ParseConfig{})
		_, problems := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
		if len(problems) != 1 || !strings.Contains(problems[0].Reason, c.want) {
			t.Errorf("%s of %s: %v, want %s", c.option, c.file, problems, c.want)
		}
	}
}

// TestCapturesTold: groups of pcre become context of the alert and variables of
// packet and flow; those of the flow stay.
func TestCapturesTold(t *testing.T) {
	got := told(t, compile(t, `alert http any any -> any any (http.user_agent; pcre:"/^(?P<alert_agent>\w+)/"; sid:1;)
alert http any any -> any any (http.uri; pcre:"/(\w+)\.(\w+)$/, pkt:base, flow:ext"; sid:2;)
alert tcp any any -> any 9999 (content:"x"; pcre:"/x(.)/, alert:after"; sid:3;)
alert http any any -> any any (http.uri; content:"two"; sid:4;)
`, match.Options{}), func(r *replayer) {
		f := r.open(4000, 80)
		f.get("/a.png", "x")
		f.get("/two", "x")
		f.close()
		g := r.open(4001, 9999)
		g.send(toServer, "12x\"45")
		g.close()
	})
	find := func(sid uint32) *shown {
		for i := range got {
			if got[i].Alert.SID == sid {
				return &got[i]
			}
		}
		t.Fatalf("no alert of rule %d in %+v", sid, got)
		return nil
	}
	if c := find(1).Alert.Context; len(c) != 1 || string(c["agent"]) != `"test"` {
		t.Errorf("context %s", c)
	}
	if m := find(2).Metadata; len(m.Pktvars) != 1 || m.Pktvars[0]["base"] != "a" || len(m.Flowvars) != 1 || m.Flowvars[0]["ext"] != "png" {
		t.Errorf("variables %v", m)
	}
	if c := find(3).Alert.Context; string(c["after"]) != `"\""` {
		t.Errorf("context %s", c)
	}
	if m := find(4).Metadata; len(m.Pktvars) != 0 || len(m.Flowvars) != 1 || m.Flowvars[0]["ext"] != "png" {
		t.Errorf("variables of the flow %v", m)
	}
}
