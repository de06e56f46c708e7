package match_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
)

// records runs traffic and returns the EVE records of a type.
func records(t *testing.T, text string, typ string, mod func(*engine.Config), traffic func(r *replayer)) (out []map[string]any) {
	t.Helper()
	cfg := engine.Config{Rules: compile(t, text, match.Options{}), Flows: true, Events: []event.Type{event.Stats, event.Drop}}
	if mod != nil {
		mod(&cfg)
	}
	r := &replayer{t: t, now: 1e18}
	cfg.Protocols, cfg.Seed = builtin.Protocols(), 1
	var eve event.EVE
	cfg.Sink = func(int) event.Sink {
		return event.SinkFunc(func(ev *event.Event) {
			var m map[string]any
			if err := json.Unmarshal(eve.Append(nil, ev), &m); err != nil {
				t.Fatal(err)
			}
			if m["event_type"] == typ {
				out = append(out, m)
			}
		})
	}
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.e = e
	traffic(r)
	r.end()
	return out
}

// text is a member of a record, by its path, as JSON.
func text(m map[string]any, path string) string {
	var v any = m
	for p := range strings.SplitSeq(path, ".") {
		o, _ := v.(map[string]any)
		v = o[p]
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func expect(t *testing.T, m map[string]any, want map[string]string) {
	t.Helper()
	for path, v := range want {
		if got := text(m, path); got != v {
			t.Errorf("%s is %s, not %s", path, got, v)
		}
	}
}

const noting = `
alert tcp any any -> any any (content:"one"; flowbits:set,b.one; flowbits:set,traffic/id/game; flowbits:set,traffic/label/fun; flowint:n,=,3; sid:1;)
alert tcp any any -> any any (content:"two"; entropy:value >= 0; pcre:"/((\w+)ree)/, flow:who, pkt:what"; sid:2;)
`

// Alerts and flows tell what rules noted of the flow.
func TestFlowMeta(t *testing.T) {
	talk := func(r *replayer) {
		c := r.open(40000, 7777)
		c.send(packet.ToServer, "one two three")
		c.close()
	}
	want := map[string]string{
		"metadata.flowbits": `["b.one"]`, "metadata.flowints": `{"n":3}`, "metadata.flowvars": `[{"who":"three"}]`,
		"traffic": `{"id":["game"],"label":["fun"]}`,
	}
	alerts := records(t, noting, "alert", nil, talk)
	if len(alerts) != 2 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, a := range alerts {
		expect(t, a, want)
	}
	expect(t, alerts[0], map[string]string{"metadata.pktvars": "null"})
	expect(t, alerts[1], map[string]string{"metadata.pktvars": `[{"what":"th"}]`})
	if got := text(alerts[1], "metadata.entropy.payload"); !strings.HasPrefix(got, "2.") {
		t.Errorf("entropy is %s", got)
	}
	flows := records(t, noting, "flow", nil, talk)
	if len(flows) != 1 {
		t.Fatalf("%d flows", len(flows))
	}
	want["metadata.pktvars"], want["tcp.state"] = "null", `"closed"`
	expect(t, flows[0], want)
	// A flow that rules noted nothing of has no such member.
	flows = records(t, noting, "flow", nil, func(r *replayer) {
		c := r.open(40001, 7777)
		c.send(packet.ToServer, "nothing")
	})
	expect(t, flows[0], map[string]string{"metadata": "null", "traffic": "null", "tcp.state": `"established"`})
}

// At most so many alerts of a packet are told, the rest is counted.
func TestUntoldAlerts(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		b.WriteString("alert udp any any -> any any (content:\"x\"; sid:" + itoa(i+1) + ";)\n")
	}
	send := func(r *replayer) { r.frame(udp(client, server, 5000, 5001, "x")) }
	for _, c := range []struct{ limit, told int }{{0, match.MaxAlerts}, {2, 2}, {20, 20}} {
		mod := func(cfg *engine.Config) { cfg.MaxAlerts = c.limit }
		if n := len(records(t, b.String(), "alert", mod, send)); n != c.told {
			t.Errorf("limit %d: %d alerts", c.limit, n)
		}
		stats := records(t, b.String(), "stats", mod, send)
		// Of a small limit no more than four times as many are kept to be ordered.
		expect(t, stats[0], map[string]string{"stats.detect.alert": itoa(c.told), "stats.detect.alert_queue_overflow": itoa(20 - c.told)})
	}
}

// With AlertPayload alerts tell what they were found in.
func TestAlertPayload(t *testing.T) {
	const set = `
alert tcp-stream any any -> any any (content:"said twice"; sid:1;)
alert tcp-pkt any any -> any any (content:"twice"; sid:2;)
alert udp any any -> any any (content:"|22 5c 00|"; sid:3;)
`
	with := func(cfg *engine.Config) { cfg.AlertPayload = true }
	talk := func(r *replayer) {
		c := r.open(40000, 7777)
		c.send(packet.ToServer, "said ")
		c.send(packet.ToServer, "twice")
		c.close()
		r.frame(udp(client, server, 5000, 5001, "\"\\\x00\r\n"))
	}
	bySID := map[string]map[string]any{}
	for _, a := range records(t, set, "alert", with, talk) {
		bySID[text(a, "alert.signature_id")] = a
	}
	expect(t, bySID["1"], map[string]string{"payload_printable": `"said twice"`, "payload": `"c2FpZCB0d2ljZQ=="`, "stream": "1"})
	expect(t, bySID["2"], map[string]string{"payload_printable": `"twice"`, "stream": "0", "packet_info.linktype": "101",
		"packet_info.linktype_name": `"RAW"`, "verdict.action": `"alert"`, "pkt_src": `"wire/pcap"`})
	expect(t, bySID["3"], map[string]string{"payload_printable": `"\"\\.\r\n"`, "stream": "0"})
	for _, a := range records(t, set, "alert", nil, talk) {
		expect(t, a, map[string]string{"payload": "null", "packet": "null", "stream": "null"})
	}
}

// The end of a long stream is kept, and where bytes are missing is told.
func TestAlertPayloadOfStream(t *testing.T) {
	with := func(cfg *engine.Config) { cfg.AlertPayload = true }
	got := records(t, `alert tcp-stream any any -> any any (content:"the end"; sid:1;)`, "alert", with, func(r *replayer) {
		c := r.open(40000, 7777)
		for range 6 {
			c.send(packet.ToServer, strings.Repeat("x", 1000))
		}
		c.seq[0] += 10
		c.send(packet.ToServer, "the end")
		c.send(packet.ToClient, "which says that all of it is here")
	})
	if len(got) != 1 {
		t.Fatalf("%d alerts", len(got))
	}
	p, _ := got[0]["payload_printable"].(string)
	if !strings.HasSuffix(p, "xxx[10 bytes missing]the end") || len(p) != 4096 {
		t.Errorf("%d bytes: …%s", len(p), p[max(0, len(p)-40):])
	}
}

// What becomes of a packet is told.
func TestVerdictOfAlert(t *testing.T) {
	inline := func(cfg *engine.Config) { cfg.Inline = true }
	send := func(r *replayer) { r.frame(udp(client, server, 5000, 5001, "x")) }
	for rule, want := range map[string]string{
		`alert udp any any -> any any (content:"x"; sid:1;)`:       `"alert"`,
		`drop udp any any -> any any (content:"x"; sid:1;)`:        `"drop"`,
		`pass udp any any -> any any (content:"x"; alert; sid:1;)`: `"pass"`,
	} {
		got := records(t, rule, "alert", inline, send)
		if len(got) != 1 {
			t.Fatalf("%s: %d alerts", rule, len(got))
		}
		expect(t, got[0], map[string]string{"verdict.action": want})
	}
	got := records(t, `drop udp any any -> any any (content:"x"; sid:1;)`, "alert", nil, send)
	expect(t, got[0], map[string]string{"verdict.action": `"alert"`}) // only watching
}

// Packets are counted by layer, and oddities when a rule asks for any.
func TestStatsOfDecoder(t *testing.T) {
	send := func(r *replayer) {
		r.frame(udp(client, server, 1, 2, "x"))
		r.frame(icmp(client, server, 8, 0))
		r.frame(ip(client, server, packet.ProtoIPIP, udp(client, server, 1, 2, "x")))
		r.frame(ip(client, server, packet.ProtoUDP, []byte{0, 1}))
	}
	const asks = "alert pkthdr any any -> any any (decode-event:udp.hlen_too_small; sid:1;)"
	got := records(t, asks, "stats", nil, send)
	expect(t, got[0], map[string]string{"stats.decoder.pkts": "4", "stats.decoder.raw": "4", "stats.decoder.ipv4": "5", "stats.decoder.udp": "2",
		"stats.decoder.icmpv4": "1", "stats.decoder.ipv4_in_ipv4": "1", "stats.decoder.ethernet": "0",
		"stats.decoder.event.udp.hlen_too_small": "1", "stats.decoder.event.ipv4.trunc_pkt": "0", "stats.decoder.event.too_many_layers": "0"})
	got = records(t, "alert ip any any -> any any (sid:1;)", "stats", nil, send)
	expect(t, got[0], map[string]string{"stats.decoder.event": "null"})
}
