package prototest

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Flow is one TCP connection of a recorded capture.
type Flow struct {
	Conn  proto.Conn
	Parts []Part

	next [2]uint32 // sequence numbers expected
	has  [2]bool
	late [2][]segment // beyond a hole
	gap  [2]int       // bytes given up before the next part
}

type segment struct {
	seq  uint32
	data []byte
}

// Flows reads the TCP connections of a classic pcap file (Ethernet, null, Linux
// cooked or raw IP; no tunnels, no fragments) in the order in which they begin.
// It is no reassembler: it serves captures recorded on a loopback interface,
// where a hole is one for good once the peer has acknowledged what follows.
func Flows(path string) ([]*Flow, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) < 24 {
		return nil, errors.New("prototest: no pcap file: " + path)
	}
	var o binary.ByteOrder = binary.LittleEndian
	if m := o.Uint32(b); m != 0xa1b2c3d4 && m != 0xa1b23c4d {
		o = binary.BigEndian
		if m := o.Uint32(b); m != 0xa1b2c3d4 && m != 0xa1b23c4d {
			return nil, errors.New("prototest: no classic pcap file: " + path)
		}
	}
	link := o.Uint32(b[20:])
	var flows []*Flow
	for b = b[24:]; len(b) >= 16; {
		sec, frac, n := o.Uint32(b), o.Uint32(b[4:]), int(o.Uint32(b[8:]))
		if n < 0 || len(b) < 16+n {
			break
		}
		frame := b[16 : 16+n]
		b = b[16+n:]
		skip, ok := map[uint32]int{0: 4, 1: 14, 12: 0, 101: 0, 113: 16, 276: 20}[link]
		if !ok {
			return nil, fmt.Errorf("prototest: link type %d: %s", link, path)
		}
		if len(frame) > skip {
			flows = addPacket(flows, frame[skip:], int64(sec)*1e9+int64(frac)*1e3)
		}
	}
	for _, f := range flows {
		f.giveUp()
	}
	return flows, nil
}

func addPacket(flows []*Flow, ip []byte, t int64) []*Flow {
	var src, dst packet.Addr
	var tcp []byte
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4 && ip[9] == packet.ProtoTCP:
		h, total := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
		if h < 20 || total < h || total > len(ip) {
			return flows
		}
		src, dst, tcp = packet.AddrFrom4(ip[12:]), packet.AddrFrom4(ip[16:]), ip[h:total]
	case len(ip) >= 40 && ip[0]>>4 == 6 && ip[6] == packet.ProtoTCP:
		total := 40 + int(binary.BigEndian.Uint16(ip[4:]))
		if total > len(ip) {
			return flows
		}
		src, dst, tcp = packet.AddrFrom16(ip[8:]), packet.AddrFrom16(ip[24:]), ip[40:total]
	}
	if len(tcp) < 20 || int(tcp[12]>>4)*4 > len(tcp) {
		return flows
	}
	sp, dp := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	seq, flags, data := binary.BigEndian.Uint32(tcp[4:]), tcp[13], tcp[int(tcp[12]>>4)*4:]
	var f *Flow
	d := packet.ToServer
	for i := len(flows) - 1; i >= 0 && f == nil; i-- {
		switch c := &flows[i].Conn; {
		case c.Client == src && c.ClientPort == sp && c.Server == dst && c.ServerPort == dp:
			f = flows[i]
		case c.Client == dst && c.ClientPort == dp && c.Server == src && c.ServerPort == sp:
			f, d = flows[i], packet.ToClient
		}
	}
	if f == nil || flags&(packet.SYN|packet.ACK) == packet.SYN && d == packet.ToServer && f.has[0] && seq+1 != f.next[0] {
		f, d = &Flow{Conn: proto.Conn{Time: t, Transport: proto.TCP, Client: src, Server: dst,
			ClientPort: sp, ServerPort: dp, Midstream: flags&packet.SYN == 0}}, packet.ToServer
		if flags&(packet.SYN|packet.ACK) == packet.SYN|packet.ACK || f.Conn.Midstream && sp < dp {
			f.Conn.Client, f.Conn.Server, f.Conn.ClientPort, f.Conn.ServerPort, d = dst, src, dp, sp, packet.ToClient
		}
		flows = append(flows, f)
	}
	if flags&packet.ACK != 0 {
		f.acked(d.Reverse(), binary.BigEndian.Uint32(tcp[8:]))
	}
	if flags&packet.SYN != 0 {
		f.next[d], f.has[d] = seq+1, true
		return flows
	}
	if len(data) > 0 {
		if !f.has[d] {
			f.next[d], f.has[d] = seq, true
		}
		f.add(d, seq, data)
	}
	return flows
}

// add appends what of the segment is new, or keeps it when bytes are missing
// before it.
func (f *Flow) add(d packet.Dir, seq uint32, data []byte) {
	if int32(seq-f.next[d]) > 0 {
		f.late[d] = append(f.late[d], segment{seq, data})
		return
	}
	old := int(f.next[d] - seq)
	if old >= len(data) {
		return
	}
	f.Parts = append(f.Parts, Part{Dir: d, Data: data[old:], Gap: f.gap[d]})
	f.gap[d] = 0
	f.next[d] = seq + uint32(len(data))
	late := f.late[d]
	f.late[d] = nil
	for _, s := range late {
		f.add(d, s.seq, s.data)
	}
}

// acked gives up the holes of direction d before ack: the peer has what the
// capture lacks.
func (f *Flow) acked(d packet.Dir, ack uint32) {
	for len(f.late[d]) > 0 {
		first := f.late[d][0].seq
		for _, s := range f.late[d] {
			if int32(s.seq-first) < 0 {
				first = s.seq
			}
		}
		if int32(ack-first) <= 0 {
			return
		}
		f.gap[d] += int(first - f.next[d])
		f.next[d] = first
		late := f.late[d]
		f.late[d] = nil
		for _, s := range late {
			f.add(d, s.seq, s.data)
		}
	}
}

// giveUp gives up all holes.
func (f *Flow) giveUp() {
	for d := range packet.Dir(2) {
		f.acked(d, f.next[d]+1<<31-1)
	}
}

// Recognise asks p's Probe about the flow's first bytes as they grow, the way
// an engine that knows no other protocol would: Yes from either direction, or
// Weak from both or on a usual port.
func (f *Flow) Recognise(p proto.Protocol) bool {
	const enough = 4 << 10
	var head [2][]byte
	var m [2]proto.Match
	for _, pt := range f.Parts {
		d := pt.Dir
		if len(head[d]) >= enough {
			continue
		}
		head[d] = append(head[d], pt.Data...)
		if m[d] = p.Probe(d, head[d]); m[d] == proto.Yes {
			return true
		}
		if m[0] == proto.Weak && m[1] == proto.Weak {
			return true
		}
		for _, port := range p.Ports {
			if m[d] == proto.Weak && (port == f.Conn.ServerPort || f.Conn.Midstream && port == f.Conn.ClientPort) {
				return true
			}
		}
	}
	return false
}

// Golden drives p over every TCP flow of every testdata/*.pcap and compares
// what comes out with the file of the same name and the suffix .golden. When
// update is set the golden files are written instead. Each flow is also cut at
// random places, which must change nothing.
func Golden(t *testing.T, p proto.Protocol, update bool) {
	t.Helper()
	goldens(t, update, func(t *testing.T, file string) (string, error) {
		flows, err := Flows(file)
		got := ""
		for i, f := range flows {
			got += fmt.Sprintf("flow %d: %s", i, f.uncut(t, i, func(parts ...Part) string { return f.describe(p, parts) }))
		}
		return got, err
	})
}

// GoldenText is Golden for a protocol without events: text says what was made
// of the parts of one flow, all of which p must recognise.
func GoldenText(t *testing.T, p proto.Protocol, update bool, text func(parts ...Part) string) {
	t.Helper()
	goldens(t, update, func(t *testing.T, file string) (string, error) {
		flows, err := Flows(file)
		got := ""
		for i, f := range flows {
			if !f.Recognise(p) {
				t.Errorf("flow %d not recognised", i)
				continue
			}
			got += f.uncut(t, i, text) + "\n"
		}
		return got, err
	})
}

// uncut is the text of the parts of the flow numbered i, which must not depend
// on where they are cut.
func (f *Flow) uncut(t *testing.T, i int, text func(parts ...Part) string) string {
	t.Helper()
	one := text(f.Parts...)
	for seed := range uint64(4) {
		if cut := text(Split(seed, f.Parts...)...); cut != one {
			t.Errorf("flow %d cut with seed %d:\n%s\nwhole:\n%s", i, seed, cut, one)
		}
	}
	return one
}

// goldens compares the text of every testdata/*.pcap with its golden file, or
// writes it.
func goldens(t *testing.T, update bool, text func(t *testing.T, file string) (string, error)) {
	t.Helper()
	files, _ := filepath.Glob("testdata/*.pcap")
	if len(files) == 0 {
		t.Fatal("no captures in testdata")
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".pcap")
		t.Run(filepath.Base(name), func(t *testing.T) {
			got, err := text(t, file)
			if err != nil {
				t.Fatal(err)
			}
			if update {
				if err := os.WriteFile(name+".golden", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(name + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// UpdateFlag registers the flag -update of a test binary.
func UpdateFlag() *bool { return flag.Bool("update", false, "write the golden files") }

func (f *Flow) describe(p proto.Protocol, parts []Part) string {
	if !f.Recognise(p) {
		return "not " + p.Name + "\n"
	}
	r := Drive(p, Options{Conn: f.Conn}, parts...)
	s := p.Name
	if r.Switched {
		s += " then " + r.Next
	}
	if r.Finished {
		s += " finished"
	}
	if r.Err != nil {
		s += " error: " + r.Err.Error()
	}
	for _, a := range r.Anomalies {
		s += " anomaly " + a
	}
	s += "\n"
	for _, e := range r.Events {
		s += e + "\n"
	}
	return s
}
