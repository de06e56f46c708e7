package match_test

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// The record of a dropped packet names the rule, also one that does not alert;
// packets that go with their flow name none.
func TestDropNamesItsRule(t *testing.T) {
	inline := func(cfg *engine.Config) { cfg.Inline = true }
	got := records(t, `drop tcp any any -> any any (content:"bad"; noalert; sid:7; rev:2; msg:"no"; target:dest_ip;)`, "drop", inline, func(r *replayer) {
		c := r.open(40000, 7777)
		c.send(packet.ToServer, "bad")
		c.send(packet.ToClient, "what?")
	})
	if len(got) < 2 {
		t.Fatalf("%d packets dropped", len(got))
	}
	expect(t, got[0], map[string]string{"drop.reason": `"rules"`, "alert.signature_id": "7", "alert.rev": "2", "alert.action": `"blocked"`,
		"alert.target.port": "7777", "direction": `"to_server"`})
	last := got[len(got)-1]
	expect(t, last, map[string]string{"drop.reason": `"flow drop"`, "alert": "null"})
}

// Transactions of streams that are let pass because their start was not seen
// are no events.
func TestPassedMidstreamHasNoEvents(t *testing.T) {
	for _, pass := range []bool{false, true} {
		mod := func(cfg *engine.Config) {
			cfg.RulesPassMidstream = pass
			cfg.Events = []event.Type{"http"}
		}
		talk := func(r *replayer) {
			c := &conn{r: r, cp: 40000, sp: 80, seq: [2]uint32{100, 900}}
			c.get("/a", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		const set = `alert http any any -> any any (http.uri; content:"/a"; sid:1;)`
		https, flows := records(t, set, "http", mod, talk), records(t, set, "flow", mod, talk)
		if want := map[bool]int{false: 1, true: 0}[pass]; len(https) != want {
			t.Errorf("pass %v: %d events", pass, len(https))
		}
		expect(t, flows[0], map[string]string{"flow.action": map[bool]string{false: "null", true: `"pass"`}[pass]})
	}
}

// A hole counts once somebody has acknowledged what lies behind it.
func TestGapsThatCount(t *testing.T) {
	const set = `alert tcp any any -> any any (content:"x"; sid:1;)`
	for _, heard := range []bool{false, true} {
		got := records(t, set, "stats", nil, func(r *replayer) {
			c := r.open(40000, 7777)
			c.seq[0] += 5
			c.segment(packet.ToServer, packet.ACK|packet.PSH, c.seq[0], c.seq[1], "behind")
			if heard {
				c.segment(packet.ToClient, packet.ACK, c.seq[1], c.seq[0]+6, "")
			}
		})
		expect(t, got[0], map[string]string{"stats.tcp.reassembly_gap": map[bool]string{false: "0", true: "1"}[heard]})
	}
}

// A connection that both sides have ended is closed, though the last
// acknowledgement is missing.
func TestStateOfFlow(t *testing.T) {
	got := records(t, `alert tcp any any -> any any (sid:1;)`, "flow", nil, func(r *replayer) {
		c := r.open(40000, 7777)
		c.segment(packet.ToServer, packet.ACK|packet.FIN, c.seq[0], c.seq[1], "")
		c.segment(packet.ToClient, packet.ACK|packet.FIN, c.seq[1], c.seq[0]+1, "")
	})
	expect(t, got[0], map[string]string{"flow.state": `"closed"`, "tcp.state": `"last_ack"`})
}

// Data in a SYN (RFC 7413) shows the protocol; rules on it match from the first
// packet after the handshake on.
func TestProtocolOfFastOpen(t *testing.T) {
	got := records(t, `alert http any any -> any any (flow:to_server; sid:1;)`, "alert", func(cfg *engine.Config) { cfg.NumberPackets = true }, func(r *replayer) {
		const ask = "GET / HTTP/1.0\r\n\r\n"
		c := &conn{r: r, cp: 40000, sp: 80, seq: [2]uint32{1001 + uint32(len(ask)), 5001}}
		c.segment(packet.ToServer, packet.SYN, 1000, 0, ask)
		c.segment(packet.ToClient, packet.SYN|packet.ACK, 5000, c.seq[0], "")
		c.segment(packet.ToServer, packet.ACK, c.seq[0], c.seq[1], "")
		c.send(packet.ToClient, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	var at []string
	for _, a := range got {
		at = append(at, text(a, "pcap_cnt"))
	}
	if strings.Join(at, " ") != "5" {
		t.Errorf("alerts on packets %v", at)
	}
}

// What a threshold keeps from being told is dropped all the same, as in Suricata;
// what it does not count as a match is not.
func TestThresholdsDropSilently(t *testing.T) {
	inline := func(cfg *engine.Config) { cfg.Inline = true }
	for _, c := range []struct {
		option        string
		alerts, drops int
	}{
		{"threshold:type limit, track by_src, count 1, seconds 60;", 1, 5},
		{"threshold:type both, track by_src, count 2, seconds 60;", 1, 4},
		{"threshold:type threshold, track by_src, count 2, seconds 60;", 2, 2},
		{"detection_filter:track by_src, count 2, seconds 60;", 3, 3},
	} {
		rule := `drop udp any any -> any any (content:"x"; ` + c.option + ` sid:1;)`
		send := func(r *replayer) {
			for i := range 5 {
				r.frame(udp(client, server, uint16(5000+i), 5001, "x")) // another flow each time
			}
		}
		alerts, drops := records(t, rule, "alert", inline, send), records(t, rule, "drop", inline, send)
		if len(alerts) != c.alerts || len(drops) != c.drops {
			t.Errorf("%s %d alerts and %d packets dropped, not %d and %d", c.option, len(alerts), len(drops), c.alerts, c.drops)
		}
		for _, d := range drops {
			expect(t, d, map[string]string{"drop.reason": `"rules"`})
		}
	}
}

// So it is with threshold.config, and a rate that changes the action says so.
func TestConfiguredThresholdsDrop(t *testing.T) {
	for lines, want := range map[string]struct {
		rule, reason  string
		alerts, drops int
	}{
		"suppress gen_id 1, sig_id 1, track by_src, ip 192.168.1.2\n":                                      {"drop", `"rules"`, 0, 3},
		"suppress gen_id 1, sig_id 1\n":                                                                    {"drop", `"rules"`, 0, 3},
		"rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 60, new_action drop, timeout 60\n": {"alert", `"threshold detection_filter"`, 3, 2},
	} {
		thr, problems := rules.ParseThresholds("t", strings.NewReader(lines), rules.DefaultVars())
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		rule := want.rule + ` udp any any -> any any (content:"x"; sid:1;)`
		run := func(typ string) []map[string]any {
			return records(t, rule, typ, func(cfg *engine.Config) {
				cfg.Inline, cfg.Rules = true, compile(t, rule, match.Options{Thresholds: thr})
			}, func(r *replayer) {
				for i := range 3 {
					r.frame(udp(client, server, uint16(5000+i), 5001, "x"))
				}
			})
		}
		alerts, drops := run("alert"), run("drop")
		if len(alerts) != want.alerts || len(drops) != want.drops {
			t.Fatalf("%s%d alerts and %d drops, not %d and %d", lines, len(alerts), len(drops), want.alerts, want.drops)
		}
		expect(t, drops[len(drops)-1], map[string]string{"drop.reason": want.reason})
	}
}

// Numbers that follow the byte order of a remote call are read in that of its
// header.
func TestByteOrderOfCalls(t *testing.T) {
	const rule = `alert tcp any any -> any any (dcerpc.stub_data; content:"name"; byte_test:2,=,0x1234,0,relative,dce; sid:1;)`
	call := func(order byte, stub string) string { // C706 section 12.6.4.9; the header's numbers in the same order
		size := byte(24 + len(stub))
		if order == 0 {
			return "\x05\x00\x00\x03\x00\x00\x00\x00\x00" + string(size) + "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10\x00\x00\x00\x05" + stub
		}
		return "\x05\x00\x00\x03\x10\x00\x00\x00" + string(size) + "\x00\x00\x00\x01\x00\x00\x00\x10\x00\x00\x00\x00\x00\x05\x00" + stub
	}
	for _, c := range []struct {
		order byte
		stub  string
		n     int
	}{
		{0x10, "name\x34\x12....", 1}, {0x10, "name\x12\x34....", 0}, {0, "name\x12\x34....", 1}, {0, "name\x34\x12....", 0},
	} {
		got := records(t, rule, "alert", nil, func(r *replayer) { r.open(40000, 135).send(packet.ToServer, call(c.order, c.stub)) })
		if len(got) != c.n {
			t.Errorf("order %#x, %q: %d alerts", c.order, c.stub, len(got))
		}
	}
}

// A rule on files is told of for each file of a transaction.
func TestEachFileOfTransaction(t *testing.T) {
	const set = `
alert http any any -> any any (http.uri; content:"/up"; file.name; content:"pic"; sid:1;)
alert http any any -> any any (file.data; content:"evil"; sid:2;)
alert http any any -> any any (http.method; content:"POST"; sid:3;)
`
	part := func(name, text string) string {
		return "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" + name + "\"\r\n\r\n" + text + "\r\n"
	}
	body := part("pic1", "evil one") + part("text", "good") + part("pic2", "evil two") + part("pic3", "evil three") + "--B--\r\n"
	ask := "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n"
	for _, cut := range []int{0, 60, 200} { // files in one segment, and over two
		got := map[string][]string{}
		for _, a := range records(t, set, "alert", nil, func(r *replayer) {
			c := r.open(40000, 80)
			c.send(packet.ToServer, ask+body[:cut])
			c.send(packet.ToServer, body[cut:])
			c.send(packet.ToClient, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}) {
			name := ""
			if files, ok := a["files"].([]any); ok {
				name, _ = files[0].(map[string]any)["filename"].(string)
			}
			sid := text(a, "alert.signature_id")
			got[sid] = append(got[sid], name)
		}
		for sid, want := range map[string]string{"1": "pic1 pic2 pic3", "2": "pic1 pic2 pic3", "3": ""} {
			if have := strings.Join(got[sid], " "); have != want || len(got[sid]) == 0 {
				t.Errorf("cut at %d: rule %s told of %q, not %q", cut, sid, have, want)
			}
		}
	}
}

// A rule that asks for a violation and for contents wants both.
func TestEventsWithContents(t *testing.T) {
	const event = "app-layer-event:http.invalid_transfer_encoding_value_in_request; "
	for _, c := range []struct {
		options string
		n       int
	}{
		{event, 1},
		{event + `http.uri; content:"/bad";`, 1},
		{event + `http.uri; content:"/good";`, 0},
		{event + `content:"Transfer-Encoding";`, 1},
		{event + `content:"nowhere";`, 0},
		{event + `content:"Transfer-Encoding"; http.method; content:"POST"; http.uri; content:"/bad"; startswith;`, 1},
		{event + `content:"nowhere"; http.uri; content:"/bad";`, 0},
		{event + `http.stat_code; content:"200";`, 0}, // of the other side
	} {
		rule := `alert http any any -> any any (flow:established,to_server; ` + c.options + ` sid:1;)`
		got := records(t, rule, "alert", nil, func(r *replayer) {
			c := r.open(40000, 80)
			c.send(packet.ToServer, "POST /bad HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: odd\r\nContent-Length: 1\r\n\r\nx")
			c.send(packet.ToClient, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			c.send(packet.ToServer, "GET /good HTTP/1.1\r\nHost: h\r\n\r\n")
			c.send(packet.ToClient, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		if len(got) != c.n {
			t.Errorf("%s: %d alerts, not %d", c.options, len(got), c.n)
		}
	}
}

// A violation by the answer is none by the request.
func TestWhoseViolation(t *testing.T) {
	const set = `
alert http any any -> any any (app-layer-event:http.invalid_transfer_encoding_value_in_request; sid:1;)
alert http any any -> any any (app-layer-event:http.invalid_transfer_encoding_value_in_response; sid:2;)
`
	const odd = "Transfer-Encoding: odd\r\nContent-Length: 1\r\n\r\nx"
	for _, c := range []struct{ request, response, want string }{
		{"POST / HTTP/1.1\r\nHost: h\r\n" + odd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "1"},
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n" + odd, "2"},
	} {
		var got []string
		for _, a := range records(t, set, "alert", nil, func(r *replayer) {
			conn := r.open(40000, 80)
			conn.send(packet.ToServer, c.request)
			conn.send(packet.ToClient, c.response)
		}) {
			got = append(got, text(a, "alert.signature_id"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("rules %v, not %s", got, c.want)
		}
	}
}

// http.response_body sees all of a long answer, of HTTP alone and of the answer
// alone.
func TestLongAnswerBody(t *testing.T) {
	for _, c := range []struct {
		rule string
		n    int
	}{
		{`alert http any any -> any any (http.response_body; content:"needle"; sid:1;)`, 1},
		{`alert tcp any any -> any any (content:"needle"; http_server_body; sid:1;)`, 1},
		{`alert http any any -> any any (flow:to_client; http.stat_code; content:"200"; http.response_body; content:"hay"; startswith; content:"yyy"; distance:0; sid:1;)`, 1},
		{`alert http any any -> any any (http.response_body; content:"needle"; startswith; sid:1;)`, 0},
		{`alert http any any -> any any (http.response_body; content:"asked"; sid:1;)`, 0},
		{`alert smtp any any -> any any (http.response_body; content:"needle"; sid:1;)`, 0},
		{`alert http any any -> any any (flow:to_server; http.response_body; content:"needle"; sid:1;)`, 0},
	} {
		got := records(t, c.rule, "alert", nil, func(r *replayer) {
			conn := r.open(40000, 80)
			conn.send(packet.ToServer, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nasked")
			body := "hay" + strings.Repeat("y", 60000) + "needle"
			answer := "HTTP/1.1 200 OK\r\nContent-Length: " + itoa(len(body)) + "\r\n\r\n" + body
			for ; len(answer) > 1400; answer = answer[1400:] {
				conn.send(packet.ToClient, answer[:1400])
			}
			conn.send(packet.ToClient, answer)
		})
		if len(got) != c.n {
			t.Errorf("%s: %d alerts, not %d", c.rule, len(got), c.n)
		}
	}
}

// An empty range of urilen is taken and never matches; of others it is refused.
func TestEmptyRanges(t *testing.T) {
	get := func(r *replayer) { r.open(40000, 80).get("/12345678", "x") }
	for _, option := range []string{"urilen:9<>10", "urilen:9<>9", "urilen:9<>10,raw"} {
		if n := len(records(t, "alert http any any -> any any ("+option+"; sid:1;)", "alert", nil, get)); n != 0 {
			t.Errorf("%s: %d alerts", option, n)
		}
	}
	if n := len(records(t, "alert http any any -> any any (urilen:8<>10; sid:1;)", "alert", nil, get)); n != 1 {
		t.Errorf("%d alerts of a range of one", n)
	}
	for _, option := range []string{"dsize:9<>10", "http.uri; bsize:9<>10", "urilen:9<>x", "urilen:<>9"} {
		rs, _ := rules.Parse("t.rules", strings.NewReader("alert http any any -> any any ("+option+"; sid:1;)\n"), rules.ParseConfig{Vars: rules.DefaultVars()})
		if _, problems := match.Compile(rs, match.Options{Protocols: builtin.Protocols()}); len(problems) == 0 {
			t.Errorf("%s loads", option)
		}
	}
}

// Events of the decoder and of the connection with contents want both, too.
func TestOdditiesWithContents(t *testing.T) {
	for _, c := range []struct {
		options string
		n       int
	}{
		{"decode-event:icmpv4.unknown_type;", 1},
		{`decode-event:icmpv4.unknown_type; content:"text";`, 1},
		{`decode-event:icmpv4.unknown_type; content:"other";`, 0},
		{`stream-event:fin_but_no_session;`, 1},
		{`stream-event:fin_but_no_session; content:"bye";`, 1},
		{`stream-event:fin_but_no_session; content:"other";`, 0},
	} {
		got := records(t, "alert ip any any -> any any ("+c.options+" sid:1;)", "alert", nil, func(r *replayer) {
			r.frame(ip(client, server, packet.ProtoICMP, append([]byte{77, 0, 0, 0, 0, 0, 0, 0}, "text"...)))
			conn := &conn{r: r, cp: 40000, sp: 7777, seq: [2]uint32{100, 900}}
			conn.segment(packet.ToServer, packet.ACK|packet.FIN, 100, 900, "bye")
		})
		if len(got) != c.n {
			t.Errorf("%s: %d alerts, not %d", c.options, len(got), c.n)
		}
	}
}
