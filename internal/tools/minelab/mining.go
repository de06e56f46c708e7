package main

import (
	"math"
	"math/rand/v2"
)

// spec makes a talk from a row's random numbers.
type spec struct {
	group, name string
	make        func(r *rand.Rand) *talk
}

// miners lists the dialects with the sizes of their messages, as their
// specifications and recordings of real miners give them. Share times are a
// Poisson process at the rate that a pool's variable difficulty sets. Every pool
// gives out work at the start, for nobody wants to wait for the next block: in the
// answer to the login (CryptoNote), in that to the question for it (EthProxy, Grin),
// or right behind an answer (see opening).
var miners = []spec{
	{"monero", "xmrig", xmrig(false, false)},
	{"monero", "xmrig-keepalive", xmrig(true, false)},
	{"monero", "xmrig-few-shares", xmrigFew},
	{"monero", "xmrig-proxy-upstream", xmrig(true, true)},
	{"monero", "p2pool", p2pool},
	{"monero", "xmr-stak", xmrStak},
	{"cryptonote", "xmrig-kin", cryptonote},
	{"ethereum", "ethproxy", ethproxy},
	{"ethereum", "ethproxy-poll", ethproxyPoll},
	{"ethereum", "nicehash", ethNicehash},
	{"etc", "ethproxy-etc", etc},
	{"bitcoin", "stratum-v1", stratumV1(true)},
	{"litecoin", "stratum-v1-scrypt", stratumV1(false)},
	{"ravencoin", "kawpow", kawpow},
	{"ergo", "autolykos", ergo},
	{"zcash", "equihash-200", equihash(2690)},
	{"flux", "equihash-125", equihash(110)},
	{"beam", "beamhash", beam},
	{"kaspa", "kaspa", kaspa},
	{"grin", "grin", grin},
	{"ckb", "eaglesong", ckb},
	{"alephium", "blake3", alephium},
	{"dero", "dero-work", deroWork},
	{"coinhive", "coinhive-wss", coinhive},
	{"ironfish", "ironfish", ironfish},
	{"verus", "verushash", verus},
}

// moreMiners are in the plans "more" and "carried" beside those.
var moreMiners = []spec{
	{"dero", "dero-work", deroWork},
	{"raptoreum", "ghostrider", ghostrider},
}

// opening is how the kin of Bitcoin begin: one subscribes and logs in, and behind
// the answer to the first (pool.js of node-stratum-pool and its many kin, ckpool's
// init_client) or to the second (stratum-mining, btcpool) come the difficulty and
// the first job. Nearly all say yes to a login as they do to a share.
func (t *talk) opening(r *rand.Rand, subscribe, authorize exchange, lines ...int) *talk {
	if one(r, .85) {
		authorize.s = t.calls[0].reply(r, 0)
	}
	t.hello = []exchange{subscribe, authorize}
	return t.follow(r, r.IntN(2), lines...)
}

// follow has these lines come behind an answer of the beginning: in one write with
// it, or each by itself; at once, or when the pool has looked something up.
func (t *talk) follow(r *rand.Rand, hello int, lines ...int) *talk {
	if one(r, .3) {
		for _, n := range lines {
			t.hello[hello].s += n
		}
		return t
	}
	t.behind = behind{hello: hello, lines: lines}
	switch x := r.Float64(); {
	case x > .9:
		t.behind.late = between(.2, 1.5)
	case x > .7:
		t.behind.late = between(.005, .05)
	}
	return t
}

func pool(r *rand.Rand) dist { return heavy(logUni(r, 0.001, 0.06), 0.5) }

// ask is an exchange with lengths from a to b and an answer's from c to d.
func ask(r *rand.Rand, a, b, c, d int) exchange {
	return exchange{c: in(r, a, b), s: in(r, c, d), think: pool(r)}
}

func xmrLogin(r *rand.Rand, algos bool) (int, int) {
	c := 150 + []int{95, 106, 8 + r.IntN(30)}[r.IntN(3)] + in(r, 30, 62) // frame, wallet or name, agent
	if algos {
		c += in(r, 250, 340)
	}
	if one(r, .3) {
		c += in(r, 8, 40) // rigid, or a longer pass
	}
	return c, 0
}

func xmrig(keep, upstream bool) func(r *rand.Rand) *talk {
	return func(r *rand.Rand) *talk {
		login, _ := xmrLogin(r, true)
		job := in(r, 352, 424)
		share := logUni(r, 8, 75)
		if upstream {
			share = logUni(r, 1, 8)
		}
		submit := in(r, 192, 240)
		t := &talk{
			hello:  []exchange{{login, job + in(r, 48, 125), pool(r)}},
			calls:  []call{{gap: poisson(share), size: digits(submit, 2), reply: digits(62, 2), think: pool(r), then: uni(r, 0, .08), after: 1}},
			pushes: []push{{gap: moneroJobs(r), size: fixed(job)}},
		}
		if keep {
			t.calls = append(t.calls, call{gap: between(60.0, 60.5), size: digits(pick(101, 81)(r, 0), 2), reply: digits(70, 2), think: pool(r), idle: true})
		}
		return t
	}
}

// moneroJobs are new blocks, and with many pools newer templates between.
func moneroJobs(r *rand.Rand) dist {
	switch r.IntN(4) {
	case 0:
		return poisson(120)
	case 1:
		return either(.5, poisson(60), clock(uni(r, 30, 60), 2))
	case 2:
		return between(20, uni(r, 40, 90))
	}
	return heavy(uni(r, 30, 70), .6)
}

func xmrigFew(r *rand.Rand) *talk {
	t := xmrig(one(r, .7), false)(r)
	t.calls[0].gap = poisson(logUni(r, 150, 900))
	return t
}

func p2pool(r *rand.Rand) *talk {
	t := xmrig(false, false)(r)
	t.pushes[0].gap = poisson(10) // its own chain has a block each ten seconds
	t.calls[0].gap = poisson(logUni(r, 20, 300))
	return t
}

func xmrStak(r *rand.Rand) *talk {
	t := xmrig(one(r, .5), false)(r)
	t.hello[0].c, _ = xmrLogin(r, false)
	t.calls[0].size = digits(in(r, 170, 215), 1)
	t.calls[0].reply = mostly(.98, fixed(in(r, 55, 92)), fixed(in(r, 70, 130)))
	return t
}

func cryptonote(r *rand.Rand) *talk {
	t := xmrig(one(r, .5), false)(r)
	job := in(r, 290, 700)
	t.hello[0].s = job + in(r, 40, 130)
	t.pushes = []push{{gap: poisson(logUni(r, 15, 240)), size: fixed(job)}}
	t.calls[0].reply = digits(in(r, 40, 110), 2)
	return t
}

func ethproxy(r *rand.Rand) *talk {
	job, yes := in(r, 226, 262), in(r, 35, 45)
	return &talk{
		hello: []exchange{{in(r, 100, 170), yes + 1, pool(r)}, {in(r, 54, 66), job, pool(r)}},
		calls: []call{
			{gap: poisson(logUni(r, 12, 240)), size: digits(in(r, 214, 250), 40), reply: digits(yes, 40), think: pool(r)},
			{gap: clock(uni(r, 55, 65), .3), size: fixed(in(r, 170, 200)), reply: fixed(yes + 1), think: pool(r)},
		},
		pushes: []push{{gap: either(.7, poisson(uni(r, 6, 13)), between(1, 4)), size: fixed(job)}},
	}
}

func ethproxyPoll(r *rand.Rand) *talk {
	t := ethproxy(r)
	job := t.hello[1].s
	t.pushes = nil
	t.calls = append(t.calls, call{gap: clock(uni(r, .5, 5), .02), size: fixed(in(r, 54, 66)), reply: fixed(job), think: pool(r), wait: true})
	return t
}

func etc(r *rand.Rand) *talk {
	t := ethproxy(r)
	t.pushes[0].gap = poisson(13)
	if one(r, .5) {
		t.calls = t.calls[:1]
	}
	return t
}

func ethNicehash(r *rand.Rand) *talk {
	notify := in(r, 190, 216)
	diff := in(r, 52, 72)
	return (&talk{
		calls: []call{{gap: poisson(logUni(r, 10, 180)), size: digits(in(r, 100, 150), 4), reply: digits(in(r, 34, 44), 4), think: pool(r)}},
		pushes: []push{
			{gap: either(.6, poisson(uni(r, 6, 14)), between(1, 5)), size: fixed(notify)},
			{gap: heavy(uni(r, 120, 600), 1), size: fixed(diff)},
		},
	}).opening(r, ask(r, 80, 112, 90, 130), ask(r, 80, 160, 36, 46), diff, notify)
}

func stratumV1(bitcoin bool) func(r *rand.Rand) *talk {
	return func(r *rand.Rand) *talk {
		base := in(r, 420, 620) // without the branches of the tree: 67 bytes each
		diff := in(r, 54, 70)
		submit, reply := in(r, 98, 165), in(r, 34, 44)
		gap := heavy(uni(r, 25, 50), .25)
		if !bitcoin {
			gap = either(.5, poisson(uni(r, 40, 140)), clock(uni(r, 25, 60), 1))
		}
		notify := func(r *rand.Rand, _ int) int {
			if bitcoin {
				return base + 67*(10+r.IntN(3)) + r.IntN(3)
			}
			return base + 67*r.IntN(9) + r.IntN(3)
		}
		t := &talk{
			calls:  []call{{gap: poisson(logUni(r, 5, 60)), size: fixed(submit), reply: fixed(reply), think: pool(r)}},
			pushes: []push{{gap: gap, size: notify}, {gap: heavy(uni(r, 200, 900), 1), size: fixed(diff)}},
		}
		if one(r, .5) {
			t.calls[0].size, t.calls[0].reply = digits(submit, 4), digits(reply, 4)
		}
		t.opening(r, ask(r, 62, 130, 110, 190), ask(r, 74, 150, 36, 44), diff, notify(r, 0))
		if bitcoin && one(r, .4) { // mining.configure (BIP 310) comes first
			t.hello = append([]exchange{ask(r, 90, 180, 80, 110)}, t.hello...)
			t.behind.hello++
		}
		return t
	}
}

func kawpow(r *rand.Rand) *talk {
	job, target := in(r, 290, 350), in(r, 105, 112)
	return (&talk{
		calls: []call{{gap: poisson(logUni(r, 8, 120)), size: digits(in(r, 240, 300), 4), reply: digits(in(r, 34, 44), 4), think: pool(r)}},
		pushes: []push{
			{gap: either(.6, poisson(60), between(5, 25)), size: fixed(job), pre: pick(0, 0, target)(r, 0)},
		},
	}).opening(r, ask(r, 70, 120, 60, 120), ask(r, 80, 150, 36, 46), target, job)
}

func ergo(r *rand.Rand) *talk {
	job := in(r, 230, 300)
	return (&talk{
		calls:  []call{{gap: poisson(logUni(r, 8, 120)), size: digits(in(r, 110, 170), 4), reply: digits(in(r, 34, 50), 4), think: pool(r)}},
		pushes: []push{{gap: either(.5, poisson(120), between(8, 40)), size: plus(0, span(job, job+1))}},
	}).opening(r, ask(r, 70, 120, 90, 140), ask(r, 90, 160, 36, 46), in(r, 54, 72), job)
}

func equihash(solution int) func(r *rand.Rand) *talk {
	return func(r *rand.Rand) *talk { return equihashOf(r, solution, in(r, 340, 420)) }
}

func equihashOf(r *rand.Rand, solution, job int) *talk {
	target := in(r, 108, 130)
	return (&talk{
		calls: []call{{gap: poisson(logUni(r, 6, 90)), size: digits(solution+in(r, 140, 230), 4), reply: digits(in(r, 34, 46), 4), think: pool(r)}},
		pushes: []push{
			{gap: either(.6, poisson(75), clock(uni(r, 20, 60), 1)), size: fixed(job)},
			{gap: heavy(uni(r, 200, 900), 1), size: fixed(target)},
		},
	}).opening(r, ask(r, 80, 130, 60, 90), ask(r, 80, 150, 36, 46), target, job)
}

func beam(r *rand.Rand) *talk {
	job := in(r, 180, 240)
	t := &talk{
		hello:  []exchange{ask(r, 90, 170, 90, 140)},
		calls:  []call{{gap: poisson(logUni(r, 6, 90)), size: digits(in(r, 290, 320), 10), reply: digits(in(r, 80, 120), 10), think: pool(r)}},
		pushes: []push{{gap: either(.7, poisson(60), between(10, 30)), size: span(job, job+1)}},
	}
	return t.follow(r, 0, job)
}

func kaspa(r *rand.Rand) *talk {
	job, diff, yes := in(r, 130, 220), in(r, 52, 66), in(r, 34, 56)
	t := &talk{
		hello: []exchange{ask(r, 70, 110, 60, 120), {c: in(r, 110, 160), s: yes + 1, think: pool(r)}},
		calls: []call{{gap: poisson(logUni(r, 2, 30)), size: digits(in(r, 110, 150), 4), reply: digits(yes, 4), think: pool(r)}},
		pushes: []push{
			{gap: either(.5, poisson(uni(r, .4, 1.2)), clock(uni(r, .3, 1), .05)), size: span(job, job+1)},
			{gap: heavy(uni(r, 200, 900), 1), size: fixed(diff)},
		},
	}
	if one(r, .4) {
		// A bridge to a node hands out the next template, a second later at most
		// (client_handler.go of kaspa-stratum-bridge).
		return t
	}
	return t.follow(r, 1, diff, job)
}

// grin's share lists 42 edges, numbers below two to the 29th, 31st or 32nd and so
// of 8 to 10 digits: together they differ by three from one share to the next. Its
// own miner asks for its status as well, each 30 seconds (stratumserver.rs of grin,
// client.rs of grin-miner); others do not.
func grin(r *rand.Rand) *talk {
	job, yes := in(r, 560, 700), in(r, 70, 110)
	t := &talk{
		hello: []exchange{{in(r, 110, 170), yes - 1, pool(r)}, {in(r, 60, 80), job + in(r, 0, 30), pool(r)}},
		calls: []call{
			{gap: poisson(logUni(r, 10, 120)), size: edges(in(r, 545, 595)), reply: fixed(yes), think: pool(r)},
		},
		pushes: []push{{gap: either(.6, poisson(60), between(8, 30)), size: span(job, job+1)}},
	}
	if one(r, .5) {
		t.calls = append(t.calls, call{gap: clock(30.5, .5), size: fixed(in(r, 56, 80)), reply: digits(in(r, 130, 150), 1), think: pool(r)})
	}
	return t
}

// edges is a length of so much in the middle, with what 42 numbers and a nonce of
// 64 bits have more or fewer digits.
func edges(mean int) sizer {
	return func(r *rand.Rand, _ int) int { return mean + int(math.Round(3.2*r.NormFloat64())) }
}

func ckb(r *rand.Rand) *talk {
	job := in(r, 150, 190)
	return (&talk{
		calls:  []call{{gap: poisson(logUni(r, 6, 60)), size: digits(in(r, 110, 160), 4), reply: digits(in(r, 34, 44), 4), think: pool(r)}},
		pushes: []push{{gap: either(.7, poisson(uni(r, 6, 10)), between(2, 10)), size: span(job, job+1)}},
	}).opening(r, ask(r, 70, 120, 60, 110), ask(r, 80, 150, 36, 46), in(r, 64, 112), job)
}

// alephium's job is a header of 302 bytes in hexadecimal digits and an empty list of
// transactions (blockTemplate.js of its mining-pool), of one length but for the
// digits of its numbers. That pool sends the jobs of all 16 chains in one message, and
// knows no login: the first come with the next broadcast, and the miner's first
// word is a share.
func alephium(r *rand.Rand) *talk {
	job := in(r, 685, 790)
	t := &talk{
		calls:  []call{{gap: poisson(logUni(r, 6, 60)), size: digits(in(r, 160, 220), 4), reply: digits(in(r, 34, 66), 4), think: pool(r)}},
		pushes: []push{{gap: either(.7, poisson(uni(r, 1, 4)), between(1, 4)), size: span(job, job+2)}},
	}
	if one(r, .3) {
		all := 16*in(r, 672, 690) + 50
		t.pushes[0] = push{gap: poisson(uni(r, 4, 5)), size: span(all, all+3)}
		return t
	}
	return t.opening(r, ask(r, 70, 120, 60, 110), ask(r, 80, 150, 36, 46), in(r, 54, 100), job)
}

func coinhive(r *rand.Rand) *talk {
	job := in(r, 280, 330)
	t := &talk{
		hello: []exchange{ask(r, 380, 560, 129, 300), ask(r, 90, 150, 60, 90)},
		calls: []call{{gap: poisson(logUni(r, 4, 40)), size: fixed(in(r, 170, 220)), reply: digits(in(r, 48, 60), 1000), think: pool(r),
			then: uni(r, 0, .3), after: 1}},
		pushes: []push{{gap: moneroJobs(r), size: fixed(job)}},
	}
	return wsPinged(r, t.follow(r, 1, job))
}

// wsPinged adds the pings of a WebSocket library's server, in two of three.
func wsPinged(r *rand.Rand, t *talk) *talk {
	if one(r, .66) {
		t.pushes = append(t.pushes, push{gap: clock(choose(r, 15, 20, 25, 30, 54), .1), size: fixed(pick(2, 6)(r, 0))})
		t.calls = append(t.calls, call{gap: between(.0005, .02), size: fixed(pick(6, 10)(r, 0)), react: len(t.pushes)})
	}
	return t
}

func ironfish(r *rand.Rand) *talk {
	job, target := in(r, 480, 560), in(r, 130, 170)
	t := &talk{
		hello:  []exchange{ask(r, 150, 230, 80, 180)},
		calls:  []call{{gap: poisson(logUni(r, 6, 60)), size: digits(in(r, 100, 150), 4), reply: digits(in(r, 60, 100), 4), think: pool(r)}},
		pushes: []push{{gap: either(.6, poisson(60), between(5, 20)), size: fixed(job)}, {gap: heavy(400, 1), size: fixed(target)}},
	}
	return t.follow(r, 0, target, job) // stratumServer.ts of ironfish
}

func verus(r *rand.Rand) *talk {
	job := in(r, 3000, 3300) // the template carries a solution
	t := equihashOf(r, 2690, job)
	t.pushes[0] = push{gap: either(.6, poisson(60), between(10, 40)), size: span(job, job+2)}
	return t
}

// deroWork is sent a template each half second over a WebSocket; the clock
// starts anew with each, and what is found is answered by one alone, in which it is
// counted (websocket_getwork_server.go of derohe).
func deroWork(r *rand.Rand) *talk {
	job := in(r, 330, 420)
	return &talk{
		hello:  []exchange{{in(r, 160, 260), in(r, 129, 180), pool(r)}},
		calls:  []call{{gap: poisson(logUni(r, 8, 120)), size: fixed(in(r, 150, 190)), think: pool(r), again: 1}},
		pushes: []push{{gap: either(uni(r, 0, .35), between(.02, .5), between(.5, .515)), size: span(job, job+in(r, 0, 1))}},
	}
}

// ghostrider is xmrig's Stratum V1: subscribe and authorize in one flight, few
// branches.
func ghostrider(r *rand.Rand) *talk {
	base, branches := in(r, 560, 900), in(r, 1, 6)
	t := &talk{
		hello:  []exchange{ask(r, 190, 300, 100, 200)},
		calls:  []call{{gap: poisson(logUni(r, 8, 120)), size: digits(in(r, 110, 150), 3), reply: digits(in(r, 34, 60), 3), think: pool(r)}, {gap: between(60, 60.5), size: digits(in(r, 80, 101), 3), reply: digits(70, 3), think: pool(r), idle: true}},
		pushes: []push{{gap: either(.6, poisson(120), clock(uni(r, 20, 60), 1)), size: func(r *rand.Rand, _ int) int { return base + 67*r.IntN(branches) + r.IntN(2) }}},
	}
	return t.follow(r, 0, in(r, 54, 70), base)
}
