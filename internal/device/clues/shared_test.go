package clues

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// announce is a response of multicast DNS with PTR, SRV and TXT of an instance
// (RFC 6763), and the pointer to the kind of service.
func announce(instance, service, host, txt string) string {
	labels := func(s string) (b []byte) {
		for _, l := range strings.Split(s, ".") {
			b = append(append(b, byte(len(l))), l...)
		}
		return append(b, 0)
	}
	b := []byte{0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0}
	rr := func(owner []byte, typ uint16, data []byte) {
		b = binary.BigEndian.AppendUint16(append(b, owner...), typ)
		b = binary.BigEndian.AppendUint16(append(b, 0, 1, 0, 0, 0, 120), uint16(len(data)))
		b = append(b, data...)
	}
	full := append(append([]byte{byte(len(instance))}, instance...), labels(service+".local")...)
	rr(labels("_services._dns-sd._udp.local"), 12, labels(service+".local"))
	rr(labels(service+".local"), 12, full)
	rr(full, 33, append([]byte{0, 0, 0, 0, 2, 119}, labels(host+".local")...))
	rr(full, 16, append([]byte{byte(len(txt))}, txt...))
	return string(b)
}

// A printer that a computer shares is not what the computer is.
func TestSharedPrinter(t *testing.T) {
	for _, tt := range []struct {
		instance, service string
		want              []string
	}{
		{"HP LaserJet @ Studio", "_ipp._tcp", []string{"mdns.host=studio"}},
		{"HP LaserJet", "_ipp._tcp", []string{"mdns.service=_ipp._tcp", "mdns.instance=HP LaserJet", "mdns.host=studio", "mdns.model=HP LaserJet M402"}},
		{"Studio", "_ssh._tcp", []string{"mdns.service=_ssh._tcp", "mdns.instance=Studio", "mdns.host=studio", "mdns.model=HP LaserJet M402"}},
	} {
		var l list
		newEngine(t, &l).Handle(frame(1e18, devMAC, devIP, [4]byte{224, 0, 0, 251}, 17, udp(5353, 5353, announce(tt.instance, tt.service, "studio", "ty=HP LaserJet M402"))))
		if got := l.all(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q", tt.instance, got)
		}
	}
}
