package main

import "math/rand/v2"

// homeServices are what a home's devices and programs keep connections for (plan
// -set home), kinds that no other set has and that nothing has been learnt from: most
// with the lengths that their protocols give them, the last eight of them as near to a
// miner's talk as such a service can be.
var homeServices = []spec{
	{"phone", "push-courier", pushCourier},
	{"phone", "message-stream", messageStream},
	{"tv", "cast-control", castControl},
	{"console", "friends-presence", friendsPresence},
	{"hub", "cloud-bridge", cloudBridge},
	{"nas", "folder-notices", folderNotices},
	{"launcher", "launcher-chat", launcherChat},
	{"chat", "sync-poll", syncPoll},
	{"bank", "account-feed", accountFeed},
	{"car", "car-stream", carStream},
	{"garden", "mower", mower},
	{"camera", "pet-camera", petCamera},
	{"camera", "doorbell", doorbell},
	{"printer", "printer-cloud", printerCloud},
	{"remote", "remote-hub", remoteHub},
	{"music", "player-sync", playerSync},
	{"editor", "shared-document", sharedDocument},
	{"editor", "language-server", languageServer},
	{"assistant", "answer-stream", answerStream},
	{"sports", "score-ticker", scoreTicker},
	{"weather", "wind-socket", windSocket},
	{"solar", "inverter-logger", inverterLogger},
	// miner-like
	{"nursery", "baby-monitor", babyMonitor},
	{"battery", "grid-dispatch", gridDispatch},
	{"lock", "lock-bridge", lockBridge},
	{"meter", "pulse-meter", pulseMeter},
	{"quiz", "live-quiz", liveQuiz},
	{"game", "idle-game", idleGame},
	{"betting", "live-odds", liveOdds},
	{"classroom", "live-poll", livePoll},
}

// pushCourier is a phone's connection for notices: binary frames, each notice
// acknowledged by one of few bytes, an echo after a quarter of an hour.
func pushCourier(r *rand.Rand) *talk {
	ack := in(r, 22, 48)
	return &talk{
		hello: []exchange{{in(r, 330, 420), in(r, 60, 90), think(r)}, {in(r, 120, 900), in(r, 5, 30), think(r)}},
		calls: []call{{gap: between(.003, .08), size: fixed(ack), react: 1}, {gap: clock(choose(r, 120, 300, 600), 5), size: fixed(5), reply: fixed(5), think: think(r)},
			{gap: heavy(uni(r, 120, 500), 1), size: span(60, 400), reply: fixed(ack + 4), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 30, 240), 1.3), size: lognorm(uni(r, 350, 900), .5, 4096)}},
	}
}

// messageStream is another phone's: heartbeats, and data messages of which only
// each tenth or so is acknowledged.
func messageStream(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 180, 420), in(r, 30, 160), think(r)}},
		calls:  []call{{gap: clock(choose(r, 60, 240, 540), 3), size: fixed(in(r, 5, 14)), reply: fixed(in(r, 5, 14)), think: think(r)}, {gap: heavy(uni(r, 120, 600), .7), size: span(20, 90)}},
		pushes: []push{{gap: heavy(uni(r, 15, 200), 1.3), size: lognorm(uni(r, 260, 600), .45, 4096)}},
	}
}

// castControl steers a TV: protocol buffers that hold JSON, a ping each five
// seconds from both sides, states when something is played.
func castControl(r *rand.Rand) *talk {
	ping, n := in(r, 84, 98), in(r, 480, 1100)
	return &talk{
		hello:  []exchange{{in(r, 110, 190), in(r, 84, 98), think(r)}, {in(r, 95, 130), in(r, 350, 700), think(r)}},
		calls:  []call{{gap: clock(5, .02), size: fixed(ping), reply: fixed(ping), think: think(r)}, {gap: heavy(uni(r, 20, 120), 1.2), size: digits(in(r, 110, 170), 1), reply: digits(n, 1), think: heavy(.02, .5)}},
		pushes: []push{{gap: pickDist(r, clock(choose(r, 5, 10), .05), heavy(uni(r, 10, 90), 1)), size: pickSize(r, span(n, n+12), lognorm(float(n), .15, 3000))}},
	}
}

func friendsPresence(r *rand.Rand) *talk {
	n := in(r, 90, 210)
	return &talk{
		hello:  []exchange{{in(r, 900, 1900), in(r, 129, 200), think(r)}, {in(r, 150, 320), in(r, 300, 900), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 60), .1), size: fixed(in(r, 2, 20)), reply: fixed(in(r, 2, 20)), think: think(r)}, {gap: heavy(uni(r, 60, 300), 1), size: span(150, 330), reply: span(120, 500), think: heavy(.04, .4)}},
		pushes: []push{{gap: poisson(logUni(r, 6, 120)), size: pickSize(r, span(n, n+16), lognorm(float(n), .25, 2000))}},
	}
}

// cloudBridge hands a hub's events up, each with a receipt, and commands down, each
// answered by what became of it.
func cloudBridge(r *rand.Rand) *talk {
	n := in(r, 180, 420)
	return &talk{
		hello: []exchange{{in(r, 120, 500), in(r, 20, 120), think(r)}},
		calls: []call{{gap: pickDist(r, poisson(logUni(r, 6, 60)), heavy(uni(r, 10, 60), 1.1)), size: pickSize(r, lognorm(float(n), .25, 2000), pick(n, n+13, n+28, n+61), span(n, n+40)), reply: fixed(in(r, 14, 60)), think: heavy(.03, .4)},
			{gap: between(.05, .4), size: span(n, n+30), react: 1}, {gap: clock(choose(r, 15, 30, 60), .1), size: fixed(in(r, 2, 30)), reply: fixed(in(r, 2, 30)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 40, 300), 1.1), size: span(n-40, n+90)}},
	}
}

// folderNotices asks whether a folder has changed, an answer that comes when it
// has or after half a minute, and then for what.
func folderNotices(r *rand.Rand) *talk {
	head := in(r, 260, 620)
	return &talk{
		calls: []call{{gap: between(.01, .2), size: fixed(head), reply: mostly(uni(r, .6, .95), fixed(in(r, 180, 330)), span(200, 360)), think: either(.7, clock(choose(r, 30, 60), .1), between(1, 29)), wait: true},
			{gap: heavy(uni(r, 60, 240), 1), size: fixed(head + in(r, 20, 160)), reply: lognorm(1200, .7, 9000), think: heavy(.05, .5)}},
	}
}

// launcherChat is a games launcher's: presence of friends in XML, and blanks to
// keep the line.
func launcherChat(r *rand.Rand) *talk {
	n := in(r, 380, 760)
	return &talk{
		hello:  []exchange{{in(r, 120, 190), in(r, 300, 700), think(r)}, {in(r, 600, 1600), in(r, 50, 120), think(r)}, {in(r, 110, 240), in(r, 180, 400), think(r)}},
		calls:  []call{{gap: clock(choose(r, 60, 150), .2), size: fixed(1)}, {gap: heavy(uni(r, 90, 400), 1), size: lognorm(float(n), .2, 3000)}},
		pushes: []push{{gap: poisson(logUni(r, 8, 120)), size: pickSize(r, lognorm(float(n), .2, 3000), span(n, n+25), pick(n, n+7, n+40))}},
	}
}

func syncPoll(r *rand.Rand) *talk {
	head, none := in(r, 300, 520), in(r, 160, 420)
	return &talk{
		hello: []exchange{{head + 40, in(r, 2000, 9000), heavy(.1, .5)}},
		calls: []call{{gap: between(.005, .1), size: span(head, head+3), reply: mostly(uni(r, .4, .9), fixed(none), lognorm(1400, .6, 9000)), think: pickDist(r, either(.6, clock(30, .05), between(.5, 29)), heavy(12, .8)), wait: true},
			{gap: heavy(uni(r, 60, 240), 1.2), size: lognorm(float(head+180), .15, 3000), reply: fixed(in(r, 180, 300)), think: heavy(.04, .5)}},
	}
}

func accountFeed(r *rand.Rand) *talk {
	beat := in(r, 18, 60)
	return &talk{
		hello:  []exchange{{in(r, 800, 1900), in(r, 129, 260), think(r)}, {in(r, 120, 300), in(r, 60, 900), think(r)}},
		calls:  []call{{gap: clock(choose(r, 10, 20, 30), .1), size: fixed(beat), reply: fixed(beat), think: think(r)}, {gap: heavy(uni(r, 60, 300), 1), size: span(140, 260), reply: lognorm(900, .5, 6000), think: heavy(.08, .5)}},
		pushes: []push{{gap: heavy(uni(r, 60, 300), 1), size: span(280, 420)}},
	}
}

// carStream is pushed what a car measures, comma separated, while somebody looks.
func carStream(r *rand.Rand) *talk {
	n := in(r, 96, 170)
	return &talk{
		hello:  []exchange{{in(r, 250, 500), in(r, 129, 200), think(r)}, {in(r, 180, 420), in(r, 60, 90), think(r)}},
		calls:  []call{{gap: clock(choose(r, 10, 30), .2), size: fixed(in(r, 6, 30)), reply: fixed(in(r, 6, 30)), think: think(r)}, {gap: heavy(uni(r, 60, 300), 1), size: span(120, 220), reply: span(80, 130), think: heavy(.3, .4)}},
		pushes: []push{{gap: pickDist(r, clock(choose(r, 1, 2, 5), .1), heavy(uni(r, 2, 20), .8)), size: span(n, n+12)}},
	}
}

func mower(r *rand.Rand) *talk {
	n := in(r, 130, 520)
	return &talk{
		hello:  []exchange{{in(r, 90, 300), 4, think(r)}, {in(r, 60, 160), 5, think(r)}},
		calls:  []call{{gap: pickDist(r, clock(choose(r, 5, 10, 30), .2), heavy(uni(r, 8, 40), .9)), size: lognorm(float(n), .12, 2000), reply: fixed(4), think: think(r)}, {gap: clock(choose(r, 30, 60), .1), size: fixed(2), reply: fixed(2), think: think(r), idle: true}},
		pushes: []push{{gap: heavy(uni(r, 90, 500), 1), size: span(90, 260)}},
	}
}

// petCamera tells of movements, each with a receipt, and is told of who wants to
// look.
func petCamera(r *rand.Rand) *talk {
	n := in(r, 240, 600)
	return &talk{
		hello:  []exchange{{in(r, 150, 500), in(r, 60, 220), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 15, 240)), size: pickSize(r, span(n, n+in(r, 2, 12)), fixed(n), lognorm(float(n), .1, 2000)), reply: pickSize(r, fixed(in(r, 40, 110)), span(120, 260)), think: heavy(.05, .4)}, {gap: clock(choose(r, 10, 20, 25), .1), size: fixed(in(r, 20, 60)), reply: fixed(in(r, 20, 60)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 60, 400), 1.1), size: lognorm(uni(r, 180, 700), .4, 3000)}},
	}
}

func doorbell(r *rand.Rand) *talk {
	n := in(r, 300, 700)
	return &talk{
		hello:  []exchange{{in(r, 200, 900), in(r, 80, 300), think(r)}},
		calls:  []call{{gap: clock(choose(r, 25, 30, 45), .1), size: fixed(in(r, 30, 90)), reply: fixed(in(r, 20, 60)), think: think(r)}, {gap: poisson(logUni(r, 60, 600)), size: span(n, n+30), reply: span(100, 280), think: heavy(.06, .4)}, {gap: between(.02, .3), size: span(700, 1400), react: 1}},
		pushes: []push{{gap: heavy(uni(r, 120, 600), .9), size: span(900, 2600)}},
	}
}

func printerCloud(r *rand.Rand) *talk {
	n := in(r, 260, 900)
	return &talk{
		hello:  []exchange{{in(r, 300, 900), in(r, 200, 600), think(r)}, {in(r, 400, 1200), in(r, 150, 400), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 60, 90), .3), size: fixed(in(r, 60, 130)), reply: fixed(in(r, 60, 130)), think: think(r)}, {gap: heavy(uni(r, 60, 300), 1), size: lognorm(float(n), .2, 4000), reply: fixed(in(r, 90, 220)), think: heavy(.1, .4)}},
		pushes: []push{{gap: heavy(uni(r, 120, 600), 1), size: span(240, 520)}},
	}
}

func remoteHub(r *rand.Rand) *talk {
	n, m := in(r, 150, 300), in(r, 120, 360)
	return &talk{
		hello:  []exchange{{in(r, 300, 600), in(r, 129, 220), think(r)}, {in(r, 120, 200), in(r, 500, 2500), think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 5, 40), 1.3), either(.7, between(.2, 1.5), heavy(60, 1))), size: pickSize(r, span(n, n+24), pick(n, n+4, n+9)), reply: digits(in(r, 70, 130), 10), think: heavy(.02, .4)}, {gap: clock(choose(r, 25, 50), .1), size: fixed(in(r, 6, 80)), reply: fixed(in(r, 6, 80)), think: think(r)}},
		pushes: []push{{gap: heavy(uni(r, 15, 120), 1), size: pickSize(r, fixed(m), span(m, m+60), lognorm(float(m), .3, 3000))}},
	}
}

// playerSync tells what is played, and is told what others of the same account
// play.
func playerSync(r *rand.Rand) *talk {
	n, m := in(r, 380, 800), in(r, 900, 2200)
	return &talk{
		hello:  []exchange{{in(r, 500, 1100), in(r, 129, 300), think(r)}, {in(r, 300, 900), in(r, 300, 2000), think(r)}},
		calls:  []call{{gap: clock(30, .2), size: fixed(in(r, 15, 24)), reply: fixed(in(r, 15, 24)), think: think(r)}, {gap: heavy(uni(r, 30, 200), .8), size: span(n, n+60), reply: fixed(in(r, 90, 240)), think: heavy(.05, .4)}},
		pushes: []push{{gap: heavy(uni(r, 30, 200), .9), size: lognorm(float(m), .2, 6000)}},
	}
}

// sharedDocument sends what is typed, in bursts, each answered with a number, and
// is sent what others type and where they are.
func sharedDocument(r *rand.Rand) *talk {
	n := in(r, 90, 260)
	return &talk{
		hello:  []exchange{{in(r, 500, 1200), in(r, 129, 400), think(r)}, {in(r, 100, 300), in(r, 2000, 20000), heavy(.1, .4)}},
		calls:  []call{{gap: either(.85, between(.3, 2.5), heavy(40, 1)), size: lognorm(float(n), uni(r, .05, .4), 3000), reply: digits(in(r, 36, 90), 100), think: heavy(.03, .4)}, {gap: clock(choose(r, 10, 25), .1), size: fixed(in(r, 4, 24)), reply: fixed(in(r, 4, 24)), think: think(r)}},
		pushes: []push{{gap: either(.8, between(.3, 3), heavy(50, 1)), size: lognorm(float(n+40), .3, 3000)}, {gap: heavy(uni(r, 4, 40), 1), size: span(90, 130)}},
	}
}

func languageServer(r *rand.Rand) *talk {
	return &talk{
		hello:  []exchange{{in(r, 3000, 9000), in(r, 1500, 4000), heavy(.2, .4)}, {in(r, 60, 120), in(r, 40, 90), think(r)}},
		calls:  []call{{gap: either(.8, between(.3, 2), heavy(30, 1)), size: digits(in(r, 180, 360), 10), reply: lognorm(1500, 1, 30000), think: heavy(.08, .7)}, {gap: either(.8, between(.3, 2), heavy(30, 1)), size: lognorm(280, .2, 2000)}},
		pushes: []push{{gap: heavy(uni(r, 3, 20), 1), size: lognorm(420, .7, 9000)}},
	}
}

// answerStream asks a language model and is sent the answer in pieces.
func answerStream(r *rand.Rand) *talk {
	return &talk{
		calls:  []call{{gap: heavy(uni(r, 25, 120), .9), size: lognorm(uni(r, 1500, 9000), .5, 60000), reply: lognorm(2200, .8, 15000), think: heavy(.9, .5), wait: true, head: in(r, 300, 700)}},
		pushes: []push{{gap: clock(15, .1), size: fixed(in(r, 14, 30))}},
	}
}

func scoreTicker(r *rand.Rand) *talk {
	n := in(r, 140, 420)
	return &talk{
		hello:  []exchange{{in(r, 300, 700), in(r, 129, 220), think(r)}, {in(r, 60, 200), in(r, 1500, 12000), think(r)}},
		calls:  []call{{gap: clock(choose(r, 20, 25, 30), .1), size: fixed(in(r, 1, 24)), reply: fixed(in(r, 1, 24)), think: think(r)}, {gap: heavy(uni(r, 60, 300), 1), size: span(60, 120), reply: lognorm(1200, .6, 9000), think: think(r)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 3, 40)), heavy(uni(r, 3, 30), 1)), size: pickSize(r, span(n, n+15), lognorm(float(n), .3, 4000), pick(n, n+2, n+37))}},
	}
}

// windSocket is sent wind each three seconds, all else each minute, and lightning.
func windSocket(r *rand.Rand) *talk {
	n, m := in(r, 100, 125), in(r, 240, 330)
	return &talk{
		hello:  []exchange{{in(r, 250, 420), in(r, 129, 200), think(r)}, {in(r, 60, 80), in(r, 40, 60), think(r)}, {in(r, 60, 80), in(r, 40, 60), think(r)}},
		calls:  []call{{gap: clock(choose(r, 30, 60), .1), size: fixed(in(r, 2, 12)), reply: fixed(in(r, 2, 12)), think: think(r)}},
		pushes: []push{{gap: clock(choose(r, 3, 3, 15), .1), size: span(n, n+5)}, {gap: clock(60, .2), size: span(m, m+9)}, {gap: heavy(300, 1), size: fixed(in(r, 90, 120))}},
	}
}

// inverterLogger sends frames of one length by a clock, each answered by one; now
// and then a setting is read or written.
func inverterLogger(r *rand.Rand) *talk {
	n := in(r, 90, 420)
	return &talk{
		hello:  []exchange{{in(r, 90, 120), in(r, 20, 30), think(r)}},
		calls:  []call{{gap: clock(choose(r, 5, 10, 30, 60), uni(r, .05, 2)), size: fixed(n), reply: fixed(in(r, 18, 30)), think: heavy(.05, .4)}, {gap: clock(60, .3), size: fixed(in(r, 14, 20)), reply: fixed(in(r, 18, 30)), think: think(r)}, {gap: between(.05, .5), size: span(40, 120), react: 1}},
		pushes: []push{{gap: heavy(uni(r, 100, 500), 1), size: span(30, 60)}},
	}
}

// babyMonitor reports readings of one length, answered by one; when a parent
// changes something it is told.
func babyMonitor(r *rand.Rand) *talk {
	n := in(r, 110, 360)
	return &talk{
		hello:  []exchange{{in(r, 140, 420), in(r, 120, 420), think(r)}},
		calls:  []call{{gap: pickDist(r, clock(choose(r, 5, 10), .5), heavy(uni(r, 6, 30), .7), poisson(logUni(r, 8, 60))), size: pickSize(r, fixed(n), span(n, n+4)), reply: pickSize(r, fixed(in(r, 28, 90)), digits(in(r, 34, 70), 10)), think: heavy(.03, .4)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 20, 200)), clock(choose(r, 30, 60), .5)), size: pickSize(r, fixed(in(r, 120, 420)), lognorm(240, .3, 2000))}},
	}
}

// gridDispatch is told how much a home's battery is to give, in messages of one
// length whenever the grid wants, and reports what it measured.
func gridDispatch(r *rand.Rand) *talk {
	n, m := in(r, 140, 420), in(r, 150, 420)
	return &talk{
		hello:  []exchange{{in(r, 160, 500), in(r, 120, 600), think(r)}},
		calls:  []call{{gap: pickDist(r, clock(choose(r, 10, 30), .2), poisson(logUni(r, 10, 60)), heavy(uni(r, 8, 60), .8)), size: pickSize(r, fixed(n), span(n, n+5)), reply: fixed(in(r, 30, 90)), think: heavy(.03, .4)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 4, 90)), clock(choose(r, 4, 10), .05)), size: pickSize(r, fixed(m), span(m, m+3), span(m, m+12))}},
	}
}

// lockBridge tells of doors, each with a receipt of one length, and is told the
// state of the account's other locks.
func lockBridge(r *rand.Rand) *talk {
	n, m := in(r, 150, 380), in(r, 150, 420)
	return &talk{
		hello:  []exchange{{in(r, 200, 600), in(r, 129, 300), think(r)}, {in(r, 90, 200), in(r, 200, 900), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 15, 150)), size: pickSize(r, fixed(n), span(n, n+3), span(n, n+14)), reply: fixed(in(r, 40, 110)), think: heavy(.04, .4)}, {gap: clock(choose(r, 30, 55), .1), size: fixed(in(r, 2, 40)), reply: fixed(in(r, 2, 40)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 15, 150)), size: pickSize(r, fixed(m), span(m, m+3), lognorm(float(m), .2, 2000))}},
	}
}

// pulseMeter reports each so many pulses of a water or gas meter, answered by one
// length, and is told prices.
func pulseMeter(r *rand.Rand) *talk {
	n, m := in(r, 95, 260), in(r, 130, 420)
	return &talk{
		hello:  []exchange{{in(r, 120, 400), m + in(r, 20, 120), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 6, 90)), size: digits(n, 1000), reply: pickSize(r, fixed(in(r, 28, 80)), digits(in(r, 30, 60), 10)), think: heavy(.02, .4)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 30, 300)), clock(choose(r, 60, 300), 1)), size: pickSize(r, fixed(m), span(m, m+2))}},
	}
}

// liveQuiz is pushed questions; who plays answers each after some seconds, and
// gets a receipt, and then the score.
func liveQuiz(r *rand.Rand) *talk {
	n, m := in(r, 90, 200), in(r, 260, 620)
	return &talk{
		hello:  []exchange{{in(r, 400, 800), in(r, 129, 300), think(r)}, {in(r, 80, 160), in(r, 300, 900), think(r)}},
		calls:  []call{{gap: between(1, 12), size: digits(n, 1), reply: digits(in(r, 40, 90), 1), think: heavy(.03, .4), react: 1}, {gap: clock(25, .1), size: fixed(in(r, 1, 20)), reply: fixed(in(r, 1, 20)), think: think(r)}},
		pushes: []push{{gap: between(15, uni(r, 20, 45)), size: pickSize(r, span(m, m+120), lognorm(float(m), .15, 2000))}, {gap: between(15, 45), size: span(200, 260)}},
	}
}

// idleGame sends what is bought in a game, each with a receipt, and is sent the
// state of the world, for the first time at once.
func idleGame(r *rand.Rand) *talk {
	n, m := in(r, 80, 240), in(r, 180, 900)
	return &talk{
		hello:  []exchange{{in(r, 300, 700), in(r, 129, 300), think(r)}, {in(r, 120, 400), m + in(r, 0, 60), think(r)}},
		calls:  []call{{gap: pickDist(r, poisson(logUni(r, 4, 60)), heavy(uni(r, 5, 40), 1.1)), size: pickSize(r, digits(n, 1), span(n, n+6), span(n, n+20)), reply: digits(in(r, 34, 100), 1), think: heavy(.02, .4)}},
		pushes: []push{{gap: pickDist(r, clock(choose(r, 5, 10, 30), .1), poisson(logUni(r, 8, 60))), size: pickSize(r, span(m, m+4), span(m, m+25), lognorm(float(m), .1, 4000))}},
	}
}

// liveOdds is sent the odds of a game as they change, for the first time at once;
// bets have receipts of one length.
func liveOdds(r *rand.Rand) *talk {
	n, m := in(r, 140, 320), in(r, 220, 900)
	return &talk{
		hello:  []exchange{{in(r, 400, 900), in(r, 129, 300), think(r)}, {in(r, 80, 240), m, think(r)}},
		calls:  []call{{gap: pickDist(r, heavy(uni(r, 20, 120), 1), poisson(logUni(r, 15, 120))), size: pickSize(r, fixed(n), digits(n, 1), span(n, n+8)), reply: pickSize(r, fixed(in(r, 60, 130)), digits(in(r, 60, 120), 1)), think: heavy(.05, .4)}},
		pushes: []push{{gap: pickDist(r, poisson(logUni(r, 3, 60)), heavy(uni(r, 4, 40), 1)), size: pickSize(r, span(m, m+3), span(m, m+10), lognorm(float(m), .05, 4000))}},
	}
}

// livePoll is a classroom's: votes come in as pupils press, each with a receipt, and
// the tally of the others is pushed.
func livePoll(r *rand.Rand) *talk {
	n, m := in(r, 70, 160), in(r, 120, 360)
	return &talk{
		hello:  []exchange{{in(r, 300, 700), in(r, 129, 260), think(r)}, {in(r, 60, 140), m + in(r, 0, 300), think(r)}},
		calls:  []call{{gap: poisson(logUni(r, 6, 90)), size: pickSize(r, fixed(n), digits(n, 1)), reply: fixed(in(r, 28, 70)), think: heavy(.02, .4)}, {gap: clock(choose(r, 20, 30), .1), size: fixed(in(r, 1, 12)), reply: fixed(in(r, 1, 12)), think: think(r)}},
		pushes: []push{{gap: poisson(logUni(r, 2, 30)), size: pickSize(r, span(m, m+2), span(m, m+9))}},
	}
}
