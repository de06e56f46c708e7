package main

import (
	"math/rand/v2"
	"sync/atomic"
)

// pollMiners fetch their work instead of being pushed it: over one connection,
// or over a new one each time. They and the services that look like them are a
// plan of their own (plan -set polls).
var pollMiners = []spec{
	{"monero", "xmrig-daemon", xmrigDaemon(true)},
	{"monero", "daemon-kept", xmrigDaemon(false)},
	{"bitcoin", "getwork", getwork},
	{"ethereum", "getwork-http", ethGetwork},
	{"grin", "grin-poll", grinPoll},
	{"ethereum", "ethproxy-poll", ethproxyPoll},
}

// pollServices are asked again and again by a clock.
var pollServices = []spec{
	{"health", "health-check", healthCheck},
	{"health", "health-and-metrics", healthMetrics},
	{"wallet", "monero-wallet-short", walletShort},
	{"telemetry", "telemetry-post", telemetryPost},
	{"clock", "http-clock", httpClock},
	{"dns", "doh-short", dohShort},
	{"push", "push-check", pushCheck},
	{"app", "version-and-list", versionList},
	{"industry", "plc-read-write", plc},
	{"queue", "job-poll", jobPoll},
	{"trading", "ticker-poll", tickerPoll},
	{"chat", "chat-poll", chatPoll},
	{"http", "long-poll-short", longPollShort},
	{"home", "thermostat-poll", thermostat},
}

// xmrigDaemon asks a node for its height each second and for a template each
// fifteen, or after a new block (xmrig's daemon-poll-interval and
// daemon-job-timeout); by default each time over a new connection. A template
// lists the waiting transactions, 64 hexadecimal digits for each.
func xmrigDaemon(short bool) func(r *rand.Rand) *talk {
	return func(r *rand.Rand) *talk {
		name := in(r, 0, 40) // of host and program
		head := in(r, 120, 180)
		base := 979 + head + in(r, 0, 30)
		var txs atomic.Int32
		txs.Store(int32(in(r, 0, 60)))
		template := func(r *rand.Rand, _ int) int {
			n := txs.Add(int32(r.IntN(6)))
			if one(r, .12) { // a block took them
				n = int32(r.IntN(5))
				txs.Store(n)
			}
			return base + 64*int(n) + r.IntN(2)
		}
		every := pick(1, 1, 1, 1, 2, 5)(r, 0)
		t := &talk{short: short, calls: []call{
			{gap: clock(float(every)+.01, .05), size: fixed(102 + name), reply: fixed(140 + head), think: think(r)},
			{gap: clock(15.5, .6), size: fixed(366 + name), reply: template, think: think(r), every: max(2, 15/every)},
		}}
		return t
	}
}

// getwork over HTTP with one connection kept: work is asked for each few
// seconds (cpuminer's scantime) and a find is the same call with 256 digits.
func getwork(r *rand.Rand) *talk {
	head, ans := in(r, 150, 290), in(r, 110, 260)
	return &talk{calls: []call{
		{gap: clock(choose(r, 1, 5, 5, 10, 30), .1), size: fixed(head + 44), reply: fixed(ans + 590), think: pool(r), wait: true},
		{gap: poisson(logUni(r, 10, 90)), size: fixed(head + 304), reply: fixed(ans + 40), think: pool(r)},
	}}
}

func ethGetwork(r *rand.Rand) *talk {
	head, ans := in(r, 110, 220), in(r, 90, 200)
	t := &talk{calls: []call{
		{gap: clock(choose(r, .5, .5, 1, 2), .02), size: fixed(head + 60), reply: fixed(ans + 240), think: pool(r), wait: true},
		{gap: poisson(logUni(r, 12, 120)), size: fixed(head + 222), reply: fixed(ans + 38), think: pool(r)},
	}}
	if one(r, .6) {
		t.calls = append(t.calls, call{gap: clock(60, .3), size: fixed(head + 186), reply: fixed(ans + 38), think: pool(r)})
	}
	return t
}

func grinPoll(r *rand.Rand) *talk {
	t := grin(r)
	job := t.hello[1].s
	t.pushes = nil
	t.calls = append(t.calls[:1], call{gap: clock(uni(r, 2, 15), .1), size: fixed(in(r, 60, 80)), reply: span(job, job+1), think: pool(r), wait: true})
	return t
}

func healthCheck(r *rand.Rand) *talk {
	return &talk{short: true, calls: []call{{gap: clock(choose(r, 1, 2, 5, 10), .03), size: fixed(in(r, 80, 300)), reply: fixed(in(r, 100, 500)), think: think(r)}}}
}

func healthMetrics(r *rand.Rand) *talk {
	big := in(r, 900, 6000)
	return &talk{short: true, calls: []call{
		{gap: clock(choose(r, 1, 1, 2, 5), .03), size: fixed(in(r, 80, 200)), reply: fixed(in(r, 100, 400)), think: think(r)},
		{size: fixed(in(r, 150, 420)), reply: pickSize(r, fixed(big), span(big, big+40), lognorm(float(big), .1, 20000)), think: think(r), every: in(r, 5, 20)},
	}}
}

func walletShort(r *rand.Rand) *talk {
	head := in(r, 100, 180)
	return &talk{short: true, calls: []call{
		{gap: clock(choose(r, 2, 5, 10, 20), .1), size: fixed(head + 60), reply: digits(head+1100, 1), think: think(r)},
		{size: fixed(head + in(r, 150, 700)), reply: lognorm(2000, 1.2, 60000), think: heavy(.05, .8), every: in(r, 3, 12)},
	}}
}

func telemetryPost(r *rand.Rand) *talk {
	n := in(r, 250, 900)
	return &talk{short: true, calls: []call{{gap: clock(choose(r, 1, 5, 10, 15), .05), size: pickSize(r, fixed(n), span(n, n+8)), reply: fixed(in(r, 90, 260)), think: think(r)}}}
}

func httpClock(r *rand.Rand) *talk {
	return &talk{short: true, calls: []call{{gap: clock(choose(r, 8, 16, 32), .2), size: fixed(in(r, 90, 160)), reply: fixed(in(r, 140, 320)), think: think(r)}}}
}

func dohShort(r *rand.Rand) *talk {
	return &talk{short: true, calls: []call{{gap: heavy(uni(r, 1, 8), 1), size: fixed(in(r, 180, 320)), reply: mostly(.8, fixed(in(r, 500, 700)), span(300, 1100)), think: heavy(.02, .8)}}}
}

func pushCheck(r *rand.Rand) *talk {
	return &talk{short: true, calls: []call{
		{gap: clock(choose(r, 5, 10, 20), .2), size: fixed(in(r, 200, 600)), reply: mostly(.95, fixed(in(r, 120, 300)), lognorm(900, .6, 4000)), think: think(r)}}}
}

// versionList asks for a number each second or so and for a list now and then,
// which has grown by whole entries.
func versionList(r *rand.Rand) *talk {
	item := in(r, 30, 220)
	var n atomic.Int32
	list := func(r *rand.Rand, _ int) int {
		k := n.Add(int32(r.IntN(4)))
		if k > 60 {
			n.Store(0)
		}
		return 500 + item*int(k) + r.IntN(2)
	}
	return &talk{short: true, calls: []call{
		{gap: clock(choose(r, 1, 2, 5), .03), size: fixed(in(r, 90, 250)), reply: fixed(in(r, 120, 400)), think: think(r)},
		{size: fixed(in(r, 180, 500)), reply: list, think: think(r), every: in(r, 5, 20)},
	}}
}

// plc reads registers by a clock and writes some when something happened, over
// one connection: fetched work and shares in all but their sizes.
func plc(r *rand.Rand) *talk {
	n, m := in(r, 20, 220), in(r, 60, 700)
	return &talk{
		hello: []exchange{{in(r, 60, 300), in(r, 60, 300), think(r)}},
		calls: []call{
			{gap: clock(choose(r, .5, 1, 2, 5), .02), size: fixed(n), reply: pickSize(r, fixed(m), fixed(m), span(m, m+6)), think: think(r), wait: true},
			{gap: poisson(logUni(r, 8, 90)), size: fixed(n + in(r, 20, 260)), reply: fixed(in(r, 20, 120)), think: think(r)},
		},
	}
}

// jobPoll asks a queue for work and hands results in as they come.
func jobPoll(r *rand.Rand) *talk {
	head, ans := in(r, 100, 300), in(r, 90, 240)
	return &talk{calls: []call{
		{gap: clock(choose(r, 1, 2, 5), .05), size: fixed(head + 40), reply: mostly(uni(r, .6, .97), fixed(ans+20), lognorm(700, .5, 6000)), think: think(r), wait: true},
		{gap: poisson(logUni(r, 10, 90)), size: pickSize(r, span(head+200, head+500), lognorm(float(head+300), .3, 4000), fixed(head+in(r, 100, 400))), reply: fixed(ans + in(r, 0, 60)), think: think(r)},
	}}
}

func tickerPoll(r *rand.Rand) *talk {
	n := in(r, 200, 900)
	return &talk{calls: []call{
		{gap: clock(choose(r, .5, 1, 3), .05), size: fixed(in(r, 150, 400)), reply: span(n, n+in(r, 0, 12)), think: think(r), wait: true},
		{gap: heavy(90, 1), size: span(300, 500), reply: span(300, 420), think: think(r)},
	}}
}

func chatPoll(r *rand.Rand) *talk {
	head := in(r, 150, 400)
	return &talk{calls: []call{
		{gap: clock(choose(r, 1, 3, 5), .1), size: fixed(head), reply: mostly(.93, fixed(in(r, 120, 260)), lognorm(600, .6, 4000)), think: think(r), wait: true},
		{gap: heavy(uni(r, 20, 80), 1.2), size: lognorm(float(head+120), .2, 2000), reply: fixed(in(r, 150, 400)), think: think(r)},
	}}
}

func longPollShort(r *rand.Rand) *talk {
	return &talk{short: true, calls: []call{{gap: between(.05, .4), size: fixed(in(r, 200, 700)), reply: mostly(uni(r, .6, 1), fixed(in(r, 120, 300)), lognorm(700, .6, 4000)),
		think: pickDist(r, clock(25, .02), either(.6, clock(20, .02), between(2, 19)))}}}
}

func thermostat(r *rand.Rand) *talk {
	n := in(r, 300, 900)
	return &talk{
		hello: []exchange{{in(r, 150, 500), in(r, 100, 500), think(r)}},
		calls: []call{
			{gap: clock(choose(r, 2, 5, 10), .05), size: fixed(in(r, 150, 400)), reply: pickSize(r, fixed(n), span(n, n+4)), think: think(r), wait: true},
			{gap: heavy(uni(r, 40, 120), .9), size: span(260, 420), reply: fixed(in(r, 120, 240)), think: think(r)},
		},
	}
}
