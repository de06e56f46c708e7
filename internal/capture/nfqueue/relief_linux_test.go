package nfqueue

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// TestRelieve: a worker that hangs holds packets up for two or three intervals,
// not longer; what went on is not judged again, and what comes once it works
// again is.
func TestRelieve(t *testing.T) {
	h := makeHome(t, "--queue-num 3")
	h.echo(t)
	var hang atomic.Bool
	free := make(chan bool)
	s, _ := h.listen(t, 3, func(f *packet.Frame) verdict.Verdict {
		if hang.Load() {
			<-free
		}
		if f != nil && bytes.Contains(f.Data, []byte("secret")) {
			return verdict.Verdict{Action: verdict.Drop}
		}
		return verdict.Verdict{}
	})
	c, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const interval = 20 * time.Millisecond
	for range 10 {
		if err := say(c, "hello", 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if err := h.router.Do(func() error {
			if n := s.Relieve(); n != 0 {
				t.Errorf("%d packets pass a worker that works", n)
			}
			// On a busy machine it may need longer than from call to call: what waits
			// at the next one came after this one.
			for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
				text, err := s.table()
				if n, _, _ := queueCounters(string(text), 3); err != nil || n == 0 {
					return err
				}
			}
			return errors.New("the worker does not get to the end of the queue")
		}); err != nil {
			t.Fatal(err)
		}
	}
	hang.Store(true)
	stop := make(chan bool)
	done := h.router.Go(func() error {
		for {
			select {
			case <-stop:
				return nil
			case <-time.After(interval):
				s.Relieve()
			}
		}
	})
	start := time.Now()
	for range 5 {
		if err := say(c, "the secret", 5*time.Second); err != nil {
			t.Fatal("a worker hangs:", err)
		}
	}
	if d := time.Since(start); d > 10*time.Second { // 0.6 s, and a busy machine takes longer
		t.Errorf("five questions took %v", d)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	hang.Store(false)
	close(free)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if st := s.Stats(); st.Unseen >= st.Relieved { // it looks at what passed meanwhile
			break
		}
	}
	if st := s.Stats(); st.Relieved < 10 || st.Unseen < st.Relieved || st.Malformed > 0 {
		t.Errorf("%+v", st)
	}
	if err := say(c, "the secret", 500*time.Millisecond); err == nil {
		t.Error("the worker works again and does not judge")
	}
}

// TestAnswered: numbers begin again after 2³² packets.
func TestAnswered(t *testing.T) {
	var r relief
	if r.answered(1) || r.answered(1<<32-1) {
		t.Error("nothing went on")
	}
	r.last.Store(reliefSet | 1<<32 - 3)
	if !r.answered(1<<32-3) || !r.answered(1<<32-9) {
		t.Error("what went on is judged")
	}
	if r.answered(2) || r.answered(1<<32-9) {
		t.Error("numbers that begin again are not judged")
	}
}

func TestQueueCounters(t *testing.T) {
	// Two queues as /proc/net/netfilter/nfnetlink_queue shows them.
	text := "    7  12345    11 2 65531     3     4      1000  1\n   70      1     1 2 65531     9     9         1  1\n"
	if w, u, newest := queueCounters(text, 7); w != 11 || u != 7 || newest == 0 {
		t.Errorf("%d waiting, %d unseen", w, u)
	}
	if w, u, _ := queueCounters(text+"short 1\n", 8); w != 0 || u != 0 {
		t.Errorf("%d, %d of a queue that is not there", w, u)
	}
}
