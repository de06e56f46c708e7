package event

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
)

// EVE turns events into lines as Suricata's EVE log writes them, one JSON
// object each, so that its readers (EveBox, Wazuh, Elastic, Splunk) take them
// unchanged. Not safe for concurrent use.
type EVE struct {
	// CommunitySeed is the seed of the community ID
	// (https://github.com/corelight/community-id-spec); readers expect 0.
	CommunitySeed uint16

	enc Encoder
}

// SignatureGID is the gid of Yamori's own detections, apart from the rules'.
const SignatureGID = 7411

// Append appends ev as one line, with the newline, to dst.
func (w *EVE) Append(dst []byte, ev *Event) []byte {
	e := &w.enc
	e.B = dst
	if n := len(dst); n > 0 && dst[n-1] != '\n' {
		e.B = append(e.B, '\n')
	}
	e.Obj("")
	e.Time("timestamp", ev.Time)
	if ev.FlowID != 0 {
		e.Uint("flow_id", ev.FlowID)
	}
	e.OptStr("in_iface", ev.Iface)
	if ev.PcapCnt != 0 {
		e.Uint("pcap_cnt", ev.PcapCnt)
	}
	e.Str("event_type", string(ev.Type))
	if ev.VLANs > 0 {
		e.Arr("vlan")
		for _, v := range ev.VLAN[:min(int(ev.VLANs), len(ev.VLAN))] {
			e.Uint("", uint64(v))
		}
		e.EndArr()
	}
	if ev.HasAddr {
		w.endpoints(ev)
	}
	if ev.HasTx {
		e.Uint("tx_id", ev.TxID)
	}
	e.OptStr("app_proto", ev.AppProto)
	e.OptStr("app_proto_orig", ev.AppProtoOrig)
	if ev.HasMAC {
		e.Obj("ether")
		mac(e, "src_mac", ev.SrcMAC)
		mac(e, "dest_mac", ev.DstMAC)
		e.EndObj()
	}
	if ev.Finding != nil {
		w.finding(ev)
	}
	if ev.Body != nil {
		ev.Body.EncodeEVE(e)
	}
	e.EndObj()
	e.B = append(e.B, '\n')
	dst, e.B = e.B, nil
	return dst
}

func (w *EVE) endpoints(ev *Event) {
	e := &w.enc
	e.Addr("src_ip", ev.Src)
	ports := hasPorts(ev.Proto)
	if ports {
		e.Uint("src_port", uint64(ev.SrcPort))
	}
	e.Addr("dest_ip", ev.Dst)
	if ports {
		e.Uint("dest_port", uint64(ev.DstPort))
	}
	e.key("proto")
	e.B = append(e.B, '"')
	e.B = AppendProto(e.B, ev.Proto)
	e.B = append(e.B, '"')
	sp, dp := ev.SrcPort, ev.DstPort
	if ev.Proto == packet.ProtoICMP || ev.Proto == packet.ProtoICMPv6 {
		e.Uint("icmp_type", uint64(ev.ICMPType))
		e.Uint("icmp_code", uint64(ev.ICMPCode))
		sp, dp = uint16(ev.ICMPType), uint16(ev.ICMPCode)
	}
	e.key("community_id")
	e.B = append(e.B, '"')
	e.B = packet.AppendCommunityID(e.B, ev.Src, ev.Dst, sp, dp, ev.Proto, w.CommunitySeed)
	e.B = append(e.B, '"')
}

func hasPorts(p uint8) bool {
	return p == packet.ProtoTCP || p == packet.ProtoUDP || p == packet.ProtoSCTP
}

func mac(e *Encoder, k string, m packet.MAC) {
	e.key(k)
	e.B = append(e.B, '"')
	e.B = AppendMAC(e.B, m)
	e.B = append(e.B, '"')
}

// AppendMAC appends m as aa:bb:cc:dd:ee:ff.
func AppendMAC(dst []byte, m packet.MAC) []byte {
	for i, b := range m {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// protoNames are the keywords of IP protocols that are seen in homes and their tunnels, after IANA's registry (Assigned
// Internet Protocol Numbers) in EVE's spelling. The others are told by their numbers.
var protoNames = [256]string{
	packet.ProtoICMP: "ICMP", packet.ProtoIGMP: "IGMP", packet.ProtoIPIP: "IP-in-IP", packet.ProtoTCP: "TCP",
	8: "EGP", packet.ProtoUDP: "UDP", 33: "DCCP", packet.ProtoIPv6: "IPv6", 43: "IPv6-Route", 44: "IPv6-Frag", 46: "RSVP",
	packet.ProtoGRE: "GRE", packet.ProtoESP: "ESP", packet.ProtoAH: "AH", packet.ProtoICMPv6: "IPv6-ICMP", 59: "IPv6-NoNxt",
	60: "IPv6-Opts", 88: "EIGRP", 89: "OSPF", 97: "ETHERIP", 103: "PIM", 108: "IPComp", 112: "VRRP", 115: "L2TP",
	packet.ProtoSCTP: "SCTP", 136: "UDPLite", 137: "MPLS-in-IP", 139: "HIP",
}

// AppendProto appends the name of an IP protocol in EVE's spelling, or its
// number.
func AppendProto(dst []byte, p uint8) []byte {
	if n := protoNames[p]; n != "" {
		return append(dst, n...)
	}
	return strconv.AppendUint(dst, uint64(p), 10)
}
