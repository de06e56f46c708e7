package labnet

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Drill is a failure while the home is busy: bulk transfers and many short
// requests run through the gateway, and in the midst of them something is done
// to it.
type Drill struct {
	Home *Home
	// For is how long the traffic runs, and Do is called when a third of it is
	// over; 0: 6 s. The traffic goes on until Do has returned.
	For time.Duration
	Do  func(ctx context.Context) error
	V6  bool

	Transfers int   // at a time, in turn down and up; 0: 2; negative: none
	Rate      int64 // bytes a second of each; 0: 100 MB; negative: as fast as it goes
	Requests  int   // a second, each on a connection of its own; 0: 200; negative: none
	// Bulk and Web name the devices that do it; empty: "pc" and "phone".
	Bulk, Web string
}

// requestPatience is how long a person waits for a page before it counts as
// failed; TCP repeats an opening that was lost after 1, 3 and 7 seconds.
const requestPatience = 15 * time.Second

// DrillResult is what became of the traffic.
type DrillResult struct {
	Transfers, Broken int
	Bytes             int64         // transferred
	Gap               time.Duration // the longest time in which a transfer did not move
	Requests, Failed  int
	P50, P99, Slowest time.Duration // of requests that succeeded
	Problems          []string      // the first few, in words of the system
	Took              time.Duration
}

func (r DrillResult) String() string {
	s := fmt.Sprintf("%d transfers, %d broken, %d MB, longest gap %v; %d requests, %d failed, median %v, 99%% %v, slowest %v",
		r.Transfers, r.Broken, r.Bytes>>20, r.Gap.Round(time.Millisecond), r.Requests, r.Failed, r.P50.Round(10*time.Microsecond), r.P99.Round(10*time.Microsecond), r.Slowest.Round(time.Millisecond))
	if len(r.Problems) > 0 {
		s += ": " + strings.Join(r.Problems, "; ")
	}
	return s
}

// Whole reports whether nobody at home noticed.
func (r DrillResult) Whole() bool { return r.Broken == 0 && r.Failed == 0 }

// meter watches a transfer move.
type meter struct {
	bytes, last, gap atomic.Int64 // times in nanoseconds since the start
	ended            atomic.Bool  // it broke, which has been told
	start            time.Time
}

func (m *meter) move(n int) {
	now := int64(time.Since(m.start))
	if g := now - m.last.Swap(now); g > m.gap.Load() {
		m.gap.Store(g) // one goroutine reads a transfer
	}
	m.bytes.Add(int64(n))
}

// still is for how long it has not moved.
func (m *meter) still() time.Duration { return time.Since(m.start) - time.Duration(m.last.Load()) }

// recovers waits for a transfer that stands still, as long as TCP may take to
// try again: twice the time that nothing got through, and two seconds.
func (m *meter) recovers(ctx context.Context) bool {
	last := m.last.Load()
	if m.ended.Load() || m.still() < 200*time.Millisecond {
		return true
	}
	for range int((2*time.Second + 2*m.still()) / (10 * time.Millisecond)) {
		if m.last.Load() != last || m.ended.Load() || !sleep(ctx, 10*time.Millisecond) {
			return true
		}
	}
	m.gap.Store(max(m.gap.Load(), int64(m.still())))
	return false
}

// drill is a Drill that runs.
type drill struct {
	Drill
	over  context.Context // ends when the traffic is to end
	mu    sync.Mutex
	res   DrillResult
	times []time.Duration
}

func (d *drill) problem(what string, err error) {
	if len(d.res.Problems) < 5 {
		d.res.Problems = append(d.res.Problems, fmt.Sprintf("%s: %v", what, err))
	}
}

// Run runs it. The error is Do's, or says why the drill could not begin.
func (x Drill) Run(ctx context.Context) (DrillResult, error) {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
		*p = max(*p, 0)
	}
	def(&x.Transfers, 2)
	def(&x.Requests, 200)
	if x.Rate == 0 {
		x.Rate = 100 << 20
	}
	if x.For == 0 {
		x.For = 6 * time.Second
	}
	bulk, web := x.Home.Device(orName(x.Bulk, "pc")), x.Home.Device(orName(x.Web, "phone"))
	if bulk == nil || web == nil {
		return DrillResult{}, errors.New("drill: the home has no such device")
	}
	start := time.Now()
	over, end := context.WithCancel(ctx)
	defer end()
	d := &drill{Drill: x, over: over}
	var wg sync.WaitGroup
	meters := make([]*meter, x.Transfers)
	for i := range meters {
		meters[i] = &meter{start: time.Now()}
		wg.Go(func() { d.transfer(bulk, meters[i], i%2 == 1) })
	}
	wg.Go(func() { d.browse(web) })

	var failed error
	wait := func(t time.Duration) bool { return sleep(ctx, t) }
	if wait(x.For/3) && x.Do != nil {
		failed = x.Do(ctx)
	}
	wait(x.For - x.For/3)
	for i, m := range meters {
		if !m.recovers(ctx) {
			d.mu.Lock()
			d.res.Broken++
			d.problem("transfer", fmt.Errorf("number %d stands still since %v", i, m.still().Round(time.Millisecond)))
			d.mu.Unlock()
		}
	}
	end()
	wg.Wait()
	for _, m := range meters {
		d.res.Bytes += m.bytes.Load()
		d.res.Gap = max(d.res.Gap, time.Duration(m.gap.Load()))
	}
	d.res.Transfers = x.Transfers
	if n := len(d.times); n > 0 {
		slices.Sort(d.times)
		d.res.P50, d.res.P99, d.res.Slowest = d.times[n/2], d.times[n*99/100], d.times[n-1]
	}
	d.res.Took = time.Since(start)
	return d.res, errors.Join(failed, ctx.Err())
}

func orName(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

// transfer moves bytes until the drill is over.
func (d *drill) transfer(from *Device, m *meter, up bool) {
	err := d.move(from, m, up)
	if err == nil || d.over.Err() != nil {
		return
	}
	m.ended.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.res.Broken++
	d.problem("transfer", err)
}

func (d *drill) move(from *Device, m *meter, up bool) error {
	ctx, cancel := context.WithTimeout(d.over, requestPatience)
	defer cancel()
	c, err := from.Dial(ctx, netip.AddrPortFrom(Web.Addr(d.V6), bulkPort))
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(d.over, func() { _ = c.SetDeadline(past) })
	defer stop()
	// What is asked for: the direction, the rate, and who counts what arrives.
	head := make([]byte, 17)
	if up {
		head[0] = 1
	}
	h := d.Home
	id := h.meter(m)
	defer h.meters.Delete(id)
	binary.BigEndian.PutUint64(head[1:], uint64(max(d.Rate, 0)))
	binary.BigEndian.PutUint64(head[9:], id)
	m.move(0)
	if _, err := c.Write(head); err != nil {
		return err
	}
	if up {
		return pour(c, max(d.Rate, 0))
	}
	return drain(c, m)
}

// meter keeps a meter for the server's side of a transfer.
func (h *Home) meter(m *meter) uint64 {
	id := h.lastMeter.Add(1)
	h.meters.Store(id, m)
	return id
}

// bulk is the server of transfers.
func (h *Home) bulk(c net.Conn) {
	var head [17]byte
	_ = c.SetDeadline(time.Now().Add(requestPatience))
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return
	}
	_ = c.SetDeadline(time.Time{})
	if h.ctx.Err() != nil {
		return
	}
	if head[0] == 0 {
		_ = pour(c, int64(binary.BigEndian.Uint64(head[1:])))
	} else if m, ok := h.meters.Load(binary.BigEndian.Uint64(head[9:])); ok {
		_ = drain(c, m.(*meter))
	}
}

// pour writes at a rate until it fails.
func pour(w io.Writer, rate int64) error {
	block := make([]byte, 64<<10)
	start := time.Now()
	for n := int64(0); ; {
		m, err := w.Write(block)
		if n += int64(m); err != nil {
			return err
		}
		if rate > 0 {
			if ahead := time.Duration(float64(n)/float64(rate)*1e9) - time.Since(start); ahead > time.Millisecond {
				time.Sleep(ahead)
			} else if ahead < -50*time.Millisecond { // no catching up after a gap
				start, n = time.Now(), 0
			}
		}
	}
}

// drain reads until it fails.
func drain(r io.Reader, m *meter) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			m.move(n)
		}
		if err != nil {
			return err
		}
	}
}

// browse asks for short pages at a steady pace, whatever becomes of the ones
// before, until the drill is over; then it waits for those under way.
func (d *drill) browse(from *Device) {
	if d.Requests == 0 {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	began := time.Now()
	for n := 1; ; n++ {
		// Each has its time: when this goroutine is late, they come at once.
		due := began.Add(time.Duration(n) * time.Second / time.Duration(d.Requests))
		if !sleep(d.over, time.Until(due)) {
			return
		}
		wg.Go(func() {
			start := time.Now()
			ctx, cancel := context.WithTimeout(context.WithoutCancel(d.over), requestPatience)
			defer cancel()
			err := fetch(ctx, from, netip.AddrPortFrom(Web.Addr(d.V6), 80))
			d.mu.Lock()
			defer d.mu.Unlock()
			d.res.Requests++
			if err != nil {
				d.res.Failed++
				d.problem("request", err)
				return
			}
			d.times = append(d.times, time.Since(start))
		})
	}
}

// fetch asks for the short page on a connection of its own.
func fetch(ctx context.Context, from *Device, to netip.AddrPort) error {
	c, err := from.Dial(ctx, to)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	defer stop()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: www.lab.example\r\nUser-Agent: "+from.agent+"\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	r, err := http.ReadResponse(bufio.NewReaderSize(c, 1024), nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err == nil && string(b) != shortPage {
		err = fmt.Errorf("another page came: %.60q", b)
	}
	return err
}
