package mining

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

// script plays a talk into a tracker by the clock of the test.
type script struct {
	seq.Tracker
	at int64
}

func newScript() *script {
	s := &script{at: 1e9}
	s.Start(seq.TLS13)
	s.Message(s.at, packet.ToServer, 210)
	s.Message(s.at+1e8, packet.ToClient, 150)
	s.at += 2e8
	return s
}

func (s *script) say(d packet.Dir, after float64, n int) {
	s.at += int64(after * 1e9)
	s.Message(s.at, d, n)
}

// TestClocked: templates by a clock that a find sets anew are Dero's; a state
// shown by a clock that goes on whatever is done is not.
func TestClocked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer int  // length, 0: none
		anew   bool // the clock begins anew with it
		want   bool
	}{{"templates", 352, true, true}, {"a state, answers", 352, false, false}, {"a state, no answers", 0, false, false}, {"other answers", 60, true, false}} {
		s := newScript()
		r := rand.New(rand.NewPCG(2, 3))
		tick, find := s.at+5e8, s.at+int64(3e9)
		for range 1500 {
			if find < tick {
				s.say(packet.ToServer, float64(find-s.at)/1e9, 165)
				if tt.answer > 0 && find+50e6 < tick {
					s.say(packet.ToClient, .05, tt.answer)
				}
				if tt.anew {
					tick = s.at + 51e7
				}
				find = s.at + int64(r.ExpFloat64()*15e9) + 1e9
				continue
			}
			s.say(packet.ToClient, float64(tick-s.at)/1e9, 350)
			tick += 51e7
		}
		s.Flush()
		v := look(&s.Tracker)
		if v.clocked() != tt.want {
			t.Errorf("%s: %v, %d of %d", tt.name, !tt.want, s.AnewHit, s.Anew)
		}
		x, ok := Look(&s.Tracker)
		if tt.want && (!ok || x.Shape != shapeClock || !Holds(&s.Tracker)) {
			t.Errorf("%s: shape %d", tt.name, x.Shape)
		}
	}
}

// TestOpening: a pool gives out work at the beginning; who is sent something of the
// length of jobs only later does not mine, if the beginning was seen.
func TestOpening(t *testing.T) {
	const far = 30.0
	for _, tt := range []struct {
		name  string
		login int     // length of the answer
		after float64 // seconds until the first job
		first int     // its length, 0: none
		job   int     // length of later ones
		whole bool
		want  float64
		holds bool
	}{
		{"behind the answer", 60, .01, 390, 390, true, 3, true},
		{"an answer that is much longer", 650, far, 0, 250, true, 0, false},
		{"without a number in the answer", 243, far, 0, 254, true, 2, true},
		{"with a receipt in the answer", 470, far, 0, 390, true, 2, true},
		{"answer, difficulty and job in one write", 600, far, 0, 390, true, 1, true},
		{"a list with fewer entries", 150, .5, 700, 700 + 5*67, true, 3, true},
		{"other lengths", 150, .5, 720, 300, true, 0, false},
		{"later", 60, far, 390, 390, true, 0, false},
		{"later, beginning not seen", 60, far, 390, 390, false, -1, true},
	} {
		s := &script{at: 1e9}
		s.Start(seq.TLS13)
		s.Whole = tt.whole
		s.say(packet.ToServer, 0, 210)
		s.say(packet.ToClient, .1, tt.login)
		if tt.first > 0 {
			s.say(packet.ToClient, tt.after, tt.first)
		}
		r := rand.New(rand.NewPCG(3, 3))
		for i := range 20 {
			s.say(packet.ToClient, 10+r.ExpFloat64()*30, tt.job)
			for range 2 * (i % 2) {
				s.say(packet.ToServer, 1.5+r.ExpFloat64()*10, 180)
				s.say(packet.ToClient, .04, 62)
			}
		}
		s.Flush()
		v := look(&s.Tracker)
		if got := v.opening(); got != tt.want && !(tt.want < 0 && math.IsNaN(got)) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if Holds(&s.Tracker) != tt.holds {
			t.Errorf("%s: holds %v", tt.name, !tt.holds)
		}
	}
}

// TestOneForOne: who hands in one result for each task is no miner; who finds
// shares whenever they are is, also if jobs come as often.
func TestOneForOne(t *testing.T) {
	for _, worker := range []bool{true, false} {
		s := newScript()
		r := rand.New(rand.NewPCG(7, 7))
		for range 150 {
			if worker || r.IntN(2) == 0 {
				s.say(packet.ToClient, 1.5+r.ExpFloat64()*10, 380)
			}
			if worker || r.IntN(2) == 0 {
				s.say(packet.ToServer, 1.5+r.ExpFloat64(), 220)
				s.say(packet.ToClient, .04, 62)
			}
		}
		s.Flush()
		if Holds(&s.Tracker) == worker {
			t.Errorf("worker %v: %d of %d", worker, s.Single, s.PushGap.N)
		}
	}
}

// TestLists: jobs whose lengths differ by whole hashes are taken for jobs of one
// kind, others of changing lengths are not.
func TestLists(t *testing.T) {
	for _, by := range []int{67, 68, 59} {
		s := newScript()
		r := rand.New(rand.NewPCG(9, 9))
		for range 40 {
			s.say(packet.ToClient, 20+r.ExpFloat64()*30, 520+by*r.IntN(11))
			s.say(packet.ToServer, 3+r.ExpFloat64()*10, 130)
			s.say(packet.ToClient, .04, 40)
			s.say(packet.ToClient, 70, 60)
		}
		s.Flush()
		v := look(&s.Tracker)
		if want := by != 59; v.lists != want || want && v.job.Len < seq.ListsFrom {
			t.Errorf("steps of %d: %v, job of %d", by, v.lists, v.job.Len)
		}
	}
}
