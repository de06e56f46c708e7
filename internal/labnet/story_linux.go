package labnet

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Day is how long a day takes at speed one.
const Day = time.Minute

// Story is a day at home, compressed.
type Story struct {
	Home     *Home
	Infected bool    // besides what everybody does
	Speed    float64 // 0: 1, which is a day in a minute
	Seed     uint64  // moves what happens by some minutes; the same gives the same day
	// Tell hears of each thing that begins and, again, of its end. It is called
	// by one goroutine at a time.
	Tell func(Moment)
}

// Moment is something that a device does.
type Moment struct {
	Clock  time.Duration // of the day: since midnight
	Device string        // "internet" for what comes from there
	Code   string        // what it does: see Codes
	Bad    bool
	End    *Result // nil when it begins
}

// plan is one line of the day.
type plan struct {
	at     int // minutes since midnight
	device string
	code   string
	do     func(s *Story) Behaviour
}

// minutes of the day, as time that passes.
func (s *Story) minutes(n float64) time.Duration {
	return time.Duration(n / (24 * 60) * float64(Day) / s.Speed)
}

func plain(b Behaviour) func(*Story) Behaviour {
	return func(*Story) Behaviour { return b }
}

func say(name string) func(*Story) Behaviour {
	return func(*Story) Behaviour { return Mine(name) }
}

// everyday is what the home does, infected or not.
var everyday = []plan{
	{6*60 + 20, "phone", "browse", plain(Browse(4))},
	{6*60 + 50, "camera", "ntp", plain(SetClock())},
	{7*60 + 5, "tv", "mqtt", say("mqtt")},
	{7*60 + 40, "pc", "browse", plain(Browse(8).Over6())},
	{8*60 + 30, "pc", "chat", say("chat")},
	{9*60 + 10, "nas", "update", plain(FetchUpdate())},
	{10*60 + 0, "pc", "print-farm", say("print-farm")},
	{11*60 + 15, "phone", "light-bulb", say("light-bulb")},
	{12*60 + 30, "phone", "video", plain(Watch(2 << 20))},
	{14*60 + 0, "pc", "build-server", say("build-server")},
	{15*60 + 20, "pc", "wallet", say("wallet")},
	{16*60 + 45, "camera", "update", plain(FetchUpdate())},
	{17*60 + 30, "pc", "node-status", say("node-status")},
	{19*60 + 0, "phone", "browse", plain(Browse(6).Over6())},
	{20*60 + 15, "tv", "video", plain(Watch(20 << 20))},
	{22*60 + 40, "nas", "ntp", plain(SetClock())},
}

// infection is what comes on top.
var infection = []plan{
	{2*60 + 30, "internet", "guess-outside", nil},
	{3*60 + 10, "camera", "command", func(s *Story) Behaviour { return CallHome(20, s.minutes(60)) }},
	{4*60 + 0, "camera", "scan", func(s *Story) Behaviour { return Scan(120, int(40*max(1, s.Speed))) }},
	{5*60 + 30, "camera", "mine-quiet", say("stratum-quiet")},
	{8*60 + 0, "pc", "pool-names", plain(AskFor(PoolNames()...))},
	{8*60 + 10, "pc", "mine", func(s *Story) Behaviour { return MineOn(12, s.minutes(40), false) }},
	{9*60 + 40, "nas", "mine-tls", func(s *Story) Behaviour { return MineOn(30, s.minutes(25), true) }},
	{13*60 + 0, "camera", "guess-home", func(s *Story) Behaviour { return GuessPasswords(40, int(20*max(1, s.Speed))) }},
	{18*60 + 20, "tv", "mine-page", say("coinhive")},
	{21*60 + 30, "nas", "mine-daemon", say("monero-daemon")},
}

// Codes lists what may happen in a story.
func Codes() (out []string) {
	for _, p := range slices.Concat(everyday, infection) {
		if !slices.Contains(out, p.code) {
			out = append(out, p.code)
		}
	}
	return out
}

// Bad reports whether no owner wants what a code stands for.
func Bad(code string) bool {
	return slices.ContainsFunc(infection, func(p plan) bool { return p.code == code })
}

// Play plays the day. It returns when everything that was begun is over, with
// the context's error when that ended it.
func (s Story) Play(ctx context.Context) error {
	if s.Speed <= 0 {
		s.Speed = 1
	}
	rnd := rand.New(rand.NewPCG(s.Seed, 0x6c6162))
	day := slices.Clone(everyday)
	if s.Infected {
		day = append(day, infection...)
	}
	for i := range day {
		day[i].at += rnd.IntN(31) - 15
	}
	slices.SortStableFunc(day, func(a, b plan) int { return cmp.Compare(a.at, b.at) })
	for _, d := range s.Home.Devices() {
		if err := d.Announce(ctx); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	start := time.Now()
	clock := func() time.Duration {
		return time.Duration(float64(time.Since(start)) / float64(Day) * s.Speed * 24 * float64(time.Hour)).Round(time.Minute)
	}
	tell := func(m Moment) {
		mu.Lock()
		defer mu.Unlock()
		if s.Tell != nil {
			s.Tell(m)
		}
	}
	for _, p := range day {
		d := s.Home.Device(p.device)
		if d == nil && p.device != "internet" {
			continue // a home without it
		}
		if !sleep(ctx, time.Until(start.Add(s.minutes(float64(p.at))))) {
			return ctx.Err()
		}
		m := Moment{Clock: clock(), Device: p.device, Code: p.code, Bad: Bad(p.code)}
		tell(m)
		wg.Go(func() {
			var r Result
			if d == nil {
				r = s.Home.GuessFromOutside(ctx, 30, int(20*max(1, s.Speed)))
			} else {
				b := p.do(&s)
				if b.V6 && !s.Home.opt.IPv6 {
					b.V6 = false
				}
				r = d.Run(ctx, b)
			}
			m.Clock, m.End = clock(), &r
			tell(m)
		})
	}
	sleep(ctx, time.Until(start.Add(s.minutes(24*60))))
	return ctx.Err()
}
