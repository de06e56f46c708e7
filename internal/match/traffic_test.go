package match_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
	"github.com/yamori-net/yamori/internal/verdict"
)

// compile loads rules that must all load.
func compile(t testing.TB, text string, opt match.Options) *match.Set {
	t.Helper()
	rs, problems := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{Vars: rules.DefaultVars()})
	if opt.Protocols == nil {
		opt.Protocols = builtin.Protocols()
	}
	set, more := match.Compile(rs, opt)
	for _, p := range append(problems, more...) {
		t.Fatal(p)
	}
	return set
}

// replayer sends packets that tests make through an engine and notes the
// alerts.
type replayer struct {
	t       testing.TB
	e       *engine.Engine
	now     int64
	alerts  []uint32
	actions []string
	last    verdict.Verdict
	f       packet.Frame
}

func replay(t testing.TB, set *match.Set) *replayer {
	return replayWith(t, engine.Config{Rules: set})
}

func replayWith(t testing.TB, cfg engine.Config) *replayer {
	cfg.Inline = true
	return watchWith(t, cfg)
}

// watchWith only watches.
func watchWith(t testing.TB, cfg engine.Config) *replayer {
	r := &replayer{t: t, now: 1e18}
	cfg.Protocols, cfg.Seed = builtin.Protocols(), 1
	cfg.Sink = func(int) event.Sink {
		return event.SinkFunc(func(ev *event.Event) {
			if f := ev.Finding; f != nil && f.Rule != nil {
				r.alerts = append(r.alerts, f.Rule.SID)
				r.actions = append(r.actions, f.Action)
			}
		})
	}
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.e = e
	return r
}

func (r *replayer) frame(b []byte) {
	r.now += 1e6
	r.f = packet.Frame{Time: r.now, Data: b, Len: len(b), Link: packet.LinkRaw}
	r.last = r.e.Workers[0].Handle(&r.f)
}

// end closes the engine and returns the sids in the order of the alerts.
func (r *replayer) end() []uint32 {
	r.e.Close()
	if n := r.e.Stats().Panics; n > 0 {
		r.t.Fatalf("%d panics", n)
	}
	return r.alerts
}

var client, server = [4]byte{192, 168, 1, 2}, [4]byte{203, 0, 113, 9}

// ip makes an IPv4 packet (RFC 791) without checksum, which nobody looks at.
func ip(src, dst [4]byte, proto byte, l4 []byte) []byte {
	b := make([]byte, 20, 20+len(l4))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(l4)))
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	return append(b, l4...)
}

func udp(src, dst [4]byte, sp, dp uint16, data string) []byte {
	b := make([]byte, 8)
	binary.BigEndian.PutUint16(b, sp)
	binary.BigEndian.PutUint16(b[2:], dp)
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(data)))
	return ip(src, dst, packet.ProtoUDP, append(b, data...))
}

func icmp(src, dst [4]byte, typ, code byte) []byte {
	return ip(src, dst, packet.ProtoICMP, []byte{typ, code, 0, 0, 0, 7, 0, 1})
}

// conn is a TCP connection of the replayer.
type conn struct {
	r   *replayer
	cp  uint16
	sp  uint16
	seq [2]uint32
}

func (c *conn) segment(d packet.Dir, flags byte, seq, ack uint32, data string) {
	c.r.frame(tcpSegment(c, d, flags, seq, ack, data))
}

func tcpSegment(c *conn, d packet.Dir, flags byte, seq, ack uint32, data string) []byte {
	b := make([]byte, 20)
	src, dst, sp, dp := client, server, c.cp, c.sp
	if d == packet.ToClient {
		src, dst, sp, dp = dst, src, dp, sp
	}
	binary.BigEndian.PutUint16(b, sp)
	binary.BigEndian.PutUint16(b[2:], dp)
	binary.BigEndian.PutUint32(b[4:], seq)
	binary.BigEndian.PutUint32(b[8:], ack)
	b[12], b[13], b[14] = 5<<4, flags, 0xff
	return ip(src, dst, packet.ProtoTCP, append(b, data...))
}

// open makes a connection with its handshake.
func (r *replayer) open(cp, sp uint16) *conn {
	c := &conn{r: r, cp: cp, sp: sp, seq: [2]uint32{1001, 5001}}
	c.segment(packet.ToServer, packet.SYN, 1000, 0, "")
	c.segment(packet.ToClient, packet.SYN|packet.ACK, 5000, 1001, "")
	c.segment(packet.ToServer, packet.ACK, 1001, 5001, "")
	return c
}

// send sends data in one segment and has it acknowledged.
func (c *conn) send(d packet.Dir, data string) {
	o := d.Reverse()
	c.segment(d, packet.ACK|packet.PSH, c.seq[d], c.seq[o], data)
	c.seq[d] += uint32(len(data))
	c.segment(o, packet.ACK, c.seq[o], c.seq[d], "")
}

func (c *conn) close() {
	c.segment(packet.ToServer, packet.ACK|packet.FIN, c.seq[0], c.seq[1], "")
	c.segment(packet.ToClient, packet.ACK|packet.FIN, c.seq[1], c.seq[0]+1, "")
	c.segment(packet.ToServer, packet.ACK, c.seq[0]+1, c.seq[1]+1, "")
}

const (
	toServer = packet.ToServer
	toClient = packet.ToClient
)

// get is a request and its answer.
func (c *conn) get(uri, answer string) {
	c.send(toServer, "GET "+uri+" HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\n\r\n")
	c.send(toClient, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "+itoa(len(answer))+"\r\n\r\n"+answer)
}

func itoa(n int) string {
	s := ""
	for {
		s = string(rune('0'+n%10)) + s
		if n /= 10; n == 0 {
			return s
		}
	}
}

// query is a DNS query for the address of a name.
func query(name string) string {
	b := "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	for l := range strings.SplitSeq(name, ".") {
		b += string(rune(len(l))) + l
	}
	return b + "\x00\x00\x01\x00\x01"
}

func same(t *testing.T, got, want []uint32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("alerts %v, want %v", got, want)
	}
}
