package main

import "math/rand/v2"

// fartherServices are kinds that no model has learnt from: what pushes, reports
// and acknowledges in few lengths.
var fartherServices = []spec{
	{"queue", "jetstream", jetstream},
	{"replica", "log-follower", logFollower},
	{"replica", "acknowledged-log", ackedLog},
	{"replica", "key-store-follower", keyFollower},
	{"radio", "packet-gateway", radioGateway},
	{"radio", "aircraft-feeder", feeder},
	{"auction", "bids", bids},
	{"fleet", "driver", driver},
	{"industry", "event-outstation", outstation},
	{"industry", "subscribed-nodes", subscribedNodes},
	{"industry", "observed-things", observed},
	{"shop", "vending", vending},
	{"shop", "scanner", scanner},
	{"push", "web-push", webPush},
	{"vpn", "point-to-point", pointToPoint},
	{"vpn", "home-tunnel", homeTunnel},
	{"voip", "relay-refresh", relayRefresh},
	{"camera", "stream-control", streamControl},
	{"dashboard", "hub-methods", hubMethods},
	{"trading", "private-socket", privateSocket},
	{"iot", "telemetry-acknowledged", telemetryAck},
	{"iot", "shadow-deltas", shadowDeltas},
	{"remote", "phone-link", phoneLink},
	{"game", "lobby", lobby},
}

// jetstream publishes events and gets a receipt for each; others' events come by
// subscription, and pings of a few bytes.
func jetstream(r *rand.Rand) *talk {
	n, m := in(r, 80, 400), in(r, 80, 500)
	return &talk{
		hello:  []exchange{{in(r, 150, 300), in(r, 6, 400), think(r)}},
		calls:  []call{{gap: pickDist(r, poisson(logUni(r, 5, 90)), clock(choose(r, 5, 10, 30), .2)), size: pickSize(r, fixed(n), span(n, n+6), lognorm(float(n), .2, 2000)), reply: digits(in(r, 60, 110), 100), think: think(r)}, {gap: clock(120, 2), size: fixed(6), reply: fixed(6), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 5, 200)), size: pickSize(r, fixed(m), span(m, m+5), lognorm(float(m), .3, 2000))}},
	}
}

// logFollower is a standby server of a database: it is sent its log and tells by
// a clock how far it is.
func logFollower(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 60, 120), in(r, 300, 500), think(r)}, {in(r, 40, 70), in(r, 80, 200), think(r)}, {in(r, 60, 90), in(r, 20, 40), think(r)}},
		calls:  []call{{gap: clock(choose(r, 1, 10), .02), size: fixed(39)}, {gap: between(.001, .02), size: fixed(39), react: 1}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, .5, 20)), heavy(logUni(r, 1, 20), 1.2)), size: pickSize(r, lognorm(260, .8, 8000), span(130, 230), pick(95, 159, 223, 351))}, {gap: clock(30, .1), size: fixed(23)}},
	}
}

// ackedLog answers each event that it was sent with one length.
func ackedLog(r *rand.Rand) *talk {
	n := in(r, 200, 420)
	return &talk{
		hello:  []exchange{{in(r, 30, 120), in(r, 78, 100), think(r)}, {in(r, 100, 220), in(r, 11, 60), think(r)}, {in(r, 20, 60), in(r, 100, 300), think(r)}},
		calls:  []call{{gap: between(.001, .02), size: fixed(in(r, 26, 40)), react: 1}},
		pushes: []push{{gap: poisson(logUni(r, 2, 60)), size: pickSize(r, span(n, n+30), lognorm(float(n), .5, 5000))}, {gap: clock(choose(r, 15, 30), .05), size: fixed(in(r, 40, 52))}},
	}
}

func keyFollower(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{14, 7, think(r)}, {in(r, 40, 80), 5, think(r)}, {in(r, 50, 70), in(r, 200, 4000), think(r)}},
		calls:  []call{{gap: clock(1, .01), size: digits(34, 1000)}},
		pushes: []push{{gap: clock(10, .02), size: fixed(14)}, {gap: pickDist(r, poisson(logUni(r, 1, 60)), heavy(10, 1)), size: pickSize(r, span(60, 90), lognorm(140, .6, 4000))}},
	}
}

// radioGateway hands on what radio sensors send, in messages of few lengths at
// random times; answers for the sensors come now and then.
func radioGateway(r *rand.Rand) *talk {
	n := in(r, 290, 420)
	t := &talk{
		hello:  []exchange{{in(r, 40, 90), in(r, 120, 200), think(r)}, {in(r, 120, 220), in(r, 900, 2200), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 3, 60)), size: pickSize(r, span(n, n+12), pick(n, n+8, n+16), mostly(.8, fixed(n), fixed(n+in(r, 10, 60))))}, {gap: clock(choose(r, 30, 60, 120), .5), size: fixed(in(r, 45, 70)), reply: fixed(in(r, 60, 90)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 60, 600)), size: span(220, 300)}},
	}
	if one(r, .5) { // each is answered
		t.calls[0].then, t.calls[0].after = uni(r, .1, .9), 1
	}
	return t
}

func feeder(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 60, 200), in(r, 40, 120), think(r)}},
		calls:  []call{{gap: heavy(logUni(r, .3, 5), .7), size: lognorm(140, .5, 1400)}, {gap: clock(choose(r, 15, 30), .1), size: fixed(in(r, 30, 90)), reply: fixed(in(r, 8, 60)), think: think(r)}},
		pushes: []push{{gap: clock(20, .1), size: fixed(in(r, 18, 64))}},
	}
}

// bids are a person's or a program's at an auction; prices come as others bid.
func bids(r *rand.Rand) *talk {
	n, m := in(r, 90, 260), in(r, 140, 420)
	return &talk{
		hello:  []exchange{{in(r, 300, 700), in(r, 129, 250), think(r)}, {in(r, 80, 300), in(r, 300, 4000), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 15, 90), 1), poisson(logUni(r, 10, 90))), size: pickSize(r, digits(n, 1), span(n, n+8)), reply: pickSize(r, digits(in(r, 40, 120), 1), span(60, 120)), think: heavy(.03, .4)}, {gap: clock(choose(r, 25, 30), .05), size: fixed(in(r, 6, 16)), reply: fixed(in(r, 6, 16)), think: think(r)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 3, 60)), heavy(uni(r, 5, 40), 1.2)), size: pickSize(r, span(m, m+4), span(m, m+25), lognorm(float(m), .2, 2000))}},
	}
}

func driver(r *rand.Rand) *talk {
	n := in(r, 120, 320)
	return &talk{
		hello:  []exchange{{in(r, 500, 1200), in(r, 129, 300), think(r)}},
		calls:  []call{{gap: clock(choose(r, 4, 5, 10, 15), .3), size: span(n, n+in(r, 1, 12)), reply: fixed(in(r, 20, 70)), think: think(r)}, {gap: heavy(200, 1), size: fixed(in(r, 150, 400)), reply: span(80, 400), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 40, 400)), size: lognorm(900, .2, 4000)}, {gap: clock(30, .2), size: fixed(in(r, 20, 60))}},
	}
}

// outstation is sent events unasked and confirms each; it is read by a clock.
func outstation(r *rand.Rand) *talk {
	n := in(r, 35, 90)
	return &talk{
		hello:  []exchange{{in(r, 18, 30), in(r, 17, 60), think(r)}},
		calls:  []call{{gap: between(.001, .01), size: fixed(in(r, 17, 20)), react: 1}, {gap: clock(choose(r, 10, 60), .02), size: fixed(in(r, 20, 28)), reply: span(60, 200), think: think(r)}, {gap: heavy(120, 1), size: fixed(in(r, 35, 40)), reply: fixed(in(r, 37, 42)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 5, 90)), size: pickSize(r, fixed(n), span(n, n+20))}},
	}
}

func subscribedNodes(r *rand.Rand) *talk {
	n := in(r, 110, 300)
	return &talk{
		hello:  []exchange{{in(r, 57, 90), 28, think(r)}, {in(r, 132, 400), in(r, 135, 900), think(r)}, {in(r, 200, 500), in(r, 300, 900), think(r)}},
		calls:  []call{{gap: between(.001, .01), size: fixed(in(r, 70, 110)), react: 1}, {gap: clock(choose(r, 5, 30, 60), .02), size: fixed(in(r, 90, 140)), reply: fixed(in(r, 90, 140)), think: think(r)}, {gap: heavy(uni(r, 20, 120), 1), size: fixed(in(r, 120, 180)), reply: fixed(64), think: think(r)}},
		pushes: []push{{gap: pickDist(r, clock(choose(r, .5, 1, 5), .01), poisson(logUni(r, 2, 30))), size: pickSize(r, span(n, n+4), lognorm(float(n), .2, 2000))}},
	}
}

func observed(r *rand.Rand) *talk {
	n := in(r, 20, 120)
	return &talk{
		hello:  []exchange{{in(r, 3, 20), in(r, 3, 20), think(r)}, {in(r, 40, 90), in(r, 20, 100), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 20, 120), 1), poisson(logUni(r, 15, 120))), size: fixed(in(r, 40, 130)), reply: fixed(in(r, 17, 40)), think: think(r)}, {gap: clock(choose(r, 60, 120), .2), size: fixed(3), reply: fixed(3), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 5, 120)), size: pickSize(r, fixed(n), span(n, n+6))}},
	}
}

func vending(r *rand.Rand) *talk {
	n := in(r, 120, 300)
	return &talk{
		hello:  []exchange{{in(r, 100, 300), in(r, 60, 300), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 20, 240)), size: pickSize(r, span(n, n+14), digits(n, 100)), reply: fixed(in(r, 20, 80)), think: heavy(.05, .4)}, {gap: clock(choose(r, 60, 120), .2), size: fixed(in(r, 40, 160)), reply: fixed(in(r, 20, 60)), think: think(r)}},
		pushes: []push{{gap: heavy(400, .8), size: span(150, 900)}},
	}
}

func scanner(r *rand.Rand) *talk {
	n := in(r, 90, 220)
	return &talk{
		hello:  []exchange{{in(r, 200, 500), in(r, 129, 400), think(r)}},
		calls:  []call{{gap: heavy(uni(r, 6, 30), .8), size: pickSize(r, fixed(n), span(n, n+9)), reply: pickSize(r, span(80, 400), fixed(in(r, 50, 150))), think: heavy(.03, .5)}, {gap: clock(choose(r, 30, 60), .2), size: fixed(in(r, 10, 40)), reply: fixed(in(r, 10, 40)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 40, 200), .9), size: lognorm(350, .4, 3000)}},
	}
}

func webPush(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 350, 600), in(r, 129, 200), think(r)}, {in(r, 90, 160), in(r, 90, 160), think(r)}},
		calls:  []call{{gap: between(.005, .1), size: fixed(in(r, 90, 140)), react: 1}, {gap: clock(choose(r, 300, 1800), 5), size: fixed(2), reply: fixed(2), think: think(r)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 20, 200)), heavy(60, 1.4)), size: pickSize(r, lognorm(500, .4, 4000), span(380, 420))}},
	}
}

// pointToPoint is a tunnel by which a device is reached: echoes by a clock, and in
// it clocks, names and pushes of others, in packets of few lengths.
func pointToPoint(r *rand.Rand) *talk {
	echo := in(r, 14, 40)
	return &talk{
		hello:  []exchange{{in(r, 40, 120), in(r, 40, 120), think(r)}, {in(r, 30, 80), in(r, 30, 80), think(r)}},
		calls:  []call{{gap: clock(choose(r, 10, 20, 60), .05), size: fixed(echo), reply: fixed(echo), think: think(r)}, {gap: clock(64, 4), size: fixed(84), reply: fixed(84), think: think(r)}, {gap: poisson(logUni(r, 20, 200)), size: span(66, 100), reply: span(90, 260), think: heavy(.03, .4)}, {gap: clock(45, 3), size: fixed(60), reply: fixed(60), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 30, 200)), size: pick(60, 60, 112, 150, 210)}},
	}
}

func homeTunnel(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 300, 600), in(r, 32, 64), think(r)}, {32, 32, think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 50), .2), size: fixed(32), reply: fixed(32), think: think(r)}, {gap: between(.02, .2), size: lognorm(400, .7, 4000), react: 1}},
		pushes: []push{{gap: heavy(uni(r, 20, 120), 1.2), size: lognorm(600, .6, 4000)}},
	}
}

func relayRefresh(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{28, in(r, 100, 130), think(r)}, {in(r, 110, 140), in(r, 72, 110), think(r)}},
		calls:  []call{{gap: clock(choose(r, 25, 60), .2), size: fixed(20), reply: fixed(in(r, 32, 64)), think: think(r)}, {gap: clock(240, 2), size: fixed(in(r, 108, 140)), reply: fixed(in(r, 52, 72)), think: think(r)}, {gap: poisson(logUni(r, 10, 90)), size: fixed(in(r, 100, 160))}},
		pushes: []push{{gap: poisson(logUni(r, 10, 90)), size: fixed(in(r, 100, 160))}},
	}
}

func streamControl(r *rand.Rand) *talk {
	n := in(r, 150, 260)
	return &talk{
		hello:  []exchange{{in(r, 90, 140), in(r, 120, 250), think(r)}, {in(r, 120, 200), in(r, 500, 1200), think(r)}, {n, in(r, 180, 260), think(r)}},
		calls:  []call{{gap: clock(choose(r, 15, 30, 55), .05), size: digits(n, 5), reply: digits(in(r, 70, 120), 5), think: think(r)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 10, 120)), heavy(40, 1.2)), size: pickSize(r, fixed(in(r, 200, 600)), lognorm(400, .3, 3000))}},
	}
}

// hubMethods calls methods that give a result of one length, and is told of
// changes.
func hubMethods(r *rand.Rand) *talk {
	n, m := in(r, 70, 220), in(r, 90, 400)
	return &talk{
		hello:  []exchange{{in(r, 400, 800), in(r, 129, 250), think(r)}, {32, 3, think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 8, 60), 1.2), poisson(logUni(r, 8, 90))), size: pickSize(r, digits(n, 0), span(n, n+20)), reply: pickSize(r, digits(in(r, 36, 60), 0), lognorm(200, .4, 2000)), think: heavy(.02, .5)}, {gap: clock(15, .05), size: fixed(11)}},
		pushes: []push{{gap: clock(15, .05), size: fixed(11)}, {gap: pickDist(r, poisson(logUni(r, 4, 90)), clock(choose(r, 1, 5, 10), .05)), size: pickSize(r, span(m, m+3), lognorm(float(m), .3, 3000))}},
	}
}

// privateSocket is an exchange's channel of one account: orders, their receipts
// and what became of them, and the balance.
func privateSocket(r *rand.Rand) *talk {
	n, a := in(r, 180, 320), in(r, 100, 260)
	return &talk{
		hello:  []exchange{{in(r, 300, 600), in(r, 129, 250), think(r)}, {in(r, 180, 320), in(r, 60, 160), think(r)}},
		calls:  []call{{gap: pickDist(r, poisson(logUni(r, 3, 60)), heavy(uni(r, 5, 60), 1.1)), size: span(n, n+in(r, 2, 14)), reply: span(a, a+in(r, 0, 6)), think: heavy(.01, .5), then: uni(r, .3, 1), after: 1}, {gap: clock(choose(r, 15, 20, 30), .1), size: fixed(in(r, 4, 16)), reply: fixed(in(r, 4, 16)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 20, 200)), size: span(360, 420)}, {gap: poisson(logUni(r, 30, 300)), size: span(180, 240)}},
	}
}

// telemetryAck tells values and is answered by one length; settings are pushed.
func telemetryAck(r *rand.Rand) *talk {
	n := in(r, 90, 400)
	return &talk{
		hello:  []exchange{{in(r, 80, 300), in(r, 4, 200), think(r)}, {in(r, 40, 90), in(r, 5, 60), think(r)}},
		calls:  []call{{gap: pickDist(r, clock(choose(r, 5, 10, 30, 60), .3), heavy(uni(r, 10, 60), .4), poisson(logUni(r, 8, 90))), size: pickSize(r, span(n, n+8), fixed(n), lognorm(float(n), .1, 2000)), reply: pickSize(r, fixed(4), fixed(in(r, 18, 60))), think: heavy(.03, .4)}, {gap: clock(choose(r, 45, 60), .1), size: fixed(2), reply: fixed(2), think: think(r), idle: true}},
		pushes: []push{{gap: poisson(logUni(r, 60, 600)), size: pickSize(r, fixed(in(r, 60, 400)), lognorm(180, .4, 1500))}},
	}
}

// shadowDeltas reports a state, which is accepted in full, and is told what it
// should be.
func shadowDeltas(r *rand.Rand) *talk {
	n := in(r, 180, 420)
	return &talk{
		hello:  []exchange{{in(r, 60, 200), 4, think(r)}, {in(r, 120, 300), in(r, 9, 14), think(r)}},
		calls:  []call{{gap: pickDist(r, poisson(logUni(r, 10, 120)), clock(choose(r, 15, 60), 1)), size: span(n, n+6), reply: span(n+140, n+150), think: heavy(.06, .3)}, {gap: clock(30, .1), size: fixed(2), reply: fixed(2), think: think(r), idle: true}},
		pushes: []push{{gap: poisson(logUni(r, 40, 400)), size: span(n+60, n+66)}},
	}
}

func phoneLink(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 600, 1200), in(r, 600, 1200), think(r)}},
		calls:  []call{{gap: heavy(uni(r, 60, 300), .8), size: digits(in(r, 95, 120), 1), reply: fixed(in(r, 80, 130)), think: think(r)}, {gap: heavy(uni(r, 30, 120), 1.1), size: lognorm(350, .4, 3000)}},
		pushes: []push{{gap: heavy(uni(r, 30, 120), 1.1), size: lognorm(300, .4, 3000)}, {gap: clock(60, 3), size: span(105, 108)}},
	}
}

func lobby(r *rand.Rand) *talk {
	n := in(r, 60, 200)
	return &talk{
		hello:  []exchange{{in(r, 200, 600), in(r, 100, 900), think(r)}},
		calls:  []call{{gap: clock(choose(r, 5, 10, 20), .1), size: fixed(in(r, 17, 60)), reply: fixed(in(r, 17, 60)), think: think(r)}, {gap: heavy(uni(r, 15, 60), 1.2), size: span(n, n+40), reply: fixed(in(r, 20, 60)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 4, 40)), size: pickSize(r, span(90, 140), fixed(in(r, 80, 240)), lognorm(150, .3, 2000))}},
	}
}
