package packet

import "math/bits"

// Event is a finding of a closer look at a packet, for rules that ask for it
// by the name that Suricata gives it. Decode does not look for events; Check
// does, for who wants them.
type Event uint8

// Events, from the outside in.
const (
	EvEthernetPacketTooSmall              Event = iota // ethernet.pkt_too_small
	EvSLLPacketTooSmall                                // sll.pkt_too_small
	EvNullPacketTooSmall                               // ltnull.pkt_too_small
	EvNullUnsupportedType                              // ltnull.unsupported_type
	EvCHDLCPacketTooSmall                              // chdlc.pkt_too_small
	EvRawInvalidIPVersion                              // ipraw.invalid_ip_version
	EvPPPPacketTooSmall                                // ppp.pkt_too_small
	EvPPPIP4PacketTooSmall                             // ppp.ip4_pkt_too_small
	EvPPPIP6PacketTooSmall                             // ppp.ip6_pkt_too_small
	EvPPPVJUPacketTooSmall                             // ppp.vju_pkt_too_small
	EvPPPWrongType                                     // ppp.wrong_type
	EvPPPUnsupportedProto                              // ppp.unsup_proto
	EvPPPoEPacketTooSmall                              // pppoe.pkt_too_small
	EvPPPoEWrongCode                                   // pppoe.wrong_code
	EvPPPoEMalformedTags                               // pppoe.malformed_tags
	EvVLANHeaderTooSmall                               // vlan.header_too_small
	EvVLANUnknownType                                  // vlan.unknown_type
	EvVLANTooManyLayers                                // vlan.too_many_layers
	EvMPLSHeaderTooSmall                               // mpls.header_too_small
	EvMPLSPacketTooSmall                               // mpls.pkt_too_small
	EvMPLSBadLabelRouterAlert                          // mpls.bad_label_router_alert
	EvMPLSBadLabelImplicitNull                         // mpls.bad_label_implicit_null
	EvMPLSBadLabelReserved                             // mpls.bad_label_reserved
	EvMPLSUnknownPayloadType                           // mpls.unknown_payload_type
	EvGREPacketTooSmall                                // gre.pkt_too_small
	EvGREWrongVersion                                  // gre.wrong_version
	EvGREVersion0Recursion                             // gre.version0_recur
	EvGREVersion0Flags                                 // gre.version0_flags
	EvGREVersion0HeaderTooBig                          // gre.version0_hdr_too_big
	EvGREVersion0MalformedSREHeader                    // gre.version0_malformed_sre_hdr
	EvGREVersion1Checksum                              // gre.version1_chksum
	EvGREVersion1Route                                 // gre.version1_route
	EvGREVersion1SSR                                   // gre.version1_ssr
	EvGREVersion1Recursion                             // gre.version1_recur
	EvGREVersion1Flags                                 // gre.version1_flags
	EvGREVersion1NoKey                                 // gre.version1_no_key
	EvGREVersion1WrongProtocol                         // gre.version1_wrong_protocol
	EvGREVersion1HeaderTooBig                          // gre.version1_hdr_too_big
	EvIPv4PacketTooSmall                               // ipv4.pkt_too_small
	EvIPv4HeaderLengthTooSmall                         // ipv4.hlen_too_small
	EvIPv4LengthSmallerThanHeaderLength                // ipv4.iplen_smaller_than_hlen
	EvIPv4TruncatedPacket                              // ipv4.trunc_pkt
	EvIPv4WrongIPVersion                               // ipv4.wrong_ip_version
	EvIPv4OptionInvalid                                // ipv4.opt_invalid
	EvIPv4OptionInvalidLength                          // ipv4.opt_invalid_len
	EvIPv4OptionMalformed                              // ipv4.opt_malformed
	EvIPv4OptionPadRequired                            // ipv4.opt_pad_required
	EvIPv4OptionEOLRequired                            // ipv4.opt_eol_required
	EvIPv4OptionDuplicate                              // ipv4.opt_duplicate
	EvIPv4ICMPv6                                       // ipv4.icmpv6
	EvIPv4FragmentOverlap                              // ipv4.frag_overlap
	EvIPv4FragmentPacketTooLarge                       // ipv4.frag_pkt_too_large
	EvIPv6PacketTooSmall                               // ipv6.pkt_too_small
	EvIPv6TruncatedPacket                              // ipv6.trunc_pkt
	EvIPv6TruncatedExt                                 // ipv6.trunc_exthdr
	EvIPv6ExtDuplicateFH                               // ipv6.exthdr_dupl_fh
	EvIPv6ExtUselessFH                                 // ipv6.exthdr_useless_fh
	EvIPv6ExtDuplicateRH                               // ipv6.exthdr_dupl_rh
	EvIPv6ExtDuplicateHH                               // ipv6.exthdr_dupl_hh
	EvIPv6ExtDuplicateDH                               // ipv6.exthdr_dupl_dh
	EvIPv6ExtDuplicateAH                               // ipv6.exthdr_dupl_ah
	EvIPv6ExtInvalidOptLength                          // ipv6.exthdr_invalid_optlen
	EvIPv6WrongIPVersion                               // ipv6.wrong_ip_version
	EvIPv6ExtAHReservedNotNull                         // ipv6.exthdr_ah_res_not_null
	EvIPv6HopOptsUnknownOption                         // ipv6.hopopts_unknown_opt
	EvIPv6HopOptsOnlyPadding                           // ipv6.hopopts_only_padding
	EvIPv6DstOptsUnknownOption                         // ipv6.dstopts_unknown_opt
	EvIPv6DstOptsOnlyPadding                           // ipv6.dstopts_only_padding
	EvIPv6RHType0                                      // ipv6.rh_type_0
	EvIPv6ZeroLengthPadN                               // ipv6.zero_len_padn
	EvIPv6FHNonZeroReservedField                       // ipv6.fh_non_zero_reserved_field
	EvIPv6DataAfterNoneHeader                          // ipv6.data_after_none_header
	EvIPv6UnknownNextHeader                            // ipv6.unknown_next_header
	EvIPv6ICMPv4                                       // ipv6.icmpv4
	EvIPv6FragmentOverlap                              // ipv6.frag_overlap
	EvIPv6FragmentPacketTooLarge                       // ipv6.frag_pkt_too_large
	EvIPv6FragmentInvalidLength                        // ipv6.frag_invalid_length
	EvIPv6IPv4InIPv6TooSmall                           // ipv6.ipv4_in_ipv6_too_small
	EvIPv6IPv4InIPv6WrongVersion                       // ipv6.ipv4_in_ipv6_wrong_version
	EvIPv6IPv6InIPv6TooSmall                           // ipv6.ipv6_in_ipv6_too_small
	EvIPv6IPv6InIPv6WrongVersion                       // ipv6.ipv6_in_ipv6_wrong_version
	EvICMPv4PacketTooSmall                             // icmpv4.pkt_too_small
	EvICMPv4UnknownType                                // icmpv4.unknown_type
	EvICMPv4UnknownCode                                // icmpv4.unknown_code
	EvICMPv4IPv4TruncatedPacket                        // icmpv4.ipv4_trunc_pkt
	EvICMPv4IPv4UnknownVersion                         // icmpv4.ipv4_unknown_ver
	EvICMPv6PacketTooSmall                             // icmpv6.pkt_too_small
	EvICMPv6UnknownType                                // icmpv6.unknown_type
	EvICMPv6UnknownCode                                // icmpv6.unknown_code
	EvICMPv6IPv6TruncatedPacket                        // icmpv6.ipv6_trunc_pkt
	EvICMPv6IPv6UnknownVersion                         // icmpv6.ipv6_unknown_version
	EvICMPv6MLDMessageWithInvalidHopLimit              // icmpv6.mld_message_with_invalid_hl
	EvICMPv6UnassignedType                             // icmpv6.unassigned_type
	EvICMPv6ExperimentationType                        // icmpv6.experimentation_type
	EvIGMPPacketTooSmall                               // igmp.pkt_too_small
	EvIGMPV3PacketTooSmall                             // igmp.v3_pkt_too_small
	EvIGMPMalformed                                    // igmp.malformed
	EvTCPPacketTooSmall                                // tcp.pkt_too_small
	EvTCPHeaderLengthTooSmall                          // tcp.hlen_too_small
	EvTCPInvalidOptLength                              // tcp.invalid_optlen
	EvTCPOptionInvalidLength                           // tcp.opt_invalid_len
	EvTCPOptionDuplicate                               // tcp.opt_duplicate
	EvUDPPacketTooSmall                                // udp.pkt_too_small
	EvUDPHeaderLengthTooSmall                          // udp.hlen_too_small
	EvUDPLengthInvalid                                 // udp.len_invalid
	EvTooManyLayers                                    // too_many_layers

	NumEvents // how many there are
)

// eventNames are the events by what Suricata calls them. Left out are the
// decoders of what is not decoded here (ERSPAN, VN-Tag, 802.1ah, DCE), and
// events that Suricata itself never raises.
var eventNames = [NumEvents]string{
	EvEthernetPacketTooSmall:              "ethernet.pkt_too_small",
	EvSLLPacketTooSmall:                   "sll.pkt_too_small",
	EvNullPacketTooSmall:                  "ltnull.pkt_too_small",
	EvNullUnsupportedType:                 "ltnull.unsupported_type",
	EvCHDLCPacketTooSmall:                 "chdlc.pkt_too_small",
	EvRawInvalidIPVersion:                 "ipraw.invalid_ip_version",
	EvPPPPacketTooSmall:                   "ppp.pkt_too_small",
	EvPPPIP4PacketTooSmall:                "ppp.ip4_pkt_too_small",
	EvPPPIP6PacketTooSmall:                "ppp.ip6_pkt_too_small",
	EvPPPVJUPacketTooSmall:                "ppp.vju_pkt_too_small",
	EvPPPWrongType:                        "ppp.wrong_type",
	EvPPPUnsupportedProto:                 "ppp.unsup_proto",
	EvPPPoEPacketTooSmall:                 "pppoe.pkt_too_small",
	EvPPPoEWrongCode:                      "pppoe.wrong_code",
	EvPPPoEMalformedTags:                  "pppoe.malformed_tags",
	EvVLANHeaderTooSmall:                  "vlan.header_too_small",
	EvVLANUnknownType:                     "vlan.unknown_type",
	EvVLANTooManyLayers:                   "vlan.too_many_layers",
	EvMPLSHeaderTooSmall:                  "mpls.header_too_small",
	EvMPLSPacketTooSmall:                  "mpls.pkt_too_small",
	EvMPLSBadLabelRouterAlert:             "mpls.bad_label_router_alert",
	EvMPLSBadLabelImplicitNull:            "mpls.bad_label_implicit_null",
	EvMPLSBadLabelReserved:                "mpls.bad_label_reserved",
	EvMPLSUnknownPayloadType:              "mpls.unknown_payload_type",
	EvGREPacketTooSmall:                   "gre.pkt_too_small",
	EvGREWrongVersion:                     "gre.wrong_version",
	EvGREVersion0Recursion:                "gre.version0_recur",
	EvGREVersion0Flags:                    "gre.version0_flags",
	EvGREVersion0HeaderTooBig:             "gre.version0_hdr_too_big",
	EvGREVersion0MalformedSREHeader:       "gre.version0_malformed_sre_hdr",
	EvGREVersion1Checksum:                 "gre.version1_chksum",
	EvGREVersion1Route:                    "gre.version1_route",
	EvGREVersion1SSR:                      "gre.version1_ssr",
	EvGREVersion1Recursion:                "gre.version1_recur",
	EvGREVersion1Flags:                    "gre.version1_flags",
	EvGREVersion1NoKey:                    "gre.version1_no_key",
	EvGREVersion1WrongProtocol:            "gre.version1_wrong_protocol",
	EvGREVersion1HeaderTooBig:             "gre.version1_hdr_too_big",
	EvIPv4PacketTooSmall:                  "ipv4.pkt_too_small",
	EvIPv4HeaderLengthTooSmall:            "ipv4.hlen_too_small",
	EvIPv4LengthSmallerThanHeaderLength:   "ipv4.iplen_smaller_than_hlen",
	EvIPv4TruncatedPacket:                 "ipv4.trunc_pkt",
	EvIPv4WrongIPVersion:                  "ipv4.wrong_ip_version",
	EvIPv4OptionInvalid:                   "ipv4.opt_invalid",
	EvIPv4OptionInvalidLength:             "ipv4.opt_invalid_len",
	EvIPv4OptionMalformed:                 "ipv4.opt_malformed",
	EvIPv4OptionPadRequired:               "ipv4.opt_pad_required",
	EvIPv4OptionEOLRequired:               "ipv4.opt_eol_required",
	EvIPv4OptionDuplicate:                 "ipv4.opt_duplicate",
	EvIPv4ICMPv6:                          "ipv4.icmpv6",
	EvIPv4FragmentOverlap:                 "ipv4.frag_overlap",
	EvIPv4FragmentPacketTooLarge:          "ipv4.frag_pkt_too_large",
	EvIPv6PacketTooSmall:                  "ipv6.pkt_too_small",
	EvIPv6TruncatedPacket:                 "ipv6.trunc_pkt",
	EvIPv6TruncatedExt:                    "ipv6.trunc_exthdr",
	EvIPv6ExtDuplicateFH:                  "ipv6.exthdr_dupl_fh",
	EvIPv6ExtUselessFH:                    "ipv6.exthdr_useless_fh",
	EvIPv6ExtDuplicateRH:                  "ipv6.exthdr_dupl_rh",
	EvIPv6ExtDuplicateHH:                  "ipv6.exthdr_dupl_hh",
	EvIPv6ExtDuplicateDH:                  "ipv6.exthdr_dupl_dh",
	EvIPv6ExtDuplicateAH:                  "ipv6.exthdr_dupl_ah",
	EvIPv6ExtInvalidOptLength:             "ipv6.exthdr_invalid_optlen",
	EvIPv6WrongIPVersion:                  "ipv6.wrong_ip_version",
	EvIPv6ExtAHReservedNotNull:            "ipv6.exthdr_ah_res_not_null",
	EvIPv6HopOptsUnknownOption:            "ipv6.hopopts_unknown_opt",
	EvIPv6HopOptsOnlyPadding:              "ipv6.hopopts_only_padding",
	EvIPv6DstOptsUnknownOption:            "ipv6.dstopts_unknown_opt",
	EvIPv6DstOptsOnlyPadding:              "ipv6.dstopts_only_padding",
	EvIPv6RHType0:                         "ipv6.rh_type_0",
	EvIPv6ZeroLengthPadN:                  "ipv6.zero_len_padn",
	EvIPv6FHNonZeroReservedField:          "ipv6.fh_non_zero_reserved_field",
	EvIPv6DataAfterNoneHeader:             "ipv6.data_after_none_header",
	EvIPv6UnknownNextHeader:               "ipv6.unknown_next_header",
	EvIPv6ICMPv4:                          "ipv6.icmpv4",
	EvIPv6FragmentOverlap:                 "ipv6.frag_overlap",
	EvIPv6FragmentPacketTooLarge:          "ipv6.frag_pkt_too_large",
	EvIPv6FragmentInvalidLength:           "ipv6.frag_invalid_length",
	EvIPv6IPv4InIPv6TooSmall:              "ipv6.ipv4_in_ipv6_too_small",
	EvIPv6IPv4InIPv6WrongVersion:          "ipv6.ipv4_in_ipv6_wrong_version",
	EvIPv6IPv6InIPv6TooSmall:              "ipv6.ipv6_in_ipv6_too_small",
	EvIPv6IPv6InIPv6WrongVersion:          "ipv6.ipv6_in_ipv6_wrong_version",
	EvICMPv4PacketTooSmall:                "icmpv4.pkt_too_small",
	EvICMPv4UnknownType:                   "icmpv4.unknown_type",
	EvICMPv4UnknownCode:                   "icmpv4.unknown_code",
	EvICMPv4IPv4TruncatedPacket:           "icmpv4.ipv4_trunc_pkt",
	EvICMPv4IPv4UnknownVersion:            "icmpv4.ipv4_unknown_ver",
	EvICMPv6PacketTooSmall:                "icmpv6.pkt_too_small",
	EvICMPv6UnknownType:                   "icmpv6.unknown_type",
	EvICMPv6UnknownCode:                   "icmpv6.unknown_code",
	EvICMPv6IPv6TruncatedPacket:           "icmpv6.ipv6_trunc_pkt",
	EvICMPv6IPv6UnknownVersion:            "icmpv6.ipv6_unknown_version",
	EvICMPv6MLDMessageWithInvalidHopLimit: "icmpv6.mld_message_with_invalid_hl",
	EvICMPv6UnassignedType:                "icmpv6.unassigned_type",
	EvICMPv6ExperimentationType:           "icmpv6.experimentation_type",
	EvIGMPPacketTooSmall:                  "igmp.pkt_too_small",
	EvIGMPV3PacketTooSmall:                "igmp.v3_pkt_too_small",
	EvIGMPMalformed:                       "igmp.malformed",
	EvTCPPacketTooSmall:                   "tcp.pkt_too_small",
	EvTCPHeaderLengthTooSmall:             "tcp.hlen_too_small",
	EvTCPInvalidOptLength:                 "tcp.invalid_optlen",
	EvTCPOptionInvalidLength:              "tcp.opt_invalid_len",
	EvTCPOptionDuplicate:                  "tcp.opt_duplicate",
	EvUDPPacketTooSmall:                   "udp.pkt_too_small",
	EvUDPHeaderLengthTooSmall:             "udp.hlen_too_small",
	EvUDPLengthInvalid:                    "udp.len_invalid",
	EvTooManyLayers:                       "too_many_layers",
}

// EventOf returns the event of a name such as "ipv4.trunc_pkt".
func EventOf(name string) (Event, bool) {
	for i, n := range eventNames {
		if n == name {
			return Event(i), true
		}
	}
	return 0, false
}

// String returns Suricata's name.
func (e Event) String() string { return eventNames[e] }

// Events is a set of events.
type Events [2]uint64

// Add puts e into the set.
func (s *Events) Add(e Event) { s[e>>6] |= 1 << (e & 63) }

// Has reports whether e is in the set.
func (s *Events) Has(e Event) bool { return s[e>>6]&(1<<(e&63)) != 0 }

// Next returns the first event in the set from e on; false when there is none.
func (s *Events) Next(e Event) (Event, bool) {
	for i := int(e >> 6); i < len(s); i++ {
		w := s[i]
		if i == int(e>>6) {
			w &= ^uint64(0) << (e & 63)
		}
		if w != 0 {
			return Event(i<<6 + bits.TrailingZeros64(w)), true
		}
	}
	return 0, false
}
