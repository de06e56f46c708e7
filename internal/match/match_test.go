package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
	"github.com/yamori-net/yamori/internal/verdict"
)

// TestKeywords loads the example of every keyword.
func TestKeywords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range match.Keywords() {
		for _, n := range append([]string{k.Name}, k.Aliases...) {
			if seen[n] && k.Family != "buffer" {
				t.Errorf("%s is listed twice", n)
			}
			seen[n] = true
		}
		if k.Doc == "" || k.Family == "" {
			t.Errorf("%s has no documentation", k.Name)
		}
		if k.Example == "" || k.Family == "meta" && (k.Name == "sid" || k.Name == "msg") || k.Name == "geoip" || k.Family == "data" {
			continue
		}
		var last string
		ok := false
		for _, proto := range []string{"tcp", "udp", "ip", "icmp", "http"} {
			text := "alert " + proto + " any any -> any any (" + k.Example + " sid:1;)"
			if k.Name == "sid" {
				text = strings.Replace(text, " sid:1;)", ")", 1)
			}
			rs, problems := rules.Parse("t", strings.NewReader(text), rules.ParseConfig{})
			_, more := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
			problems = append(problems, more...)
			if len(problems) == 0 {
				ok = true
				break
			}
			last = problems[0].Error()
		}
		if !ok {
			t.Errorf("%s: the example %q does not load: %s", k.Name, k.Example, last)
		}
	}
}

// TestMatch sends one flow of HTTP, one of plain text, DNS and a ping through
// each rule.
func TestMatch(t *testing.T) {
	tests := []struct {
		rule string
		n    int // alerts
	}{
		{`alert ip any any -> any any (sid:1;)`, 8}, // four flows, both directions but DNS and ping… once each
		{`alert tcp any any -> any 80 (flags:S; sid:1;)`, 1},
		{`alert tcp any any -> any 80 (flags:S,CE; flow:stateless; sid:1;)`, 1},
		{`alert tcp any any -> any !80 (flags:S; sid:1;)`, 1},
		{`alert tcp !$HOME_NET any -> any any (flags:SA; sid:1;)`, 2},
		{`alert icmp any any -> any any (itype:8; icode:0; sid:1;)`, 1},
		{`alert icmp any any -> any any (itype:0; sid:1;)`, 1},
		{`alert icmp any any -> any any (icmp_id:7; icmp_seq:1; sid:1;)`, 2},
		{`alert udp any any -> any 53 (content:"|07|example"; dsize:>20; sid:1;)`, 1},
		{`alert udp any any -> any 53 (dsize:<20; sid:1;)`, 0},
		{`alert dns any any -> any any (dns.query; content:"example.org"; nocase; bsize:11; sid:1;)`, 1},
		{`alert dns any any -> any any (dns.query; dotprefix; content:".example.org"; endswith; sid:1;)`, 1},
		{`alert dns any any -> any any (dns.query; content:"ample.com"; sid:1;)`, 0},
		{`alert http any any -> any any (http.uri; content:"/a/b"; startswith; sid:1;)`, 1},
		{`alert http any any -> any any (content:"/a/b"; http_uri; content:"GET"; http_method; sid:1;)`, 1},
		{`alert http any any -> any any (http.method; content:"POST"; sid:1;)`, 0},
		{`alert tcp any any -> any any (http.uri; content:"/a/b"; http.user_agent; content:"test"; bsize:4; sid:1;)`, 1},
		{`alert http any any -> any any (flow:to_client; http.uri; content:"/a/b"; sid:1;)`, 0},
		{`alert http any any -> any any (http.stat_code; content:"200"; file.data; content:"hello"; sid:1;)`, 1},
		{`alert http any any -> any any (file_data; content:"hello"; within:5; sid:1;)`, 1},
		{`alert http any any -> any any (content:"200 OK"; file.data; content:"hello"; sid:1;)`, 1},
		{`alert http any any -> any any (content:"404"; file.data; content:"hello"; sid:1;)`, 0},
		{`alert tcp any any -> any 80 (sid:1;)`, 1},
		{`alert tcp any any -> any 80 (flow:to_server; sid:1;)`, 6},
		{`alert http any any -> any any (file.data; content:"hello"; depth:5; offset:2; sid:1;)`, 0},
		{`alert http any any -> any any (http.uri; pcre:"/^\/a\/[bc]$/"; sid:1;)`, 1},
		{`alert http any any -> any any (pcre:"/^\/a\/B$/Ui"; sid:1;)`, 1},
		{`alert http any any -> any any (urilen:4; sid:1;)`, 1},
		{`alert http any any -> any any (urilen:>4; sid:1;)`, 0},
		{`alert http any any -> any any (http.referer; absent; sid:1;)`, 1},
		{`alert tcp any any -> any 80 (content:"GET /a/b"; sid:1;)`, 1},
		{`alert tcp any any -> any 9999 (content:"split over segments"; sid:1;)`, 1},
		{`alert tcp any any -> any 9999 (flow:no_stream; content:"split over segments"; sid:1;)`, 0},
		{`alert tcp-pkt any any -> any 9999 (content:"segments"; sid:1;)`, 1},
		{`alert tcp any any -> any 9999 (content:"split"; content:"segments"; distance:6; within:8; sid:1;)`, 1},
		{`alert tcp any any -> any 9999 (content:"split"; content:"segments"; distance:7; within:8; sid:1;)`, 0},
		{`alert tcp any any -> any 9999 (flow:established,to_client; content:"split"; sid:1;)`, 0},
		{`alert tcp any any <> any 9999 (content:"answer"; sid:1;)`, 1},
		{`alert tcp any any -> any 9999 (content:"|FF|spl"; sid:1;)`, 0},
		{`alert tcp any any -> any 9999 (byte_test:3,=,0x73706c,0; sid:1;)`, 1},
		{`alert tcp any any -> any 9999 (content:"split"; base64_decode; base64_data; content:"x"; sid:1;)`, 0},
		{`alert tcp any any -> any any (app-layer-protocol:http; sid:1;)`, 2},
		{`alert tcp any any -> any any (tcp.hdr; content:"|03 e8|"; offset:6; depth:2; flags:S; sid:1;)`, 2},
		{`alert ip any any -> any any (ip_proto:icmp; sid:1;)`, 2},
		{`alert ip any any -> any any (ttl:64; sameip; sid:1;)`, 0},
		{`alert tcp any any -> any 9999 (stream_size:client,>,18; flags:F+; sid:1;)`, 1},
	}
	for _, c := range tests {
		r := replay(t, compile(t, c.rule, match.Options{}))
		traffic(r)
		if got := r.end(); len(got) != c.n {
			t.Errorf("%s: %d alerts, want %d", c.rule, len(got), c.n)
		}
	}
}

func traffic(r *replayer) {
	c := r.open(40000, 80)
	c.get("/a/b", "hello world")
	c.close()
	c = r.open(40001, 9999)
	c.send(toServer, "split over ")
	c.send(toServer, "segments")
	c.send(toClient, "the answer")
	c.close()
	r.frame(udp(client, server, 40002, 53, query("example.org")))
	r.frame(udp(server, client, 53, 40002, strings.Replace(query("example.org"), "\x01\x00", "\x81\x80", 1)))
	r.frame(icmp(client, server, 8, 0))
	r.frame(icmp(server, client, 0, 0))
}

func TestFlowbits(t *testing.T) {
	set := compile(t, `
alert http any any -> any any (http.stat_code; content:"200"; flowbits:isset,asked; sid:3;)
alert http any any -> any any (http.uri; content:"/x"; flowbits:set,asked; flowbits:noalert; sid:1;)
alert http any any -> any any (http.stat_code; content:"200"; flowbits:isnotset,asked; sid:4;)
alert http any any -> any any (http.stat_code; content:"200"; flowint:n,+,1; sid:5;)
alert http any any -> any any (http.stat_code; content:"200"; flowint:n,>=,2; sid:6;)
`, match.Options{})
	r := replay(t, set)
	c := r.open(40000, 80)
	c.get("/y", "a")
	c.get("/x", "b")
	c.close()
	got := map[uint32]int{}
	for _, sid := range r.end() {
		got[sid]++
	}
	if got[1] != 0 || got[3] != 1 || got[4] != 1 || got[5] != 2 || got[6] != 1 {
		t.Errorf("alerts %v", got)
	}
}

// TestOrder: what passes hides what would alert, what drops is told first.
func TestOrder(t *testing.T) {
	r := replay(t, compile(t, `
alert tcp any any -> any 9999 (content:"bad"; priority:1; sid:1;)
drop tcp any any -> any 9999 (content:"bad"; sid:2;)
alert tcp any any -> any 8888 (content:"bad"; sid:3;)
pass tcp any any -> any 8888 (content:"good"; sid:4;)
`, match.Options{}))
	c := r.open(40000, 9999)
	c.send(toServer, "bad")
	c.close()
	c = r.open(40001, 8888)
	c.send(toServer, "good bad")
	c.close()
	same(t, r.end(), []uint32{2, 1})
	if fmt.Sprint(r.actions) != "[blocked allowed]" {
		t.Errorf("actions %v", r.actions)
	}
}

// TestVerdict: a drop rule condemns the packet, and the flow when it looked
// into it.
func TestVerdict(t *testing.T) {
	r := replay(t, compile(t, `
drop udp any any -> any 53 (dns.query; content:"bad.example"; sid:1;)
reject icmp any any -> any any (itype:8; sid:2;)
`, match.Options{}))
	r.frame(udp(client, server, 1000, 53, query("good.example")))
	if r.last.Action != verdict.NoOpinion {
		t.Errorf("good: %v", r.last)
	}
	r.frame(udp(client, server, 1001, 53, query("bad.example")))
	if r.last.Action != verdict.Drop || r.last.Scope != verdict.Flow {
		t.Errorf("bad: %v", r.last)
	}
	r.frame(udp(client, server, 1001, 53, query("good.example")))
	if r.last.Action != verdict.Drop {
		t.Errorf("after bad: %v", r.last)
	}
	r.frame(icmp(client, server, 8, 0))
	if r.last.Action != verdict.Reject || r.last.Scope != verdict.Packet {
		t.Errorf("ping: %v", r.last)
	}
	r.end()
}

func TestThresholds(t *testing.T) {
	for option, want := range map[string]int{
		`threshold:type limit, track by_src, count 3, seconds 60;`:           3,
		`threshold:type threshold, track by_src, count 3, seconds 60;`:       3,
		`threshold:type both, track by_dst, count 3, seconds 60;`:            1,
		`detection_filter:track by_src, count 3, seconds 60;`:                7,
		`threshold:type limit, track by_both, count 1, seconds 1;`:           1,
		`threshold:type backoff, track by_flow, count 1, multiplier 3;`:      3, // 1, 3, 9
		`xbits:set,x,track ip_src,expire 10; xbits:isnotset,x,track ip_src;`: 1,
	} {
		r := replay(t, compile(t, `alert icmp any any -> any any (itype:8; `+option+` sid:1;)`, match.Options{}))
		for range 10 {
			r.frame(icmp(client, server, 8, 0))
		}
		if got := len(r.end()); got != want {
			t.Errorf("%s: %d alerts, want %d", option, got, want)
		}
	}
}

// TestGlobalThresholds applies a threshold.config.
func TestGlobalThresholds(t *testing.T) {
	lines, problems := rules.ParseThresholds("t", strings.NewReader(`
suppress gen_id 1, sig_id 1, track by_src, ip 192.168.1.2
suppress gen_id 1, sig_id 2
event_filter gen_id 1, sig_id 3, type limit, track by_src, count 1, seconds 60
rate_filter gen_id 1, sig_id 4, track by_src, count 2, seconds 60, new_action drop, timeout 60
`), rules.DefaultVars())
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	var text string
	for i := 1; i <= 5; i++ {
		text += fmt.Sprintf("alert icmp any any -> any any (itype:8; sid:%d;)\n", i)
	}
	r := replay(t, compile(t, text, match.Options{Thresholds: lines}))
	for range 3 {
		r.frame(icmp(client, server, 8, 0))
	}
	same(t, r.end(), []uint32{3, 4, 5, 4, 5, 4, 5})
	if r.actions[5] != "blocked" {
		t.Errorf("actions %v", r.actions)
	}
}

// TestStreamOnce: a match is told once, also when what follows is inspected
// together with it, and again when it comes again.
func TestStreamOnce(t *testing.T) {
	r := replay(t, compile(t, `alert tcp any any -> any 9999 (content:"needle"; sid:1;)`, match.Options{}))
	c := r.open(40000, 9999)
	c.send(toServer, "needle"+strings.Repeat(".", 1200))
	for range 4 {
		c.send(toServer, strings.Repeat(".", 1200))
	}
	c.send(toServer, strings.Repeat(".", 1400)+"needle")
	c.close()
	same(t, r.end(), []uint32{1, 1})
}

// TestStreamLimits: across pieces a match is found, across a gap it is not,
// beyond the depth nothing is.
func TestStreamLimits(t *testing.T) {
	set := compile(t, `alert tcp any any -> any 9999 (content:"needle"; sid:1;)`, match.Options{})
	r := replay(t, set)
	c := r.open(40000, 9999)
	c.send(toServer, strings.Repeat(".", 2557)) // three bytes fit into the first piece
	c.send(toServer, "nee")
	c.send(toServer, "dle"+strings.Repeat(".", 2600))
	c.close()
	same(t, r.end(), []uint32{1})

	r = replay(t, set)
	c = r.open(40000, 9999)
	c.send(toServer, "nee")
	c.seq[0] += 10
	c.send(toServer, "dle")
	c.close()
	same(t, r.end(), nil)

	r = replay(t, set)
	c = r.open(40000, 9999)
	for range match.StreamDepth/1024 - 1 {
		c.send(toServer, strings.Repeat(".", 1024))
	}
	c.send(toServer, strings.Repeat(".", 1024)+"needle")
	c.close()
	same(t, r.end(), nil)
}

// TestMidstream: a stream without its start is inspected packet by packet, and
// none of its transactions is.
func TestMidstream(t *testing.T) {
	r := replay(t, compile(t, `
alert tcp any any -> any 80 (content:"GET /m"; sid:1;)
alert http any any -> any 80 (http.uri; content:"/m"; sid:2;)
alert tcp any any -> any 80 (flow:established; content:"GET /m"; sid:3;)
`, match.Options{}))
	c := &conn{r: r, cp: 40000, sp: 80, seq: [2]uint32{1, 1}}
	c.get("/m", "x")
	same(t, r.end(), []uint32{1})
}

// TestMaxAlerts bounds the alerts of one packet.
func TestMaxAlerts(t *testing.T) {
	var text string
	for i := range 3 * match.MaxAlerts {
		text += fmt.Sprintf("alert icmp any any -> any any (itype:8; sid:%d;)\n", i+1)
	}
	r := replay(t, compile(t, text, match.Options{}))
	r.frame(icmp(client, server, 8, 0))
	if n := len(r.end()); n != match.MaxAlerts {
		t.Errorf("%d alerts", n)
	}
}

// TestNoAllocs: packets that match nothing cost no memory.
func TestNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: under the race detector sync.Pool drops what the DNS parser puts back")
	}
	r := replay(t, compile(t, `
alert udp any any -> any any (content:"needle"; sid:1;)
alert udp any any -> any 53 (dns.query; content:"bad.example"; sid:2;)
alert tcp any any -> any 9999 (content:"needle"; sid:3;)
alert ip any any -> 10.1.2.3 any (sid:4;)
`, match.Options{}))
	dns := udp(client, server, 1000, 53, query("good.example"))
	c := r.open(40000, 9999)
	line := strings.Repeat("some text ", 20)
	send := func() { r.frame(dns) }
	for range 100 {
		send()
		c.send(toServer, line)
	}
	if n := testing.AllocsPerRun(200, send); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
	r.end()
}

func TestProblems(t *testing.T) {
	for text, want := range map[string]string{
		`alert nope any any -> any any (sid:1;)`:                                                        `unknown protocol "nope"`,
		`alert tcp any any -> any any (contnt:"x"; sid:1;)`:                                             `unknown option "contnt" (did you mean content?)`,
		`alert tcp any any -> any any (nocase; sid:1;)`:                                                 `nocase has no content before it`,
		`alert tcp any any -> any any (flow:to_server,to_client; sid:1;)`:                               `contradicts itself`,
		`alert tcp any any -> any any (content:"abc"; depth:2; sid:1;)`:                                 `less than the 3 bytes`,
		`alert tcp any any -> any any (lua:x.lua; sid:1;)`:                                              `not supported`,
		`alert tcp any any -> any any (pcre:"/(/"; sid:1;)`:                                             `pcre`,
		`alert http any any -> any any (http.uri; content:"a"; content:"b"; depth:1; within:1; sid:1;)`: `distance or within`,
		`alert tcp any any -> any any (threshold:type limit, track by_src, count 0, seconds 1; sid:1;)`: `more than 0`,
	} {
		rs, problems := rules.Parse("t", strings.NewReader(text), rules.ParseConfig{})
		set, more := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
		problems = append(problems, more...)
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) || set.Len() != 0 {
			t.Errorf("%s: %v, want %s", text, problems, want)
		}
	}
}

// FuzzCompile: whatever a rule says, it loads or is refused, and does no harm
// to traffic.
func FuzzCompile(f *testing.F) {
	for _, k := range match.Keywords() {
		f.Add(k.Example)
	}
	f.Fuzz(func(t *testing.T, options string) {
		var all []*rules.Rule
		for i, proto := range []string{"tcp", "udp", "http", "ip"} {
			rs, _ := rules.Parse("f", strings.NewReader(fmt.Sprintf("alert %s any any -> any any (%s sid:%d;)", proto, options, i+1)), rules.ParseConfig{})
			all = append(all, rs...)
		}
		set, problems := match.Compile(all, match.Options{Protocols: builtin.Protocols(), Data: "/nonexistent"})
		for _, p := range problems {
			if strings.Contains(p.Reason, "cannot be compiled") {
				t.Fatal(p)
			}
		}
		if set.Len() == 0 {
			return
		}
		r := replay(t, set)
		traffic(r)
		r.end()
	})
}

// TestMaxWindows: with more streams than ends are kept of, those beyond are
// inspected segment by segment, and all memory comes back.
func TestMaxWindows(t *testing.T) {
	r := replay(t, compile(t, `alert tcp any any -> any 9999 (content:"needle"; sid:1;)`, match.Options{}))
	var conns []*conn
	for i := range match.MaxWindows + 2 {
		c := r.open(uint16(1000+i), 9999)
		c.send(toServer, "something else")
		conns = append(conns, c)
	}
	late := conns[len(conns)-1]
	late.send(toServer, "a needle")
	if len(r.alerts) != 1 {
		t.Errorf("%d alerts on a stream without memory", len(r.alerts))
	}
	late.send(toServer, "nee")
	late.send(toServer, "dle")
	for _, c := range conns {
		c.close()
	}
	// The connections have ended meanwhile: there is memory again.
	r.now += 600e9
	first := r.open(999, 9999)
	first.send(toServer, "nee")
	first.send(toServer, "dle")
	first.close()
	same(t, r.end(), []uint32{1, 1})
}
