package flow

// Class sorts flows for eviction, the first to go first. Within a class the
// least recently used goes first.
type Class uint8

// Classes. A flood of spoofed packets makes only Unanswered flows and so
// displaces nothing but itself.
const (
	Unanswered Class = iota // one packet, no answer
	Done                    // TCP, closed
	Opening                 // several packets one way, or a handshake under way
	Talking                 // established
	NumClasses
)

// String returns a short name for metrics.
func (c Class) String() string {
	return [...]string{"unanswered", "closed", "opening", "established", "?"}[min(c, NumClasses)]
}

// Stats counts since the table was made.
type Stats struct {
	Created     uint64
	Ended       [Shutdown + 1]uint64 // by Reason
	Evicted     [NumClasses]uint64   // Ended[Evicted] by class
	Reused      uint64               // flows ended because their ports were used anew
	Midstream   uint64               // TCP flows picked up without their SYN
	BadResets   uint64               // resets that the receiver would not believe
	Refused     uint64               // TCP segments that the receiver would not take for any of the connection
	Current     int
	Peak        int
	Emergencies uint64 // times the table became full
	InEmergency bool
}

// Stats returns the counters.
func (t *Table) Stats() Stats { return t.stats }
