package prototest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Datagrams reads the UDP flows of a classic pcap file in host order (Ethernet,
// Linux cooked or raw IP; no tunnels, no fragments), in the order in which they
// begin. The sender of the first datagram is the client. Parts share f.Conn,
// whose Time is that of the first datagram.
func Datagrams(path string) ([]*Flow, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if len(b) < 24 || le.Uint32(b) != 0xa1b2c3d4 {
		return nil, errors.New("prototest: no classic pcap file: " + path)
	}
	skip := 0
	switch le.Uint32(b[20:]) {
	case 1:
		skip = 14
	case 113:
		skip = 16
	case 276:
		skip = 20
	}
	var flows []*Flow
	for b = b[24:]; len(b) >= 16; {
		sec, frac, n := le.Uint32(b), le.Uint32(b[4:]), int(le.Uint32(b[8:]))
		if n < 0 || len(b) < 16+n {
			break
		}
		if n > skip {
			flows = addDatagram(flows, b[16+skip:16+n], int64(sec)*1e9+int64(frac)*1e3)
		}
		b = b[16+n:]
	}
	return flows, nil
}

func addDatagram(flows []*Flow, ip []byte, t int64) []*Flow {
	var src, dst packet.Addr
	var udp []byte
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4 && ip[9] == packet.ProtoUDP:
		if h := int(ip[0]&15) * 4; h >= 20 && h <= len(ip) {
			src, dst, udp = packet.AddrFrom4(ip[12:]), packet.AddrFrom4(ip[16:]), ip[h:]
		}
	case len(ip) >= 40 && ip[0]>>4 == 6 && ip[6] == packet.ProtoUDP:
		src, dst, udp = packet.AddrFrom16(ip[8:]), packet.AddrFrom16(ip[24:]), ip[40:]
	}
	if len(udp) < 8 || int(binary.BigEndian.Uint16(udp[4:])) > len(udp) || binary.BigEndian.Uint16(udp[4:]) < 8 {
		return flows
	}
	sp, dp, data := binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:]), udp[8:binary.BigEndian.Uint16(udp[4:])]
	for _, f := range flows {
		switch c := &f.Conn; {
		case c.Client == src && c.ClientPort == sp && c.Server == dst && c.ServerPort == dp:
			f.Parts = append(f.Parts, Part{Dir: packet.ToServer, Data: data})
			return flows
		case c.Client == dst && c.ClientPort == dp && c.Server == src && c.ServerPort == sp:
			f.Parts = append(f.Parts, Part{Dir: packet.ToClient, Data: data})
			return flows
		}
	}
	return append(flows, &Flow{
		Conn:  proto.Conn{Time: t, Transport: proto.UDP, Client: src, Server: dst, ClientPort: sp, ServerPort: dp},
		Parts: []Part{{Dir: packet.ToServer, Data: data}},
	})
}

// Claims asks p's Probe about each datagram of the flow and reports whether an
// engine that knows no other protocol would give it the flow.
func (f *Flow) Claims(p proto.Protocol) bool {
	var weak [2]bool
	for _, pt := range f.Parts {
		switch p.Probe(pt.Dir, pt.Data) {
		case proto.Yes:
			return true
		case proto.Weak:
			weak[pt.Dir] = true
			for _, port := range p.Ports {
				if port == f.Conn.ServerPort || port == f.Conn.ClientPort {
					return true
				}
			}
		}
		if weak[0] && weak[1] {
			return true
		}
	}
	return false
}

// GoldenUDP drives p over every flow, UDP and TCP as p.On says, of every
// testdata/*.pcap and compares what comes out with the file of the same name
// and the suffix .golden; with update set it writes the golden files instead.
// Each TCP flow is also cut at random places, which must change nothing.
func GoldenUDP(t *testing.T, p proto.Protocol, update bool) {
	t.Helper()
	goldens(t, update, func(t *testing.T, file string) (string, error) { return transcript(t, p, file) })
}

func transcript(t *testing.T, p proto.Protocol, file string) (string, error) {
	var s strings.Builder
	if p.On&proto.UDP != 0 {
		flows, err := Datagrams(file)
		if err != nil {
			return "", err
		}
		for i, f := range flows {
			fmt.Fprintf(&s, "udp flow %d: ", i)
			if !f.Claims(p) {
				s.WriteString("not " + p.Name + "\n")
				continue
			}
			r := Drive(p, Options{Conn: f.Conn}, f.Parts...)
			fmt.Fprintf(&s, "%s %v\n", r.AppProto, r.Anomalies)
			for _, e := range r.Events {
				s.WriteString(e + "\n")
			}
		}
	}
	if p.On&proto.TCP != 0 {
		flows, err := Flows(file)
		if err != nil {
			return "", err
		}
		for i, f := range flows {
			fmt.Fprintf(&s, "tcp flow %d: %s", i, f.uncut(t, i, func(parts ...Part) string { return f.describe(p, parts) }))
		}
	}
	return s.String(), nil
}
