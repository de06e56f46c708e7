// Package verdict is the answer to a packet: let it pass or not, how much of
// what it belongs to, and why.
package verdict

// Action says what is to be done.
type Action uint8

// Actions, weakest first.
const (
	NoOpinion Action = iota // the zero value: whoever asks decides, and lets pass
	Accept
	Drop
	Reject // drop and tell the sender (TCP reset, ICMP unreachable)
)

// Scope says what an action covers.
type Scope uint8

// Scopes.
const (
	Packet Scope = iota
	Flow
	// Side is the direction of the packet within its flow: with Accept, what its
	// sender says from here on need not be seen, what the other says is.
	Side
	// Back takes Side back: with Accept, both directions are to be seen again.
	Back
)

// Verdict is one judgement. Why is a short stable code ("mining.stratum"),
// never a sentence; it is empty only in the zero value.
type Verdict struct {
	Action Action
	Scope  Scope
	Why    string
}
