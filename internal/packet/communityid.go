package packet

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
)

// AppendCommunityID appends the Community ID, version 1, of a flow to dst
// (https://github.com/corelight/community-id-spec): the same text for both
// directions, and the same from every tool that follows the specification.
// For ICMP and ICMPv6, sport is the type and dport the code of a message;
// protocols without ports ignore both. seed is zero unless the operator
// separates domains.
func AppendCommunityID(dst []byte, src, dstAddr Addr, sport, dport uint16, proto uint8, seed uint16) []byte {
	oneWay, ports := false, true
	switch proto {
	case ProtoTCP, ProtoUDP, ProtoSCTP:
	case ProtoICMP:
		sport, dport, oneWay = pairICMP(icmpPairs[:], sport, dport)
	case ProtoICMPv6:
		sport, dport, oneWay = pairICMP(icmp6Pairs[:], sport, dport)
	default:
		sport, dport, ports = 0, 0, false
	}
	a, b := src[:], dstAddr[:]
	if src.Is4() && dstAddr.Is4() {
		a, b = a[12:], b[12:]
	}
	if c := bytes.Compare(a, b); !oneWay && (c > 0 || c == 0 && sport > dport) {
		a, b, sport, dport = b, a, dport, sport
	}
	var in [2 + 16 + 16 + 2 + 4]byte
	t := append(in[:0], byte(seed>>8), byte(seed))
	t = append(t, a...)
	t = append(t, b...)
	t = append(t, proto, 0)
	if ports {
		t = append(t, byte(sport>>8), byte(sport), byte(dport>>8), byte(dport))
	}
	sum := sha1.Sum(t)
	dst = append(dst, '1', ':')
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// Message types that answer each other, as the specification takes them from
// Zeek. The answer's type stands for a message's second port.
var (
	icmpPairs = [...][2]uint16{
		{0, 8}, {8, 0}, // echo
		{13, 14}, {14, 13}, // timestamp
		{15, 16}, {16, 15}, // information
		{10, 9}, {9, 10}, // router solicitation
		{17, 18}, {18, 17}, // address mask
	}
	icmp6Pairs = [...][2]uint16{
		{128, 129}, {129, 128}, // echo
		{133, 134}, {134, 133}, // router solicitation
		{135, 136}, {136, 135}, // neighbour solicitation
		{130, 131}, {131, 130}, // multicast listener
		{139, 140}, {140, 139}, // node information
		{144, 145}, {145, 144}, // home agent discovery
	}
)

// pairICMP maps type and code to ports; a type without an answer keeps its
// code and its direction.
func pairICMP(pairs [][2]uint16, typ, code uint16) (sport, dport uint16, oneWay bool) {
	for _, p := range pairs {
		if p[0] == typ {
			return typ, p[1], false
		}
	}
	return typ, code, true
}
