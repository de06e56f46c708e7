package main

import "math/rand/v2"

// moreServices are further kinds that homes and those who work in them talk to
// for hours (plan -set more): clouds of devices, messengers, relays, feeds,
// tools. Several are as near to a miner's talk as can be thought of: events of
// one length at random times, each answered by one length, and constant
// messages that come unasked.
var moreServices = []spec{
	{"cloud", "tuya-like", deviceCloud},
	{"cloud", "appliance-shadow", shadow},
	{"cloud", "weather-station", station},
	{"cloud", "robot-vacuum", vacuum},
	{"cloud", "voice-assistant", assistant},
	{"messenger", "padded-messages", paddedMessages},
	{"messenger", "phone-linked", phoneLinked},
	{"messenger", "team-chat", teamChat},
	{"games", "store-client", storeClient},
	{"games", "chess", chess},
	{"gateway", "chat-gateway", chatGateway},
	{"relay", "note-relay", noteRelay},
	{"relay", "mesh-relay", meshRelay},
	{"relay", "file-sync", fileSync},
	{"channel", "payment-channel", paymentChannel},
	{"scrape", "metrics-scrape", scrape},
	{"scrape", "traces-export", traces},
	{"stream", "log-producer", producer},
	{"stream", "listen-notify", listenNotify},
	{"stream", "tick-stream", tickStream},
	{"stream", "watch", watch},
	{"stream", "stream-group", streamGroup},
	{"desk", "remote-editor", editor},
	{"desk", "remote-procedure-worker", rpcWorker},
	{"dashboard", "zigbee-dashboard", zigbee},
	{"dashboard", "home-actions", homeActions},
	{"dashboard", "live-state", liveState},
	{"shop", "card-terminal", cardTerminal},
	{"shop", "door-access", doorAccess},
	{"shop", "visitor-counter", visitorCounter},
	{"validator", "beacon-events", beacon},
	{"notice", "topic-socket", topicSocket},
}

func deviceCloud(r *rand.Rand) *talk {
	n, beat := in(r, 60, 180), in(r, 24, 60)
	t := &talk{
		hello:  []exchange{{in(r, 100, 400), in(r, 60, 200), think(r)}},
		calls:  []call{{gap: clock(choose(r, 9, 10, 25, 55, 60), .1), size: fixed(beat), reply: fixed(beat), think: think(r)}, {gap: pickDist(r, poisson(logUni(r, 15, 200)), clock(uni(r, 20, 120), 1)), size: pickSize(r, fixed(n), span(n, n+6)), reply: pickSize(r, nil, fixed(in(r, 20, 60))), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 60, 300), 1.2), size: span(n, n+30)}},
	}
	return t
}

// shadow keeps a copy of a device's state: reports, each accepted with the
// state repeated, and what others want pushed.
func shadow(r *rand.Rand) *talk {
	n := in(r, 120, 420)
	return &talk{
		hello:  []exchange{{in(r, 60, 200), 4, think(r)}, {in(r, 60, 160), 5, think(r)}},
		calls:  []call{{gap: pickDist(r, poisson(logUni(r, 10, 120)), heavy(uni(r, 10, 90), .8)), size: span(n, n+in(r, 0, 4)), reply: span(n+in(r, 80, 260), n+in(r, 260, 300)), think: think(r)}, {gap: clock(choose(r, 30, 60, 300), .2), size: fixed(2), reply: fixed(2), think: think(r), idle: true}},
		pushes: []push{{gap: heavy(uni(r, 60, 400), 1), size: span(n, n+60)}},
	}
}

func station(r *rand.Rand) *talk {
	n := in(r, 300, 700)
	return &talk{calls: []call{{gap: clock(choose(r, 8, 16, 30, 60), .3), size: span(n, n+in(r, 0, 9)), reply: fixed(in(r, 100, 260)), think: heavy(.02, .5)}}}
}

func vacuum(r *rand.Rand) *talk {
	n := in(r, 150, 600)
	return &talk{
		hello:  []exchange{{in(r, 80, 200), 4, think(r)}, {in(r, 40, 120), 5, think(r)}},
		calls:  []call{{gap: clock(choose(r, 1, 2, 5), .1), size: lognorm(float(n), .2, 4000)}, {gap: heavy(20, .8), size: span(120, 160), reply: fixed(4), think: think(r)}},
		pushes: []push{{gap: heavy(90, 1), size: span(100, 240)}},
	}
}

func assistant(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 60, 120), in(r, 40, 90), think(r)}, {in(r, 600, 1500), in(r, 60, 200), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 60, 240), .3), size: fixed(17), reply: fixed(17), think: think(r)}, {gap: heavy(uni(r, 40, 200), 1), size: span(700, 1300), reply: fixed(in(r, 40, 90)), think: heavy(.03, .5)}},
		pushes: []push{{gap: heavy(uni(r, 40, 300), 1), size: lognorm(900, .5, 5000)}},
	}
}

// paddedMessages rounds every message up to a multiple of 160 bytes and
// acknowledges each.
func paddedMessages(r *rand.Rand) *talk {
	padded := func(median float64, more int) sizer {
		s := lognorm(median, .6, 3000)
		return func(r *rand.Rand, n int) int { return (s(r, n)+159)/160*160 + more }
	}
	head := in(r, 120, 260)
	return &talk{
		hello: []exchange{{in(r, 300, 600), in(r, 129, 250), think(r)}},
		calls: []call{{gap: between(.002, .1), size: fixed(in(r, 20, 50)), react: 1},
			{gap: heavy(uni(r, 15, 120), 1.2), size: padded(200, head), reply: fixed(in(r, 30, 90)), think: heavy(.03, .5)},
			{gap: clock(choose(r, 30, 55), .1), size: fixed(in(r, 30, 60)), reply: fixed(in(r, 12, 40)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 10, 120), 1.2), size: padded(150, head+40)}},
	}
}

func phoneLinked(r *rand.Rand) *talk {
	return &talk{
		hello: []exchange{{in(r, 40, 60), in(r, 300, 400), think(r)}, {in(r, 200, 500), in(r, 60, 1500), think(r)}},
		calls: []call{{gap: between(.002, .2), size: span(in(r, 40, 60), 70), react: 1},
			{gap: clock(choose(r, 20, 25, 30), 4), size: fixed(in(r, 26, 40)), reply: fixed(in(r, 30, 50)), think: think(r)},
			{gap: heavy(uni(r, 20, 90), 1.3), size: lognorm(320, .3, 2000), reply: span(45, 60), think: heavy(.05, .5)}},
		pushes: []push{{gap: heavy(uni(r, 10, 90), 1.3), size: lognorm(300, .5, 3000)}},
	}
}

func teamChat(r *rand.Rand) *talk {
	ping := in(r, 25, 50)
	return &talk{
		hello:  []exchange{{in(r, 400, 900), in(r, 129, 300), think(r)}},
		calls:  []call{{gap: clock(choose(r, 5, 10, 30), .1), size: digits(ping, 1), reply: digits(ping+in(r, 2, 20), 1), think: think(r)}, {gap: heavy(60, 1.2), size: span(60, 110), reply: span(50, 80), think: heavy(.03, .5)}},
		pushes: []push{{gap: heavy(uni(r, 10, 100), 1.3), size: lognorm(400, .6, 4000)}, {gap: poisson(uni(r, 20, 90)), size: span(90, 110)}},
	}
}

func storeClient(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 100, 300), in(r, 200, 3000), think(r)}},
		calls:  []call{{gap: clock(choose(r, 9, 10, 30), .05), size: fixed(in(r, 20, 40))}},
		pushes: []push{{gap: heavy(uni(r, 10, 60), 1.2), size: lognorm(180, .5, 3000)}, {gap: poisson(120), size: fixed(in(r, 60, 200))}},
	}
}

func chess(r *rand.Rand) *talk {
	n := in(r, 36, 60)
	return &talk{
		hello:  []exchange{{in(r, 500, 900), in(r, 129, 220), think(r)}},
		calls:  []call{{gap: clock(2.5, .1), size: fixed(4), reply: fixed(1), think: think(r)}, {gap: heavy(uni(r, 6, 25), .9), size: fixed(n), reply: span(in(r, 100, 140), 180), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 6, 25), .9), size: span(110, 190)}, {gap: heavy(60, 1), size: lognorm(200, .5, 2000)}},
	}
}

func chatGateway(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 350, 600), in(r, 200, 400), think(r)}, {in(r, 300, 600), in(r, 5000, 30000), heavy(.1, .4)}},
		calls:  []call{{gap: clock(41.25, .1), size: digits(16, 1), reply: fixed(in(r, 10, 18)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 1, 30)), size: lognorm(uni(r, 120, 400), .5, 4000)}, {gap: poisson(logUni(r, 5, 60)), size: fixed(in(r, 60, 140))}},
	}
}

// noteRelay stores signed notes: what a client publishes is answered with the
// note's hash, one length always; other people's notes come unasked.
func noteRelay(r *rand.Rand) *talk {
	n := in(r, 380, 520)
	return &talk{
		hello:  []exchange{{in(r, 250, 500), in(r, 129, 250), think(r)}, {in(r, 80, 400), in(r, 400, 9000), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 20, 90), 1.1), poisson(logUni(r, 15, 90))), size: pickSize(r, lognorm(float(n), .3, 3000), span(n, n+30)), reply: fixed(in(r, 79, 84)), think: heavy(.02, .5)}},
		pushes: []push{{gap: poisson(logUni(r, 3, 60)), size: lognorm(600, .4, 4000)}},
	}
}

func meshRelay(r *rand.Rand) *talk {
	n := in(r, 50, 140)
	return &talk{
		hello:  []exchange{{in(r, 120, 400), in(r, 120, 300), think(r)}, {in(r, 150, 250), in(r, 60, 140), think(r)}},
		calls:  []call{{gap: heavy(uni(r, 20, 90), .8), size: pickSize(r, fixed(n+32), lognorm(120, .4, 1400))}, {gap: clock(uni(r, 50, 70), 2), size: fixed(in(r, 13, 40)), reply: fixed(in(r, 13, 40)), think: think(r)}},
		pushes: []push{{gap: clock(60, 4), size: fixed(in(r, 5, 40))}, {gap: heavy(uni(r, 15, 90), .8), size: pickSize(r, fixed(n+60), lognorm(140, .4, 1400))}},
	}
}

func fileSync(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 100, 200), in(r, 100, 200), think(r)}, {in(r, 300, 3000), in(r, 300, 3000), think(r)}},
		calls:  []call{{gap: clock(90, .3), size: fixed(8)}, {gap: heavy(uni(r, 30, 120), 1), size: span(150, 420)}},
		pushes: []push{{gap: clock(90, .3), size: fixed(8)}, {gap: heavy(uni(r, 30, 120), 1), size: span(150, 420)}},
	}
}

// paymentChannel keeps channels of payments with a peer: pings of chosen
// lengths, gossip, and now and then the fixed dance of a payment.
func paymentChannel(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 60, 80), in(r, 60, 80), think(r)}, {in(r, 150, 260), in(r, 150, 260), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 60), 5), size: fixed(in(r, 40, 90)), reply: fixed(in(r, 30, 90)), think: think(r)}, {gap: poisson(logUni(r, 20, 200)), size: fixed(1450 + 36), reply: fixed(98 + 36), think: heavy(.05, .5)}, {gap: poisson(logUni(r, 30, 200)), size: fixed(98 + 36), reply: fixed(99 + 36), think: heavy(.05, .4)}},
		pushes: []push{{gap: poisson(logUni(r, 2, 30)), size: pick(174, 174, 172, 466)}, {gap: poisson(120), size: fixed(1450 + 36)}},
	}
}

func scrape(r *rand.Rand) *talk {
	n := in(r, 1500, 9000)
	return &talk{calls: []call{{gap: clock(choose(r, 10, 15, 30), .01), size: fixed(in(r, 180, 300)), reply: lognorm(float(n), .01, 12000), think: heavy(.01, .3)}}}
}

func traces(r *rand.Rand) *talk {
	n := in(r, 400, 1500)
	return &talk{
		hello: []exchange{{in(r, 60, 90), in(r, 30, 60), think(r)}},
		calls: []call{{gap: pickDist(r, clock(choose(r, 5, 10, 30), .1), poisson(logUni(r, 4, 30))), size: lognorm(float(n), uni(r, .02, .5), 6000), reply: fixed(in(r, 30, 70)), think: heavy(.01, .4)}},
	}
}

func producer(r *rand.Rand) *talk {
	n := in(r, 130, 600)
	return &talk{
		hello: []exchange{{in(r, 30, 60), in(r, 300, 600), think(r)}, {in(r, 40, 90), in(r, 120, 500), think(r)}},
		calls: []call{{gap: poisson(logUni(r, 2, 60)), size: pickSize(r, fixed(n), span(n, n+20), lognorm(float(n), .3, 3000)), reply: fixed(in(r, 40, 70)), think: heavy(.005, .4)}, {gap: clock(choose(r, 60, 300), 1), size: fixed(in(r, 40, 90)), reply: fixed(in(r, 120, 500)), think: think(r)}},
	}
}

func listenNotify(r *rand.Rand) *talk {
	n := in(r, 40, 300)
	t := &talk{
		hello:  []exchange{{in(r, 60, 130), in(r, 300, 520), think(r)}, {in(r, 15, 40), in(r, 14, 30), think(r)}},
		calls:  []call{{gap: clock(choose(r, 10, 30, 60), .1), size: fixed(14), reply: fixed(in(r, 62, 72)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 4, 120)), size: pickSize(r, fixed(n), span(n, n+4))}},
	}
	if one(r, .6) { // a query for each
		t.calls = append(t.calls, call{gap: between(.001, .03), size: span(in(r, 80, 200), 210), reply: lognorm(400, .5, 4000), think: heavy(.003, .5), react: 1})
	}
	if one(r, .5) { // and now and then something is written
		t.calls = append(t.calls, call{gap: poisson(logUni(r, 10, 90)), size: fixed(in(r, 120, 300)), reply: fixed(in(r, 20, 60)), think: heavy(.003, .5)})
	}
	return t
}

func tickStream(r *rand.Rand) *talk {
	n := in(r, 40, 160)
	return &talk{
		hello:  []exchange{{in(r, 60, 90), in(r, 30, 60), think(r)}, {in(r, 120, 300), in(r, 60, 200), think(r)}},
		calls:  []call{{gap: clock(choose(r, 10, 20), .05), size: fixed(17), reply: fixed(17), think: think(r)}, {gap: heavy(uni(r, 4, 20), .4), size: fixed(13)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, .2, 5)), heavy(logUni(r, .3, 4), 1)), size: span(n, n+in(r, 1, 10))}},
	}
}

func watch(r *rand.Rand) *talk {
	n := in(r, 900, 5000)
	return &talk{
		hello:  []exchange{{in(r, 200, 500), in(r, 100, 300), think(r)}},
		calls:  []call{{gap: clock(choose(r, 15, 30), .05), size: fixed(17), reply: fixed(17), think: think(r)}, {gap: clock(choose(r, 2, 10), .1), size: fixed(in(r, 80, 400)), reply: span(in(r, 300, 600), 620), think: heavy(.005, .5)}},
		pushes: []push{{gap: heavy(uni(r, 5, 60), 1), size: lognorm(float(n), .2, 9000)}, {gap: clock(60, .5), size: fixed(in(r, 150, 300))}},
	}
}

func streamGroup(r *rand.Rand) *talk {
	n := in(r, 100, 500)
	return &talk{
		hello: []exchange{{in(r, 30, 90), in(r, 5, 60), think(r)}},
		calls: []call{{gap: between(.001, .02), size: fixed(in(r, 80, 130)), reply: mostly(uni(r, .3, .9), span(n, n+8), fixed(5)), think: either(.5, clock(5, .01), poisson(3)), wait: true}, {gap: poisson(logUni(r, 4, 40)), size: fixed(in(r, 60, 110)), reply: fixed(4), think: think(r)}},
	}
}

func editor(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 300, 700), in(r, 129, 250), think(r)}, {in(r, 200, 900), in(r, 500, 9000), think(r)}},
		calls:  []call{{gap: clock(5, .05), size: fixed(13), reply: fixed(13), think: think(r)}, {gap: heavy(uni(r, 1, 8), 1.5), size: lognorm(180, .5, 3000), reply: lognorm(300, .8, 9000), think: heavy(.01, .6)}},
		pushes: []push{{gap: heavy(uni(r, 5, 40), 1.3), size: lognorm(250, .7, 6000)}},
	}
}

// rpcWorker is pushed tasks, and answers each with a result of its own length.
func rpcWorker(r *rand.Rand) *talk {
	n, a := in(r, 150, 500), in(r, 80, 300)
	return &talk{
		hello:  []exchange{{in(r, 200, 450), in(r, 20, 400), think(r)}, {in(r, 30, 60), in(r, 16, 40), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(logUni(r, .05, 5), .5), poisson(logUni(r, .5, 10))), size: pickSize(r, fixed(a), span(a, a+9)), reply: fixed(in(r, 21, 40)), think: think(r), react: 1}, {gap: clock(choose(r, 30, 60), .05), size: fixed(8)}},
		pushes: []push{{gap: poisson(logUni(r, 4, 60)), size: pickSize(r, fixed(n), span(n, n+6))}, {gap: clock(30, .05), size: fixed(8)}},
	}
}

func zigbee(r *rand.Rand) *talk {
	n := in(r, 150, 400)
	return &talk{
		hello:  []exchange{{in(r, 300, 600), in(r, 129, 200), think(r)}},
		calls:  []call{{gap: clock(choose(r, 20, 30, 45), .1), size: fixed(in(r, 6, 30)), reply: fixed(in(r, 2, 30)), think: think(r)}, {gap: heavy(uni(r, 40, 200), 1.2), size: span(60, 140), reply: span(n, n+8), think: heavy(.1, .4)}},
		pushes: []push{{gap: poisson(logUni(r, 2, 40)), size: pickSize(r, span(n, n+3), span(n, n+30), lognorm(float(n), .2, 1500))}},
	}
}

// homeActions are a person's or a script's actions, each with a result of one
// length and a change of state that follows it.
func homeActions(r *rand.Rand) *talk {
	n, s := in(r, 110, 190), in(r, 380, 700)
	return &talk{
		hello:  []exchange{{in(r, 300, 500), in(r, 129, 200), think(r)}, {in(r, 200, 260), in(r, 50, 90), think(r)}, {in(r, 40, 90), in(r, 40, 20000), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 20, 120), 1.2), poisson(logUni(r, 15, 120))), size: pickSize(r, digits(n, 20), span(n, n+20)), reply: digits(in(r, 90, 130), 20), think: think(r), then: .9, after: 1}, {gap: clock(choose(r, 30, 55), .05), size: digits(26, 5), reply: digits(25, 5), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 4, 60)), size: span(s, s+in(r, 4, 90))}},
	}
}

// liveState streams a state of one length by a fast clock and takes clicks.
func liveState(r *rand.Rand) *talk {
	n := in(r, 150, 450)
	t := &talk{
		hello:  []exchange{{in(r, 300, 600), in(r, 129, 250), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 8, 60), 1.1), poisson(logUni(r, 8, 90))), size: pickSize(r, fixed(in(r, 60, 240)), span(80, 140))}},
		pushes: []push{{gap: clock(choose(r, .5, 1, 2), .02), size: pickSize(r, fixed(n), span(n, n+4), span(n, n+20))}},
	}
	if one(r, .5) { // and answers a click at once
		t.calls[0].reply, t.calls[0].think = span(n, n+4), think(r)
	}
	return t
}

// cardTerminal pays: one length asked, one of two answered, at random times.
func cardTerminal(r *rand.Rand) *talk {
	n := in(r, 240, 520)
	return &talk{
		hello:  []exchange{{in(r, 100, 400), in(r, 100, 600), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 20, 200)), size: span(n, n+in(r, 0, 12)), reply: pick(in(r, 150, 260), in(r, 150, 260)), think: heavy(.5, .5)}, {gap: clock(choose(r, 30, 60), .2), size: fixed(in(r, 20, 60)), reply: fixed(in(r, 20, 60)), think: think(r)}},
		pushes: []push{{gap: heavy(400, 1), size: span(100, 900)}},
	}
}

// doorAccess tells of cards, each with one length, answered with one length;
// the list of who may enter is pushed as it changes.
func doorAccess(r *rand.Rand) *talk {
	n := in(r, 120, 260)
	return &talk{
		hello:  []exchange{{in(r, 100, 400), in(r, 100, 900), think(r)}},
		calls:  []call{{gap: pickDist(r, poisson(logUni(r, 10, 120)), heavy(uni(r, 8, 60), 1.2)), size: pickSize(r, digits(n, 1), fixed(n)), reply: pickSize(r, fixed(in(r, 40, 100)), digits(in(r, 40, 90), 1)), think: think(r)}, {gap: clock(choose(r, 20, 30, 60), .1), size: fixed(in(r, 30, 80)), reply: fixed(in(r, 30, 80)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 60, 300), 1), size: pickSize(r, span(120, 400), lognorm(300, .3, 2000))}},
	}
}

func visitorCounter(r *rand.Rand) *talk {
	n := in(r, 100, 240)
	return &talk{
		hello:  []exchange{{in(r, 150, 500), in(r, 60, 300), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 4, 60)), size: span(n, n+in(r, 0, 3)), reply: fixed(in(r, 20, 110)), think: think(r)}},
		pushes: []push{{gap: clock(choose(r, 30, 60, 300), .3), size: fixed(in(r, 40, 200))}},
	}
}

// beacon is a validator's client: slots by a clock, votes each 6.4 minutes.
func beacon(r *rand.Rand) *talk {
	n := in(r, 220, 420)
	return &talk{
		hello:  []exchange{{in(r, 200, 400), in(r, 150, 300), think(r)}},
		calls:  []call{{gap: clock(384, 30), size: fixed(in(r, 400, 700)), reply: fixed(in(r, 80, 120)), think: heavy(.01, .4)}, {gap: clock(12, .5), size: fixed(in(r, 150, 260)), reply: span(in(r, 300, 600), 640), think: heavy(.01, .4)}},
		pushes: []push{{gap: clock(12, .8), size: span(n, n+2)}},
	}
}

func topicSocket(r *rand.Rand) *talk {
	n := in(r, 120, 300)
	return &talk{
		hello:  []exchange{{in(r, 250, 500), in(r, 129, 200), think(r)}, {2, in(r, 60, 100), think(r)}},
		pushes: []push{{gap: clock(choose(r, 30, 45, 55), .1), size: fixed(in(r, 80, 110))}, {gap: pickDist(r, poisson(logUni(r, 10, 200)), heavy(60, 1.2)), size: pickSize(r, fixed(n), lognorm(float(n), .4, 4000))}},
	}
}
