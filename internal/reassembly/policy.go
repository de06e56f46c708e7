package reassembly

// Policy says which bytes win when segments that are held back overlap and
// differ: systems disagree, and an evader sends what the target will read and
// the watcher will not (Novak and Sturges, "Target-Based TCP Stream
// Reassembly", 2007). Bytes once delivered always stand.
//
// A byte belongs to the segment that supplied it; a newcomer wins it or not by
// comparing the extents of the two segments as they were sent.
type Policy uint8

// Policies. Systems named together behave alike.
const (
	First    Policy = iota // what came first stays: Windows since Vista, and the right one in line
	Last                   // what came last wins
	BSD                    // the newcomer wins where it starts earlier: the BSDs, macOS, Windows before Vista, IRIX, HP-UX 10
	Linux                  // as BSD, and on an equal start when it ends later
	OldLinux               // as BSD, and on an equal start when it does not end earlier: Linux 2.2 and before
	Solaris                // it ends later, or starts no later and ends no earlier: Solaris, HP-UX 11
	numPolicies
)

// policyNames are the systems by the names of Suricata's host-os-policy.
var policyNames = map[string]Policy{
	"vista": First, "windows2k3": BSD, "bsd-right": Last, "hpux10": BSD, "irix": BSD, "bsd": BSD, "macos": BSD, "windows": BSD,
	"linux": Linux, "old-linux": OldLinux, "solaris": Solaris, "hpux11": Solaris,
}

// PolicyOf returns the policy of a system such as "old-linux"; false when the
// name is not known.
func PolicyOf(system string) (Policy, bool) {
	p, ok := policyNames[system]
	return p, ok
}

// plain reports that the policy does not look at extents.
func (p Policy) plain() bool { return p <= Last }

// newWins decides between a new segment and the one that a byte belongs to.
func (p Policy) newWins(seq, end, oldSeq, oldEnd uint32) bool {
	start, stop := int32(seq-oldSeq), int32(end-oldEnd)
	switch p {
	case Last:
		return true
	case BSD:
		return start < 0
	case Linux:
		return start < 0 || start == 0 && stop > 0
	case OldLinux:
		return start < 0 || start == 0 && stop >= 0
	case Solaris:
		return stop > 0 || start <= 0 && stop == 0
	}
	return false
}
