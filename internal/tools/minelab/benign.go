package main

import "math/rand/v2"

// services lists what homes talk to over TLS for hours and that looks like
// mining from outside: logins, constant sizes, pushes, clocks, quiet.
var services = []spec{
	{"chat", "chat", chat},
	{"push", "push-service", pushService},
	{"mqtt", "mqtt-qos0", mqtt(0)},
	{"mqtt", "mqtt-qos1", mqtt(1)},
	{"http", "long-poll", longPoll},
	{"http", "server-sent-events", sse},
	{"http", "rest-poll-keepalive", restPoll},
	{"http", "rest-poll-short", restShort},
	{"http", "pages", pages},
	{"grpc", "grpc-telemetry", grpc},
	{"imap", "imap-idle", imap},
	{"xmpp", "xmpp", xmpp},
	{"redis", "redis-jobs", redisJobs},
	{"redis", "redis-pubsub", redisPubsub},
	{"game", "game-heartbeat", game},
	{"game", "turn-based-game", turnGame},
	{"voip", "sip-tls", sip},
	{"home", "home-hub", homeHub},
	{"home", "hub-websocket", hubSocket},
	{"home", "alarm-events", alarm},
	{"home", "energy-meter", energy},
	{"home", "ev-charger-ocpp", ocpp},
	{"trading", "fix", fix},
	{"trading", "json-feed", jsonFeed},
	{"trading", "orders", orders},
	{"wallet", "electrum", electrum},
	{"wallet", "eth-rpc-poll", ethWallet},
	{"wallet", "eth-subscribe", ethSubscribe},
	{"database", "postgres-pool", postgres},
	{"database", "mysql-monitor", mysql},
	{"rpc", "json-rpc-tls", jsonRPC},
	{"rpc", "job-workers", jobWorkers},
	{"websocket", "ws-telemetry", wsTelemetry},
	{"websocket", "ws-ping", wsPing},
	{"ssh", "shell-idle", shell},
	{"syslog", "syslog-tls", syslog},
	{"print", "print-farm", printFarm},
	{"dns", "dot-padded", dot},
	{"dns", "dot-unpadded", dotPlain},
	{"queue", "amqp", amqp},
	{"queue", "nats", nats},
	{"queue", "kafka-consumer", kafka},
	{"ci", "ci-runner", ciRunner},
	{"monitor", "agent-checks", agentChecks},
	{"vpn", "control-channel", vpnControl},
	{"remote", "remote-desktop-idle", remoteIdle},
	{"sensor", "counter-events", sensor},
}

func chat(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 200, 700), in(r, 300, 4000), think(r)}, {in(r, 60, 200), in(r, 100, 2000), think(r)}},
		calls:  []call{{gap: heavy(uni(r, 10, 60), 1.3), size: lognorm(uni(r, 90, 200), .5, 1500), reply: fixed(in(r, 40, 120)), think: think(r)}, {gap: clock(choose(r, 20, 30, 45, 60), .05), size: fixed(in(r, 10, 60)), reply: fixed(in(r, 10, 60)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 8, 60), 1.4), size: lognorm(uni(r, 120, 300), .6, 3000)}, {gap: heavy(uni(r, 10, 90), 1), size: fixed(in(r, 50, 130))}},
	}
}

func float(n int) float64 { return float64(n) }

func pushService(r *rand.Rand) *talk {
	t := &talk{
		hello:  []exchange{{in(r, 150, 900), in(r, 40, 400), think(r)}},
		pushes: []push{{gap: heavy(uni(r, 30, 240), 1.2), size: lognorm(uni(r, 200, 900), .5, 4000)}},
		calls:  []call{{gap: clock(uni(r, 60, 290), .1), size: fixed(in(r, 4, 30)), reply: fixed(in(r, 4, 30)), think: think(r), idle: one(r, .5)}},
	}
	if one(r, .6) {
		t.calls = append(t.calls, call{gap: between(.001, .05), size: fixed(in(r, 10, 60)), react: 1})
	}
	if one(r, .4) {
		t.pushes[0].size = fixed(in(r, 150, 600)) // the same notice again and again
	}
	return t
}

func mqtt(qos int) func(r *rand.Rand) *talk {
	return func(r *rand.Rand) *talk {
		size := in(r, 40, 260)
		t := &talk{hello: []exchange{{in(r, 30, 160), 4, think(r)}, {in(r, 20, 120), 5, think(r)}}}
		gap := pickDist(r, clock(logUni(r, 2, 60), .2), heavy(logUni(r, 3, 40), .8), poisson(logUni(r, 4, 60)))
		c := call{gap: gap, size: pickSize(r, fixed(size), span(size, size+in(r, 1, 12)), lognorm(float(size), .3, 900))}
		if qos == 1 {
			c.reply, c.think = fixed(4), think(r)
		}
		t.calls = append(t.calls, c, call{gap: clock(60, .1), size: fixed(2), reply: fixed(2), think: think(r), idle: one(r, .5)})
		if one(r, .6) {
			n := in(r, 30, 200)
			t.pushes = append(t.pushes, push{gap: pickDist(r, poisson(logUni(r, 10, 120)), clock(logUni(r, 5, 60), .3)), size: pickSize(r, fixed(n), span(n, n+9))})
			if qos == 1 {
				t.calls = append(t.calls, call{gap: between(.0005, .01), size: fixed(4), react: 1})
			}
		}
		return t
	}
}

func pickDist(r *rand.Rand, d ...dist) dist   { return d[r.IntN(len(d))] }
func pickSize(r *rand.Rand, s ...sizer) sizer { return s[r.IntN(len(s))] }

func longPoll(r *rand.Rand) *talk {
	req := in(r, 180, 900)
	wait := pickDist(r, either(.5, between(5, 29), clock(30, .01)), heavy(uni(r, 5, 20), .8), clock(uni(r, 8, 55), .02))
	empty := in(r, 150, 400)
	return &talk{calls: []call{{gap: between(.001, .3), size: span(req, req+in(r, 0, 4)), reply: mostly(uni(r, .4, 1), fixed(empty), lognorm(uni(r, 400, 1500), .6, 9000)), think: wait, wait: true}}}
}

func sse(r *rand.Rand) *talk {
	n := in(r, 40, 700)
	return &talk{
		hello:  []exchange{{in(r, 200, 900), in(r, 150, 500), think(r)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 2, 30)), clock(logUni(r, 1, 30), .1), heavy(uni(r, 3, 20), 1)), size: pickSize(r, fixed(n), span(n, n+6), lognorm(float(n), .4, 4000))}, {gap: clock(choose(r, 15, 20, 30), .01), size: fixed(in(r, 3, 20))}},
	}
}

func restPoll(r *rand.Rand) *talk {
	req, ans := in(r, 150, 700), in(r, 120, 900)
	return &talk{calls: []call{{gap: clock(logUni(r, 1, 30), .02), size: span(req, req+in(r, 0, 3)), reply: mostly(uni(r, .7, 1), fixed(ans), lognorm(float(ans), .4, 5000)), think: think(r), wait: true, head: pick(0, 0, 110)(r, 0)}}}
}

func restShort(r *rand.Rand) *talk {
	t := restPoll(r)
	t.short = true
	t.calls[0].gap = clock(logUni(r, 2, 30), .05)
	t.calls = append(t.calls, call{size: fixed(in(r, 200, 900)), reply: lognorm(800, .5, 5000), think: think(r), then: uni(r, 0, .15)})
	return t
}

func pages(r *rand.Rand) *talk {
	return &talk{short: true, calls: []call{{gap: heavy(15, 1), size: span(300, 900), reply: lognorm(30000, 1, 400000), think: heavy(.05, .8)}}}
}

func grpc(r *rand.Rand) *talk {
	n := in(r, 40, 400)
	return &talk{
		hello: []exchange{{in(r, 60, 90), in(r, 30, 60), think(r)}, {in(r, 120, 300), in(r, 30, 150), think(r)}},
		calls: []call{{gap: pickDist(r, clock(logUni(r, 1, 30), .02), poisson(logUni(r, 2, 20))), size: pickSize(r, fixed(n), span(n, n+10)), reply: fixed(in(r, 20, 90)), think: think(r), head: pick(0, 35)(r, 0)},
			{gap: clock(uni(r, 10, 60), .01), size: fixed(17), reply: fixed(17), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 20, 120), .8), size: fixed(13)}},
	}
}

func imap(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 20, 60), in(r, 80, 300), think(r)}, {in(r, 20, 50), in(r, 150, 500), think(r)}, {8, 10, think(r)}},
		pushes: []push{{gap: heavy(uni(r, 30, 200), 1), size: mostly(.7, digits(13, 100), pick(26, 31))}, {gap: clock(choose(r, 60, 120), .02), size: fixed(18)}},
		calls:  []call{{gap: clock(uni(r, 100, 280), .5), size: fixed(6), reply: fixed(in(r, 24, 40)), think: think(r)}, {gap: heavy(120, 1), size: span(30, 90), reply: lognorm(900, 1, 20000), think: think(r)}},
	}
}

func xmpp(r *rand.Rand) *talk {
	return &talk{
		hello: []exchange{{in(r, 120, 200), in(r, 300, 700), think(r)}, {in(r, 120, 300), in(r, 60, 200), think(r)}, {in(r, 80, 200), in(r, 100, 3000), think(r)}},
		calls: []call{{gap: heavy(uni(r, 20, 90), 1.2), size: lognorm(300, .4, 2000), reply: digits(28, 5), think: think(r)},
			{gap: clock(60, .2), size: fixed(in(r, 90, 120)), reply: fixed(in(r, 80, 110)), think: think(r), idle: true}},
		pushes: []push{{gap: heavy(uni(r, 15, 90), 1), size: lognorm(320, .4, 3000)}, {gap: poisson(60), size: span(180, 230)}},
	}
}

func redisJobs(r *rand.Rand) *talk {
	job := in(r, 60, 500)
	wait := pickDist(r, poisson(logUni(r, 3, 60)), between(2, 30))
	return &talk{
		hello: []exchange{{in(r, 20, 60), 5, think(r)}},
		calls: []call{{gap: between(.01, uni(r, .1, 8)), size: fixed(in(r, 30, 60)), reply: pickSize(r, fixed(job), span(job, job+in(r, 1, 30))), think: wait, wait: true},
			{gap: poisson(logUni(r, 10, 60)), size: span(in(r, 60, 200), 220), reply: fixed(pick(4, 5)(r, 0)), think: think(r)}},
	}
}

func redisPubsub(r *rand.Rand) *talk {
	n := in(r, 60, 500)
	return &talk{
		hello:  []exchange{{in(r, 30, 60), in(r, 30, 60), think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 2, 60)), size: pickSize(r, fixed(n), span(n, n+8))}},
		calls:  []call{{gap: clock(choose(r, 15, 30, 60), .05), size: fixed(14), reply: fixed(7), think: think(r)}},
	}
}

func game(r *rand.Rand) *talk {
	n, m := in(r, 20, 120), in(r, 30, 300)
	return &talk{
		hello:  []exchange{{in(r, 150, 700), in(r, 200, 2500), think(r)}},
		calls:  []call{{gap: clock(logUni(r, .5, 15), .03), size: fixed(n), reply: fixed(in(r, 20, 60)), think: think(r)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 1, 20)), clock(logUni(r, .5, 10), .1)), size: pickSize(r, fixed(m), span(m, m+40), lognorm(float(m), .5, 1400))}},
	}
}

func turnGame(r *rand.Rand) *talk {
	n := in(r, 60, 200)
	return &talk{
		hello:  []exchange{{in(r, 150, 700), in(r, 200, 2500), think(r)}},
		calls:  []call{{gap: heavy(uni(r, 8, 40), .7), size: span(n, n+6), reply: span(in(r, 40, 80), 90), think: think(r)}, {gap: clock(choose(r, 10, 25, 30), .02), size: fixed(in(r, 6, 40)), reply: fixed(in(r, 6, 40)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 8, 40), .7), size: span(n+10, n+24)}, {gap: heavy(120, 1), size: lognorm(800, .6, 4000)}},
	}
}

func sip(r *rand.Rand) *talk {
	reg, ok := in(r, 550, 900), in(r, 400, 700)
	return &talk{
		hello:  []exchange{{reg, ok, think(r)}, {reg + in(r, 150, 300), ok, think(r)}},
		calls:  []call{{gap: clock(choose(r, 50, 90, 120, 300), 2), size: span(reg+200, reg+203), reply: fixed(ok), think: think(r)}, {gap: clock(choose(r, 20, 28, 30), .05), size: fixed(4), reply: pickSize(r, nil, fixed(2)), think: think(r)}},
		pushes: []push{{gap: clock(choose(r, 30, 60), .1), size: fixed(in(r, 420, 560))}, {gap: heavy(300, 1), size: span(700, 1100)}},
	}
}

func homeHub(r *rand.Rand) *talk {
	n, m := in(r, 80, 400), in(r, 60, 300)
	return &talk{
		hello: []exchange{{in(r, 150, 600), in(r, 60, 400), think(r)}},
		calls: []call{{gap: pickDist(r, poisson(logUni(r, 4, 60)), clock(logUni(r, 5, 60), .5)), size: pickSize(r, fixed(n), span(n, n+10)), reply: fixed(in(r, 20, 90)), think: think(r)},
			{gap: clock(choose(r, 30, 60), .05), size: fixed(in(r, 2, 40)), reply: fixed(in(r, 2, 40)), think: think(r), idle: one(r, .5)}},
		pushes: []push{{gap: heavy(uni(r, 60, 400), 1), size: span(m, m+60)}},
	}
}

func hubSocket(r *rand.Rand) *talk {
	n := in(r, 300, 700)
	return &talk{
		hello:  []exchange{{in(r, 300, 500), in(r, 129, 200), think(r)}, {in(r, 200, 260), in(r, 50, 90), think(r)}, {in(r, 40, 90), in(r, 40, 30000), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 55), .05), size: digits(28, 5), reply: digits(25, 5), think: think(r)}, {gap: heavy(90, 1), size: span(120, 180), reply: span(70, 140), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 1, 15)), size: span(n, n+in(r, 2, 150))}},
	}
}

func alarm(r *rand.Rand) *talk {
	n, a := in(r, 40, 260), in(r, 10, 90)
	return &talk{
		hello: []exchange{{in(r, 60, 500), in(r, 20, 300), think(r)}},
		calls: []call{{gap: poisson(logUni(r, 8, 90)), size: pickSize(r, fixed(n), digits(n, 1)), reply: pickSize(r, fixed(a), digits(a, 1)), think: think(r)},
			{gap: clock(choose(r, 30, 60, 120), .1), size: fixed(in(r, 10, 80)), reply: fixed(in(r, 10, 80)), think: think(r)}},
	}
}

func energy(r *rand.Rand) *talk {
	n := in(r, 120, 700)
	return &talk{
		hello: []exchange{{in(r, 100, 500), in(r, 30, 300), think(r)}},
		calls: []call{{gap: clock(choose(r, 1, 2, 5, 10, 15, 60), .05), size: span(n, n+in(r, 0, 6)), reply: pickSize(r, nil, fixed(in(r, 4, 80))), think: think(r)}},
	}
}

func ocpp(r *rand.Rand) *talk {
	meter := in(r, 250, 700)
	return &talk{
		hello: []exchange{{in(r, 300, 420), in(r, 129, 220), think(r)}, {in(r, 150, 320), in(r, 110, 140), think(r)}},
		calls: []call{{gap: clock(choose(r, 30, 60, 120), .2), size: fixed(in(r, 60, 75)), reply: fixed(in(r, 80, 100)), think: think(r)},
			{gap: clock(choose(r, 10, 15, 30, 60), .3), size: span(meter, meter+5), reply: fixed(in(r, 45, 60)), think: think(r)},
			{gap: poisson(200), size: span(150, 190), reply: fixed(48), think: think(r)}},
		pushes: []push{{gap: heavy(300, 1), size: span(90, 200)}},
	}
}

func fix(r *rand.Rand) *talk {
	md := in(r, 180, 420)
	return &talk{
		hello: []exchange{{in(r, 110, 220), in(r, 100, 180), think(r)}, {in(r, 150, 300), in(r, 200, 900), think(r)}},
		calls: []call{{gap: clock(30, .05), size: digits(72, 3), reply: digits(72, 3), think: think(r)},
			{gap: poisson(logUni(r, 10, 200)), size: span(190, 216), reply: span(230, 290), think: think(r), then: .8, after: 2}},
		pushes: []push{{gap: poisson(logUni(r, .5, 10)), size: span(md, md+in(r, 4, 60))}, {size: span(260, 330)}},
	}
}

func jsonFeed(r *rand.Rand) *talk {
	n := in(r, 120, 420)
	return &talk{
		hello:  []exchange{{in(r, 250, 500), in(r, 129, 250), think(r)}, {in(r, 60, 200), in(r, 60, 300), think(r)}},
		calls:  []call{{gap: clock(choose(r, 20, 30, 60), .05), size: fixed(in(r, 6, 40)), reply: fixed(in(r, 2, 40)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, .3, 15)), size: pickSize(r, span(n, n+6), span(n, n+40), lognorm(float(n), .25, 1400))}},
	}
}

func orders(r *rand.Rand) *talk {
	t := jsonFeed(r)
	o := in(r, 130, 280)
	t.calls = append(t.calls, call{gap: poisson(logUni(r, 6, 80)), size: span(o, o+in(r, 1, 9)), reply: span(in(r, 120, 200), 240), think: think(r), then: uni(r, .3, 1), after: 2})
	t.pushes = append(t.pushes, push{size: span(200, 290)})
	return t
}

func electrum(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 70, 100), in(r, 60, 90), think(r)}, {in(r, 50, 70), in(r, 210, 260), think(r)}, {in(r, 110, 2000), in(r, 100, 4000), think(r)}},
		calls:  []call{{gap: clock(60, .2), size: digits(47, 9), reply: digits(37, 9), think: think(r)}, {gap: heavy(60, 1.2), size: digits(130, 9), reply: lognorm(300, .8, 4000), think: think(r)}, {gap: clock(uni(r, 60, 300), 1), size: digits(70, 9), reply: digits(55, 9), think: think(r)}},
		pushes: []push{{gap: poisson(600), size: fixed(in(r, 248, 260))}, {gap: heavy(200, 1), size: fixed(in(r, 180, 210))}},
	}
}

func ethWallet(r *rand.Rand) *talk {
	head := in(r, 150, 420) // of HTTP
	return &talk{calls: []call{
		{gap: clock(choose(r, 4, 5, 12, 15), .1), size: digits(head+62, 1), reply: digits(in(r, 200, 420)+45, 1), think: heavy(.02, .5), wait: true},
		{gap: poisson(uni(r, 12, 60)), size: digits(head+160, 1), reply: mostly(.6, fixed(in(r, 250, 420)), lognorm(1500, .8, 12000)), think: heavy(.03, .5)},
	}}
}

func ethSubscribe(r *rand.Rand) *talk {
	n := in(r, 1200, 1500)
	return &talk{
		hello:  []exchange{{in(r, 300, 460), in(r, 129, 220), think(r)}, {in(r, 70, 90), in(r, 70, 90), think(r)}},
		calls:  []call{{gap: heavy(30, 1), size: digits(160, 1), reply: mostly(.7, fixed(104), lognorm(900, .7, 9000)), think: think(r)}},
		pushes: []push{{gap: clock(12, .4), size: span(n, n+6)}},
	}
}

func postgres(r *rand.Rand) *talk {
	return &talk{
		hello: []exchange{{in(r, 60, 130), in(r, 24, 110), think(r)}, {in(r, 50, 110), in(r, 300, 520), think(r)}},
		calls: []call{{gap: clock(choose(r, 5, 10, 30, 60), .1), size: fixed(14), reply: fixed(in(r, 62, 72)), think: think(r)},
			{gap: poisson(logUni(r, 1, 60)), size: mostly(uni(r, .3, .95), fixed(in(r, 60, 260)), span(60, 400)), reply: mostly(uni(r, .2, .9), fixed(in(r, 20, 160)), lognorm(500, 1, 9000)), think: heavy(.003, 1)}},
	}
}

func mysql(r *rand.Rand) *talk {
	return &talk{
		hello: []exchange{{in(r, 80, 230), in(r, 11, 60), think(r)}, {in(r, 30, 300), in(r, 60, 700), think(r)}},
		calls: []call{{gap: clock(logUni(r, 1, 30), .02), size: fixed(in(r, 5, 60)), reply: fixed(in(r, 7, 300)), think: think(r)},
			{gap: poisson(logUni(r, 5, 60)), size: fixed(in(r, 80, 240)), reply: fixed(in(r, 11, 60)), think: heavy(.002, .5)}},
	}
}

func jsonRPC(r *rand.Rand) *talk {
	n := in(r, 70, 220)
	return &talk{
		hello:  []exchange{{in(r, 80, 320), in(r, 60, 500), think(r)}},
		calls:  []call{{gap: pickDist(r, clock(logUni(r, 1, 20), .02), poisson(logUni(r, 3, 40))), size: digits(n, 1), reply: mostly(uni(r, .4, .95), digits(in(r, 50, 400), 1), lognorm(600, .8, 9000)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 20, 200), 1), size: span(in(r, 70, 200), 260)}},
	}
}

// jobWorkers log in, are pushed work and hand in results: a miner's life
// with other contents, whose sizes vary as contents do.
func jobWorkers(r *rand.Rand) *talk {
	job := in(r, 200, 900)
	return &talk{
		hello:  []exchange{{in(r, 100, 500), in(r, 60, 700), think(r)}},
		calls:  []call{{gap: heavy(uni(r, 2, 30), uni(r, .3, 1)), size: lognorm(uni(r, 150, 900), uni(r, .2, .6), 9000), react: 1}, {gap: clock(choose(r, 15, 30, 60), .1), size: fixed(in(r, 20, 90)), reply: fixed(in(r, 20, 90)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 5, 60), .7), size: lognorm(float(job), uni(r, .05, .5), 9000)}},
	}
}

func wsTelemetry(r *rand.Rand) *talk {
	n := in(r, 40, 400)
	return &talk{
		hello: []exchange{{in(r, 250, 500), in(r, 129, 250), think(r)}},
		calls: []call{{gap: clock(logUni(r, .5, 20), .05), size: pickSize(r, fixed(n), span(n, n+8)), reply: pickSize(r, nil, fixed(in(r, 6, 60))), think: think(r)},
			{gap: clock(choose(r, 20, 30), .02), size: fixed(6), reply: fixed(2), think: think(r)}},
	}
}

func wsPing(r *rand.Rand) *talk {
	n := in(r, 60, 600)
	return &talk{
		hello:  []exchange{{in(r, 350, 700), in(r, 129, 250), think(r)}, {in(r, 40, 300), in(r, 40, 900), think(r)}},
		calls:  []call{{gap: between(.0005, .02), size: fixed(6), react: 1}},
		pushes: []push{{gap: clock(choose(r, 15, 20, 25, 30), .02), size: fixed(2)}, {gap: poisson(logUni(r, 5, 90)), size: pickSize(r, fixed(n), span(n, n+20), lognorm(float(n), .5, 3000))}},
	}
}

func shell(r *rand.Rand) *talk {
	return &talk{
		hello: []exchange{{36, 36, think(r)}, {in(r, 300, 600), 36, think(r)}, {in(r, 400, 500), in(r, 400, 700), think(r)}},
		calls: []call{{gap: heavy(uni(r, .5, 10), 1.6), size: fixed(36), reply: mostly(.8, fixed(36), span(60, 900)), think: think(r)}, {gap: clock(choose(r, 15, 30, 60), .02), size: fixed(52), reply: fixed(28), think: think(r), idle: true}},
	}
}

func syslog(r *rand.Rand) *talk {
	n := in(r, 100, 300)
	return &talk{calls: []call{{gap: pickDist(r, poisson(logUni(r, 1, 60)), heavy(8, 1.5)), size: pickSize(r, lognorm(float(n), .3, 1400), mostly(.8, fixed(n), lognorm(float(n), .3, 1400)))}}}
}

func printFarm(r *rand.Rand) *talk {
	job := in(r, 180, 520)
	return &talk{
		hello: []exchange{{in(r, 80, 200), in(r, 90, 400), think(r)}},
		calls: []call{{gap: heavy(uni(r, 5, 40), .6), size: span(in(r, 130, 200), 240), reply: span(in(r, 40, 70), 90), think: think(r)},
			{gap: clock(choose(r, 10, 30, 60), .1), size: digits(60, 2), reply: digits(50, 2), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 15, 90), .8), size: span(job, job+in(r, 20, 200))}},
	}
}

func dot(r *rand.Rand) *talk {
	return &talk{calls: []call{{gap: either(.6, heavy(.1, 1), heavy(uni(r, 5, 40), 1.2)), size: fixed(130), reply: mostly(.97, fixed(470), fixed(938)), think: heavy(.02, .8)}}}
}

func dotPlain(r *rand.Rand) *talk {
	return &talk{calls: []call{{gap: either(.6, heavy(.1, 1), heavy(uni(r, 5, 40), 1.2)), size: span(35, 70), reply: span(60, 300), think: heavy(.02, .8)}}}
}

func amqp(r *rand.Rand) *talk {
	n := in(r, 120, 600)
	t := &talk{
		hello:  []exchange{{8, in(r, 400, 520), think(r)}, {in(r, 200, 450), 20, think(r)}, {in(r, 30, 60), in(r, 16, 40), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 60), .05), size: fixed(8)}, {gap: between(.005, uni(r, .02, 3)), size: fixed(21), react: 1}},
		pushes: []push{{gap: poisson(logUni(r, 4, 60)), size: pickSize(r, fixed(n), span(n, n+20), lognorm(float(n), .3, 3000))}, {gap: clock(30, .05), size: fixed(8)}},
	}
	if one(r, .5) {
		t.calls = append(t.calls, call{gap: poisson(logUni(r, 5, 60)), size: span(in(r, 100, 300), 320), reply: fixed(21), think: think(r)})
	}
	return t
}

func nats(r *rand.Rand) *talk {
	n := in(r, 60, 400)
	return &talk{
		hello:  []exchange{{in(r, 120, 320), in(r, 4, 9), think(r)}, {in(r, 12, 60), 5, think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 2, 40)), size: pickSize(r, fixed(n), span(n, n+6)), reply: pickSize(r, nil, span(in(r, 40, 90), 100)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 4, 60)), size: pickSize(r, fixed(n+20), span(n, n+30))}, {gap: clock(120, .5), size: fixed(6)}},
	}
}

func kafka(r *rand.Rand) *talk {
	req := in(r, 90, 160)
	return &talk{
		hello: []exchange{{in(r, 30, 60), in(r, 300, 600), think(r)}, {in(r, 40, 90), in(r, 120, 500), think(r)}},
		calls: []call{{gap: between(.0005, .01), size: fixed(req), reply: mostly(uni(r, .6, .98), fixed(in(r, 16, 60)), lognorm(500, .6, 9000)), think: either(.9, clock(.5, .005), poisson(.2)), wait: true},
			{gap: clock(3, .05), size: fixed(in(r, 70, 110)), reply: fixed(in(r, 10, 20)), think: think(r)}},
	}
}

func ciRunner(r *rand.Rand) *talk {
	req := in(r, 600, 1000)
	return &talk{calls: []call{{gap: clock(choose(r, 3, 10), .1), size: fixed(req), reply: mostly(.99, fixed(in(r, 180, 420)), lognorm(6000, .3, 20000)), think: heavy(.05, .4), wait: true}}}
}

func agentChecks(r *rand.Rand) *talk {
	n := in(r, 200, 900)
	return &talk{
		hello:  []exchange{{in(r, 60, 240), in(r, 200, 2000), think(r)}},
		calls:  []call{{gap: clock(choose(r, 5, 10, 30, 60), .1), size: lognorm(float(n), .15, 3000), reply: fixed(in(r, 60, 110)), think: think(r)}, {gap: clock(60, .1), size: fixed(in(r, 60, 110)), reply: fixed(in(r, 30, 90)), think: think(r)}},
		pushes: []push{{gap: heavy(300, .8), size: span(60, 200)}},
	}
}

func vpnControl(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 200, 500), in(r, 200, 500), think(r)}},
		calls:  []call{{gap: clock(choose(r, 10, 15, 25), .02), size: fixed(in(r, 30, 90)), reply: fixed(in(r, 30, 90)), think: think(r)}},
		pushes: []push{{gap: heavy(60, 1), size: span(120, 300)}, {gap: clock(choose(r, 10, 60), .02), size: fixed(in(r, 5, 40))}},
	}
}

func remoteIdle(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 100, 400), in(r, 300, 9000), think(r)}},
		calls:  []call{{gap: heavy(3, 1.4), size: fixed(in(r, 20, 50)), reply: lognorm(300, 1, 9000), think: heavy(.01, .5)}, {gap: clock(5, .05), size: fixed(24), reply: fixed(30), think: think(r)}},
		pushes: []push{{gap: clock(1, .05), size: lognorm(120, .5, 1400)}},
	}
}

// sensor reports counted events of a Poisson process in messages of one size,
// each answered with one size: a share in all but the jobs.
func sensor(r *rand.Rand) *talk {
	n, a := in(r, 120, 280), in(r, 40, 90)
	return &talk{
		hello:  []exchange{{in(r, 200, 600), in(r, 60, 500), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 8, 80)), size: digits(n, 2), reply: digits(a, 2), think: think(r)}},
		pushes: []push{{gap: pickDist(r, heavy(300, 1), clock(60, .1), poisson(600)), size: span(in(r, 30, 200), 220)}},
	}
}
