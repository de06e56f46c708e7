package reassembly

import "math/bits"

// Event is an oddity of a TCP connection, for rules that ask for it by the
// name that Suricata gives it. See Watch.
type Event uint8

// Events. Those of reassembly come from the streams, the others from Watch.
const (
	EvHandAckInWrongDirection            Event = iota // 3whs_ack_in_wrong_dir
	EvHandRightSeqWrongAckEvasion                     // 3whs_right_seq_wrong_ack_evasion
	EvHandWrongSeqWrongAck                            // 3whs_wrong_seq_wrong_ack
	EvHandSYNACKInWrongDirection                      // 3whs_synack_in_wrong_direction
	EvHandSYNACKWithWrongAck                          // 3whs_synack_with_wrong_ack
	EvHandSYNACKResendWithDifferentAck                // 3whs_synack_resend_with_different_ack
	EvHandSYNACKResendWithDifferentSeq                // 3whs_synack_resend_with_diff_seq
	EvHandSYNACKToServerOnSYNRecv                     // 3whs_synack_toserver_on_syn_recv
	EvHandSYNResendDifferentSeqOnSYNRecv              // 3whs_syn_resend_diff_seq_on_syn_recv
	EvHandSYNToClientOnSYNRecv                        // 3whs_syn_toclient_on_syn_recv
	EvHandSYNACKFlood                                 // 3whs_synack_flood
	EvHandSYNFlood                                    // 3whs_syn_flood
	EvHand4SYNACKWithWrongAck                         // 4whs_synack_with_wrong_ack
	EvHand4SYNACKWithWrongSYN                         // 4whs_synack_with_wrong_syn
	EvHand4WrongSeq                                   // 4whs_wrong_seq
	EvHand4InvalidAck                                 // 4whs_invalid_ack
	EvEstInvalidAck                                   // est_invalid_ack
	EvEstPacketOutOfWindow                            // est_packet_out_of_window
	EvEstPacketBeforeLastAck                          // est_pkt_before_last_ack
	EvEstSYNResend                                    // est_syn_resend
	EvEstSYNResendDifferentSeq                        // est_syn_resend_diff_seq
	EvEstSYNToClient                                  // est_syn_toclient
	EvEstSYNACKResend                                 // est_synack_resend
	EvEstSYNACKResendWithDifferentSeq                 // est_synack_resend_with_diff_seq
	EvEstSYNACKResendWithDifferentAck                 // est_synack_resend_with_different_ack
	EvEstSYNACKToServer                               // est_synack_toserver
	EvClosewaitAckOutOfWindow                         // closewait_ack_out_of_window
	EvClosewaitFINOutOfWindow                         // closewait_fin_out_of_window
	EvClosewaitInvalidAck                             // closewait_invalid_ack
	EvClosewaitPacketBeforeLastAck                    // closewait_pkt_before_last_ack
	EvClosingAckWrongSeq                              // closing_ack_wrong_seq
	EvClosingInvalidAck                               // closing_invalid_ack
	EvFIN1AckWrongSeq                                 // fin1_ack_wrong_seq
	EvFIN1FINWrongSeq                                 // fin1_fin_wrong_seq
	EvFIN1InvalidAck                                  // fin1_invalid_ack
	EvFIN2AckWrongSeq                                 // fin2_ack_wrong_seq
	EvFIN2FINWrongSeq                                 // fin2_fin_wrong_seq
	EvFIN2InvalidAck                                  // fin2_invalid_ack
	EvLastackAckWrongSeq                              // lastack_ack_wrong_seq
	EvLastackInvalidAck                               // lastack_invalid_ack
	EvTimewaitAckWrongSeq                             // timewait_ack_wrong_seq
	EvTimewaitInvalidAck                              // timewait_invalid_ack
	EvFINButNoSession                                 // fin_but_no_session
	EvRSTButNoSession                                 // rst_but_no_session
	EvFINInvalidAck                                   // fin_invalid_ack
	EvFINOutOfWindow                                  // fin_out_of_window
	EvFINSYN                                          // fin_syn
	EvShutdownSYNResend                               // shutdown_syn_resend
	EvRSTInvalidAck                                   // rst_invalid_ack
	EvSuspectedRSTInject                              // suspected_rst_inject
	EvPacketInvalidAck                                // pkt_invalid_ack
	EvPacketInvalidTimestamp                          // pkt_invalid_timestamp
	EvPacketBrokenAck                                 // pkt_broken_ack
	EvPacketBadWindowUpdate                           // pkt_bad_window_update
	EvPacketRetransmission                            // pkt_retransmission
	EvPacketSpuriousRetransmission                    // pkt_spurious_retransmission
	EvReassemblySeqGap                                // reassembly_seq_gap
	EvReassemblyOverlapDifferentData                  // reassembly_overlap_different_data
	EvReassemblySegmentBeforeBaseSeq                  // reassembly_segment_before_base_seq
	EvReassemblyDepthReached                          // reassembly_depth_reached

	NumEvents // how many there are
)

// eventNames are the events by what Suricata calls them. Left out are those of
// settings that do not exist here: asynchronous streams, data in a SYN, urgent
// data out of band, and of its threads.
var eventNames = [NumEvents]string{
	EvHandAckInWrongDirection:            "3whs_ack_in_wrong_dir",
	EvHandRightSeqWrongAckEvasion:        "3whs_right_seq_wrong_ack_evasion",
	EvHandWrongSeqWrongAck:               "3whs_wrong_seq_wrong_ack",
	EvHandSYNACKInWrongDirection:         "3whs_synack_in_wrong_direction",
	EvHandSYNACKWithWrongAck:             "3whs_synack_with_wrong_ack",
	EvHandSYNACKResendWithDifferentAck:   "3whs_synack_resend_with_different_ack",
	EvHandSYNACKResendWithDifferentSeq:   "3whs_synack_resend_with_diff_seq",
	EvHandSYNACKToServerOnSYNRecv:        "3whs_synack_toserver_on_syn_recv",
	EvHandSYNResendDifferentSeqOnSYNRecv: "3whs_syn_resend_diff_seq_on_syn_recv",
	EvHandSYNToClientOnSYNRecv:           "3whs_syn_toclient_on_syn_recv",
	EvHandSYNACKFlood:                    "3whs_synack_flood",
	EvHandSYNFlood:                       "3whs_syn_flood",
	EvHand4SYNACKWithWrongAck:            "4whs_synack_with_wrong_ack",
	EvHand4SYNACKWithWrongSYN:            "4whs_synack_with_wrong_syn",
	EvHand4WrongSeq:                      "4whs_wrong_seq",
	EvHand4InvalidAck:                    "4whs_invalid_ack",
	EvEstInvalidAck:                      "est_invalid_ack",
	EvEstPacketOutOfWindow:               "est_packet_out_of_window",
	EvEstPacketBeforeLastAck:             "est_pkt_before_last_ack",
	EvEstSYNResend:                       "est_syn_resend",
	EvEstSYNResendDifferentSeq:           "est_syn_resend_diff_seq",
	EvEstSYNToClient:                     "est_syn_toclient",
	EvEstSYNACKResend:                    "est_synack_resend",
	EvEstSYNACKResendWithDifferentSeq:    "est_synack_resend_with_diff_seq",
	EvEstSYNACKResendWithDifferentAck:    "est_synack_resend_with_different_ack",
	EvEstSYNACKToServer:                  "est_synack_toserver",
	EvClosewaitAckOutOfWindow:            "closewait_ack_out_of_window",
	EvClosewaitFINOutOfWindow:            "closewait_fin_out_of_window",
	EvClosewaitInvalidAck:                "closewait_invalid_ack",
	EvClosewaitPacketBeforeLastAck:       "closewait_pkt_before_last_ack",
	EvClosingAckWrongSeq:                 "closing_ack_wrong_seq",
	EvClosingInvalidAck:                  "closing_invalid_ack",
	EvFIN1AckWrongSeq:                    "fin1_ack_wrong_seq",
	EvFIN1FINWrongSeq:                    "fin1_fin_wrong_seq",
	EvFIN1InvalidAck:                     "fin1_invalid_ack",
	EvFIN2AckWrongSeq:                    "fin2_ack_wrong_seq",
	EvFIN2FINWrongSeq:                    "fin2_fin_wrong_seq",
	EvFIN2InvalidAck:                     "fin2_invalid_ack",
	EvLastackAckWrongSeq:                 "lastack_ack_wrong_seq",
	EvLastackInvalidAck:                  "lastack_invalid_ack",
	EvTimewaitAckWrongSeq:                "timewait_ack_wrong_seq",
	EvTimewaitInvalidAck:                 "timewait_invalid_ack",
	EvFINButNoSession:                    "fin_but_no_session",
	EvRSTButNoSession:                    "rst_but_no_session",
	EvFINInvalidAck:                      "fin_invalid_ack",
	EvFINOutOfWindow:                     "fin_out_of_window",
	EvFINSYN:                             "fin_syn",
	EvShutdownSYNResend:                  "shutdown_syn_resend",
	EvRSTInvalidAck:                      "rst_invalid_ack",
	EvSuspectedRSTInject:                 "suspected_rst_inject",
	EvPacketInvalidAck:                   "pkt_invalid_ack",
	EvPacketInvalidTimestamp:             "pkt_invalid_timestamp",
	EvPacketBrokenAck:                    "pkt_broken_ack",
	EvPacketBadWindowUpdate:              "pkt_bad_window_update",
	EvPacketRetransmission:               "pkt_retransmission",
	EvPacketSpuriousRetransmission:       "pkt_spurious_retransmission",
	EvReassemblySeqGap:                   "reassembly_seq_gap",
	EvReassemblyOverlapDifferentData:     "reassembly_overlap_different_data",
	EvReassemblySegmentBeforeBaseSeq:     "reassembly_segment_before_base_seq",
	EvReassemblyDepthReached:             "reassembly_depth_reached",
}

// EventOf returns the event of a name such as "est_invalid_ack".
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
type Events uint64

// Add puts e into the set.
func (s *Events) Add(e Event) { *s |= 1 << e }

// Has reports whether e is in the set.
func (s Events) Has(e Event) bool { return s&(1<<e) != 0 }

// First returns the first event of a set that is not empty.
func (s Events) First() Event { return Event(bits.TrailingZeros64(uint64(s))) }
