package mining

import (
	"fmt"
	"sync"
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// home is a detector with its workers, and the time.
type home struct {
	in  []detect.Inline
	now int64
}

func newHome(workers int) *home {
	d := Collectors()
	h := &home{now: 1e18}
	for range workers {
		h.in = append(h.in, d.New())
	}
	return h
}

// mine lets one flow pass and returns its story, if any.
func (h *home) mine(worker int, miner, pool [4]byte, port uint16, lines ...string) (f *event.Finding) {
	conn := proto.Conn{Transport: proto.TCP, Client: packet.AddrFrom4(miner[:]), Server: packet.AddrFrom4(pool[:]), ServerPort: port, Time: h.now}
	h.now += 1e9
	prototest.Drive(stratum.Protocol, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, _ bool) {
		if f != nil {
			return
		}
		if g, ok := h.in[worker].Inspect(nil, &conn, tx); ok {
			f = &g
		}
	}}, talk(lines...)...)
	return f
}

func login(agent string) string {
	return `> {"id":1,"method":"login","params":{"login":"$XMR","pass":"x","agent":"` + agent + `","algo":["rx/0"]}}`
}

const aShare = `> {"id":2,"method":"submit","params":{"id":"a","job_id":"1","nonce":"00000000","result":"$HASH1"}}`

// TestCollector: miners, then the proxy to its pool, over two workers.
func TestCollector(t *testing.T) {
	nas, out := [4]byte{192, 168, 1, 9}, [4]byte{203, 0, 113, 5}
	for _, workers := range []int{1, 2} {
		h := newHome(workers)
		if f := h.mine(0, [4]byte{192, 168, 1, 21}, nas, 3333, login("XMRig/6.26.0")); f != nil {
			t.Fatalf("one miner is no story: %+v", f)
		}
		f := h.mine(workers-1, nas, out, 443, login("xmrig-proxy/6.21.1"))
		if f == nil || f.Code != "mining.collector" || !f.FromClient || f.Mining.Pool != "203.0.113.5:443" || f.Mining.Wallet != xmr || f.Mining.Coin != "monero" ||
			fmt.Sprint(f.Mining.Miners) != "[192.168.1.21]" || len(f.Evidence) != 3 || f.Family != "collector" || f.Level != event.Confirmed {
			t.Fatalf("%+v", f)
		}
		f = h.mine(0, [4]byte{192, 168, 1, 20}, nas, 3333, login("XMRig/6.26.0"))
		if f == nil || f.FromClient || fmt.Sprint(f.Mining.Miners) != "[192.168.1.20 192.168.1.21]" || f.Mining.Agent != "xmrig-proxy/6.21.1" || f.Evidence[0].Value != "port 3333, 2 miners" {
			t.Fatalf("%+v", f)
		}
		if f = h.mine(0, [4]byte{192, 168, 1, 22}, nas, 3333, login("XMRig/6.26.0"), aShare); f != nil {
			t.Errorf("told again of the third: %+v", f)
		}
		if f = h.mine(0, [4]byte{192, 168, 1, 23}, nas, 3333, login("XMRig/6.26.0")); f == nil || f.Mining.MinersTotal != 4 {
			t.Errorf("not told of the fourth: %+v", f)
		}
	}
}

func TestCollectorAlone(t *testing.T) {
	h := newHome(1)
	nas := [4]byte{10, 0, 0, 9}
	h.mine(0, [4]byte{10, 0, 0, 1}, nas, 3333, login("XMRig/6"))
	f := h.mine(0, [4]byte{10, 0, 0, 2}, nas, 3333, login("XMRig/6"))
	if f == nil || f.Code != "mining.collector_alone" || f.Mining.Pool != "10.0.0.9:3333" || f.FromClient {
		t.Fatalf("%+v", f)
	}
	if f = h.mine(0, nas, [4]byte{203, 0, 113, 5}, 80, login("XMRig/6")); f == nil || f.Code != "mining.collector" || f.Mining.MinersTotal != 2 {
		t.Errorf("its pool is no news: %+v", f)
	}
}

// TestNoCollector: several miners of a pool outside, one that mines for two
// pools, one that reconnects, and proxies are no collectors.
func TestNoCollector(t *testing.T) {
	h := newHome(1)
	pool := [4]byte{203, 0, 113, 5}
	for i := range byte(6) {
		if f := h.mine(0, [4]byte{192, 168, 1, i}, pool, 3333, login("XMRig/6")); f != nil {
			t.Errorf("a pool outside: %+v", f)
		}
		if f := h.mine(0, [4]byte{192, 168, 1, 77}, [4]byte{203, 0, 113, 40 + i}, 3333, login("XMRig/6")); f != nil {
			t.Errorf("many pools: %+v", f)
		}
		if f := h.mine(0, [4]byte{192, 168, 1, 78}, [4]byte{192, 168, 1, 90}, 3333, login("XMRig/6")); f != nil {
			t.Errorf("one miner: %+v", f)
		}
		if f := h.mine(0, [4]byte{192, 168, 1, 100 + i}, [4]byte{192, 168, 1, 91}, 3333, `> {"id":1,"method":"login","params":{"login":"a","pass":"b"}}`); f != nil {
			t.Errorf("no miners: %+v", f)
		}
	}
}

func TestCollectorLimits(t *testing.T) {
	h := newHome(1)
	l := h.in[0].(*gatherer).l
	nas := [4]byte{10, 0, 0, 9}
	var f *event.Finding
	for i := range maxMiners + 40 {
		if g := h.mine(0, [4]byte{10, 1, byte(i >> 8), byte(i)}, nas, 3333, login("XMRig/6")); g != nil {
			f = g
		}
	}
	if n := l.nodes[packet.AddrFrom4(nas[:])]; len(n.miners) != maxMiners || !n.more || len(f.Mining.Miners) != maxShown || f.Mining.MinersTotal < maxMiners/2 {
		t.Errorf("%d miners, %d shown of %d", len(n.miners), len(f.Mining.Miners), f.Mining.MinersTotal)
	}
	for i := range 2 * maxNodes {
		h.mine(0, [4]byte{10, 2, byte(i >> 8), byte(i)}, [4]byte{203, 0, 113, 9}, 3333, login("XMRig/6"))
	}
	if len(l.nodes) > maxNodes || l.nodes[packet.AddrFrom4(nas[:])] != nil || l.nodes[packet.AddrFrom4([]byte{203, 0, 113, 9})] == nil {
		t.Errorf("%d nodes", len(l.nodes))
	}
}

// TestCollectorWorkers: several workers at a time.
func TestCollectorWorkers(t *testing.T) {
	d := Collectors()
	var wg sync.WaitGroup
	var mu sync.Mutex
	stories := 0
	for w := range 4 {
		h := &home{in: []detect.Inline{d.New()}, now: 1e18}
		wg.Go(func() {
			for i := range 50 {
				if f := h.mine(0, [4]byte{10, 1, byte(w), byte(i)}, [4]byte{10, 0, 0, 9}, 3333, login("XMRig/6"), aShare); f != nil {
					mu.Lock()
					stories++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if stories < 7 || stories > 8 { // 2, 4, 8 … 128
		t.Errorf("%d stories", stories)
	}
}

func TestCollectorAllocs(t *testing.T) {
	h := newHome(1)
	conn := proto.Conn{Client: packet.AddrFrom4([]byte{10, 0, 0, 1}), Server: packet.AddrFrom4([]byte{203, 0, 113, 5})}
	tx := &stratum.Tx{}
	tx.Mark(stratum.MarkAgent)
	tx.Mark(stratum.MarkMethod)
	tx.Login.Set([]byte(xmr))
	h.in[0].Inspect(nil, &conn, tx)
	if n := testing.AllocsPerRun(100, func() {
		tx.Shares++
		if _, ok := h.in[0].Inspect(nil, &conn, tx); ok {
			t.Fatal("found")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a share", n)
	}
}
