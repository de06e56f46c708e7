package engine

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// layers counts packets by what they hold, for the record "stats".
type layers [numLayers]uint64

const (
	layEthernet = iota
	layRaw
	layNull
	laySLL
	laySLL2
	layCHDLC
	layPPP
	layPPPoE
	layVLAN
	layQinQ
	layMPLS
	layNSH
	layARP
	layUnknown
	layIPv4
	layIPv6
	layTCP
	layUDP
	laySCTP
	layICMPv4
	layICMPv6
	layIGMP
	layESP
	layGRE
	layVXLAN
	layGENEVE
	layTeredo
	lay4in4
	lay6in4
	lay4in6
	lay6in6
	numLayers
)

// layerNames are Suricata's names of its decoders.
var layerNames = [numLayers]string{"ethernet", "raw", "null", "sll", "sll2", "chdlc", "ppp", "pppoe", "vlan", "vlan_qinq", "mpls", "nsh",
	"arp", "unknown_ethertype", "ipv4", "ipv6", "tcp", "udp", "sctp", "icmpv4", "icmpv6", "igmp", "esp", "gre", "vxlan", "geneve", "teredo",
	"ipv4_in_ipv4", "ipv6_in_ipv4", "ipv4_in_ipv6", "ipv6_in_ipv6"}

// add counts a packet.
func (l *layers) add(p *packet.Packet) {
	switch p.Frame.Link {
	case packet.LinkEthernet:
		l[layEthernet]++
	case packet.LinkNull, packet.LinkLoop:
		l[layNull]++
	case packet.LinkSLL:
		l[laySLL]++
	case packet.LinkSLL2:
		l[laySLL2]++
	case packet.LinkCHDLC:
		l[layCHDLC]++
	case packet.LinkPPP, packet.LinkPPPHDLC:
		l[layPPP]++
	default:
		l[layRaw]++
	}
	switch p.Version {
	case 4:
		l[layIPv4]++
	case 6:
		l[layIPv6]++
	default:
		if p.ARP.Op != 0 {
			l[layARP]++
		} else if p.Anomalies&packet.UnknownLink != 0 {
			l[layUnknown]++
		}
	}
	if p.L4 != nil {
		l.transport(p.Proto)
	}
	if p.VLANs > 0 {
		l[layVLAN]++
		if p.VLANs > 1 {
			l[layQinQ]++
		}
	}
	if p.Tunnels != 0 {
		l.tunnels(p)
	}
}

func (l *layers) transport(proto uint8) {
	switch proto {
	case packet.ProtoTCP:
		l[layTCP]++
	case packet.ProtoUDP:
		l[layUDP]++
	case packet.ProtoICMP:
		l[layICMPv4]++
	case packet.ProtoICMPv6:
		l[layICMPv6]++
	case packet.ProtoIGMP:
		l[layIGMP]++
	case packet.ProtoSCTP:
		l[laySCTP]++
	case packet.ProtoESP:
		l[layESP]++
	case packet.ProtoGRE:
		l[layGRE]++
	}
}

// tunnels counts what a packet came out of, and the outermost IP header.
func (l *layers) tunnels(p *packet.Packet) {
	for _, t := range [...]struct {
		t   packet.Tunnel
		lay int
	}{{packet.TunnelPPPoE, layPPPoE}, {packet.TunnelMPLS, layMPLS}, {packet.TunnelNSH, layNSH}, {packet.TunnelGRE, layGRE},
		{packet.TunnelVXLAN, layVXLAN}, {packet.TunnelGENEVE, layGENEVE}, {packet.TunnelTeredo, layTeredo}, {packet.TunnelIPIP, lay4in4},
		{packet.Tunnel6in4, lay6in4}, {packet.Tunnel4in6, lay4in6}, {packet.TunnelIP6IP, lay6in6}} {
		if p.Tunnels&t.t != 0 {
			l[t.lay]++
		}
	}
	if p.Depth == 0 {
		return
	}
	if p.OuterSrc.Is4() {
		l[layIPv4]++
	} else {
		l[layIPv6]++
	}
	if p.Tunnels&(packet.TunnelVXLAN|packet.TunnelGENEVE|packet.TunnelTeredo) != 0 {
		l[layUDP]++
	}
}

func (l *layers) encode(e *event.Encoder) {
	for i, n := range l {
		e.Uint(layerNames[i], n)
	}
}
