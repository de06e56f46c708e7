package device

import "github.com/yamori-net/yamori/internal/packet"

// Source says where a clue comes from.
type Source uint8

// Sources. Seen is no clue but a sign of life.
const (
	Seen Source = iota
	DHCP
	DHCPv6
	MDNS
	SSDP
	UPnP // a device's description
	WSD  // WS-Discovery
	NetBIOS
	LLMNR
	HTTP
	TLS
	DNS  // names asked for, in DNS and in the hello of TLS and QUIC
	TCP  // marks of the network stack
	Port // ports served or spoken to
	NDP  // neighbour discovery of IPv6
	LAN  // makers' own protocols, known by their first bytes
	TFTP
	numSources
)

var sourceNames = [numSources]string{"seen", "dhcp", "dhcpv6", "mdns", "ssdp", "upnp", "wsd", "netbios", "llmnr", "http", "tls", "dns",
	"tcp", "port", "ndp", "lan", "tftp"}

// String returns the first part of the codes of evidence: "dhcp".
func (s Source) String() string {
	if s < numSources {
		return sourceNames[s]
	}
	return "?"
}

// MarshalText writes the name of s.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote; an unknown name becomes Seen,
// which is not kept.
func (s *Source) UnmarshalText(b []byte) error {
	*s = Seen
	for i, n := range sourceNames {
		if n == string(b) {
			*s = Source(i)
		}
	}
	return nil
}

// Clue is one thing that a device showed of itself: "dhcp", "hostname",
// "living-room-tv".
type Clue struct {
	Source Source      `json:"source"`
	Key    string      `json:"key"`
	Value  string      `json:"value"`
	Time   int64       `json:"time"` // when last seen, packet time
	MAC    packet.MAC  `json:"mac"`  // zero: no link layer
	IP     packet.Addr `json:"-"`    // zero or unspecified: none yet
}

// MaxValue bounds the value of a clue; what makes clues cuts it.
const MaxValue = 128

// Sink takes clues, and is told of time passing.
type Sink interface {
	Add(c Clue)
	Advance(now int64)
}

// Random reports whether m was made up by the device (the bit of local
// administration, IEEE 802-2014 section 8.2): phones do it against being
// followed.
func Random(m packet.MAC) bool { return m[0]&3 == 2 }

func isHost(m packet.MAC) bool { return m != packet.MAC{} && m[0]&1 == 0 }
