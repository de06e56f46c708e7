package homerules_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/homerules"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

func load(t *testing.T) []*rules.Rule {
	t.Helper()
	rs, problems := rules.Parse(homerules.Name, strings.NewReader(homerules.Text), rules.ParseConfig{Vars: rules.DefaultVars()})
	for _, p := range problems {
		t.Error(p)
	}
	return rs
}

func compile(t *testing.T, rs []*rules.Rule) *match.Set {
	t.Helper()
	s, problems := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
	for _, p := range problems {
		t.Error(p)
	}
	if n := s.Stats().Inert; n > 0 {
		t.Errorf("%d rules cannot match", n)
	}
	return s
}

// Ends of the conversations: a device of the home, another, and two outside.
const (
	pc, cam  = "192.168.1.2", "192.168.1.9"
	out, web = "198.51.100.7", "203.0.113.5"
)

// talk is one conversation: what the client says, and the server, in turn.
type talk struct {
	from, to string
	port     uint16
	udp      bool
	say      []string // the client first; empty: nothing
	times    int      // so many connections; 0: one
}

// home is an engine with the rules, and the sids it told of.
type home struct {
	t    *testing.T
	e    *engine.Engine
	now  int64
	port uint16
	sids []uint32
}

func newHome(t *testing.T, s *match.Set) *home {
	h := &home{t: t, now: 1e18, port: 40000}
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: s, MaxFlows: 4096,
		OnPanic: func(v any, stack []byte) { t.Errorf("%v\n%s", v, stack) },
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) { h.sids = append(h.sids, ev.Finding.SignatureID) })
		}})
	if err != nil {
		t.Fatal(err)
	}
	h.e = e
	return h
}

// segment sends one packet.
func (h *home) segment(c *talk, answer bool, flags byte, seq, ack uint32, payload string) {
	src, dst := netip.MustParseAddr(c.from).As4(), netip.MustParseAddr(c.to).As4()
	sp, dp := h.port, c.port
	if answer {
		src, dst, sp, dp = dst, src, dp, sp
	}
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0}
	b = append(append(b, src[:]...), dst[:]...)
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, sp), dp)
	if c.udp {
		b[23] = 17
		b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
		b = append(b, 0, 0)
	} else {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, seq), ack)
		b = append(b, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	}
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[16:], uint16(len(b)-14))
	h.now += 1e6
	h.e.Workers[0].Handle(&packet.Frame{Time: h.now, Data: b, Len: len(b), Link: packet.LinkEthernet})
}

// play has the conversation, cutting what is said into pieces of cut bytes;
// 0: whole.
func (h *home) play(c *talk, cut int) {
	for range max(c.times, 1) {
		h.port++
		seq := [2]uint32{1000, 5000}
		if !c.udp {
			h.segment(c, false, packet.SYN, 999, 0, "")
			h.segment(c, true, packet.SYN|packet.ACK, 4999, 1000, "")
			h.segment(c, false, packet.ACK, 1000, 5000, "")
		}
		for i, s := range c.say {
			d := i % 2
			for len(s) > 0 {
				n := len(s)
				if cut > 0 && !c.udp {
					n = min(n, cut)
				}
				h.segment(c, d == 1, packet.ACK|packet.PSH, seq[d], seq[1-d], s[:n])
				seq[d] += uint32(n)
				s = s[n:]
			}
		}
		if !c.udp {
			h.segment(c, false, packet.ACK|packet.FIN, seq[0], seq[1], "")
			h.segment(c, true, packet.ACK|packet.FIN, seq[1], seq[0]+1, "")
			h.segment(c, false, packet.ACK, seq[0]+1, seq[1]+1, "")
		}
	}
}

// got ends the flows and returns the sids told, each once, sorted.
func (h *home) got() []uint32 {
	h.e.Close()
	slices.Sort(h.sids)
	return slices.Compact(h.sids)
}

func get(uri string, headers ...string) string {
	return "GET " + uri + " HTTP/1.1\r\nHost: 192.168.1.9\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

func post(method, uri, body string, headers ...string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: 192.168.1.9\r\nContent-Length: %d\r\n%s\r\n%s", method, uri, len(body),
		strings.Join(append(headers, ""), "\r\n"), body)
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// smb is an SMB1 message: header of 32 bytes with command, status and
// multiplex id, then the rest ([MS-CIFS] 2.2.3.1).
func smb(command byte, status uint32, mid uint16, rest string) string {
	b := append([]byte("\xffSMB"), command)
	b = binary.LittleEndian.AppendUint32(b, status)
	b = append(b, make([]byte, 32-len(b)-2)...)
	b = append(binary.LittleEndian.AppendUint16(b, mid), rest...)
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(b)))) + string(b)
}

// trans2 is the words of a TRANS2 request with one word of setup
// ([MS-CIFS] 2.2.4.46.1).
func trans2(sub byte) string {
	return "\x0f" + string(make([]byte, 26)) + "\x01\x00" + string([]byte{sub, 0}) + "\x00\x00"
}

// adb is a message of Android's debug bridge.
func adb(command, data string) string {
	v := binary.LittleEndian.Uint32([]byte(command))
	b := binary.LittleEndian.AppendUint32([]byte(command), 0x01000001)
	b = binary.LittleEndian.AppendUint32(b, 1<<18)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return string(binary.LittleEndian.AppendUint32(b, ^v)) + data
}

// query is a DNS query for an address.
func query(name string) string {
	b := []byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for l := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(l))), l...)
	}
	return string(append(b, 0, 0, 1, 0, 1))
}

// hello is a TLS ClientHello with a server name (RFC 8446 section 4.1.2, RFC 6066 section 3).
func hello(name string) string {
	u16 := binary.BigEndian.AppendUint16
	n := uint16(len(name))
	sni := append(u16(u16(u16([]byte{}, 0), n+5), n+3), 0)
	sni = append(u16(sni, n), name...)
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	body = append(u16(body, uint16(len(sni))), sni...)
	hs := append([]byte{1, 0}, u16(nil, uint16(len(body)))...)
	hs = append(hs, body...)
	return string(append(u16([]byte{22, 3, 1}, uint16(len(hs))), hs...))
}

func TestRules(t *testing.T) {
	rs := load(t)
	seen := map[uint32]bool{}
	for _, c := range cases {
		for _, cut := range []int{0, 7} {
			h := newHome(t, compile(t, rs)) // a set remembers what thresholds counted
			h.play(&c.talk, cut)
			if got := h.got(); !slices.Equal(got, c.want) {
				t.Errorf("%s (cut %d): alerts %v, want %v", c.name, cut, got, c.want)
			}
		}
		for _, sid := range c.want {
			seen[sid] = true
		}
	}
	for _, r := range rs {
		if !seen[r.SID] {
			t.Errorf("no test makes rule %d match", r.SID)
		}
		if r.SID < homerules.FirstSID || r.SID > homerules.LastSID || r.GID != 1 || r.Classtype == "" || !strings.HasPrefix(r.Msg, "YAMORI ") {
			t.Errorf("rule %d: sid, gid, classtype or msg are not as they should be", r.SID)
		}
	}
}
